"""The discriminator of pix2pixHD and SPADE: patch critics at several scales."""

from typing import Any, ClassVar

import keras
from keras import layers, ops

from keras_segpaint.layers import InstanceNormalization, SpectralNormalization
from keras_segpaint.models.arguments import map_input, standardize_arguments
from keras_segpaint.models.image_layers import float32_image, standardize_width
from keras_segpaint.models.remembered import RememberedModel
from keras_segpaint.models.synthesis.base import SynthesisLayers, guides


@keras.saving.register_keras_serializable(package="keras_segpaint")
class MultiscaleDiscriminator(RememberedModel):
    """Judges at several scales whether each patch of an image is real, given the label map; gives all features on its way.

    At each scale the same critic with weights of its own: 4x4 convolutions, the first without normalisation, those behind
    it with spectral and instance normalisation, all with a leaky rectifier of slope 0.2, and one to a judgement of each
    patch. Between scales image and label map are averaged over 3x3 pixels with stride 2.

    Losses of judgements take the last map of each scale, `[features[-1] for features in outputs]`; feature matching takes
    those before, `features[:-1]`, for a real and a made image. Both may be halves of one batch.

    Args:
        num_labels: Integer >= 1; labels are `0` to `num_labels - 1`.
        ignore_class: A label beyond them that has a plane of its own, or `None`. Defaults to `255`.
        edges: Whether there is a third input, the borders between instances. Defaults to `False`.
        num_scales: Integer >= 1. Defaults to `2`.
        num_layers: Integer >= 2, convolutions before the one to judgements; all but the last of them halve the size.
            Defaults to `4`.
        base_filters: Integer >= 1, width of the first convolution; it doubles up to 8 times as many. Defaults to `64`.
        input_shape: `(height, width, channels)` of the image; height and width may be `None`. Defaults to `(None, None,
            3)`.
        data_format: `"channels_last"`, `"channels_first"` or `None` for Keras's default.
        dtype: Dtype or policy of the layers; what it gives is float32. `None` for Keras's default.
        name: String. Defaults to `"multiscale_discriminator"`.

    Input shape:
        `[image, labels]`, with `edges` `[image, labels, edges]`: float32 images in [-1, 1] `(batch, height, width,
        channels)`, labels `(batch, height, width)` and edges `(batch, height, width, 1)`.

    Output shape:
        A list of one list for each scale, from the finest on, of `num_layers + 1` float32 maps: the features behind each
        convolution, and the judgements `(batch, rows, columns, 1)`, larger for what looks real.

    5,836,930 parameters for ADE20K (150 labels), 5,904,514 for COCO-Stuff (182 labels, edges).

    Raises:
        ValueError: If an argument is not one of the above.

    References:
        - [High-Resolution Image Synthesis and Semantic Manipulation with Conditional GANs](https://arxiv.org/abs/1711.11585),
          section 3.2.
        - [Semantic Image Synthesis with Spatially-Adaptive Normalization](https://arxiv.org/abs/1903.07291), figure 13.

    Example:
        >>> import numpy as np
        >>> critic = MultiscaleDiscriminator(3, base_filters=1, data_format="channels_last")
        >>> scales = critic([np.zeros((1, 64, 64, 3), "float32"), np.zeros((1, 64, 64), "int32")])
        >>> [tuple(features[-1].shape) for features in scales]
        [(1, 11, 11, 1), (1, 7, 7, 1)]
    """

    paper: ClassVar[str] = (
        "Wang, Liu, Zhu, Tao, Kautz, Catanzaro 2018, High-Resolution Image Synthesis with Conditional GANs, arXiv:1711.11585"
    )
    good_for: ClassVar[str] = "The critic that SPADEGenerator and Pix2PixHDGenerator are trained against"
    reference_parameters: ClassVar[tuple[tuple[dict[str, Any], int], ...]] = (
        ({"num_labels": 150}, 5_836_930),
        ({"num_labels": 182, "edges": True}, 5_904_514),
    )

    def __init__(
        self,
        num_labels: int,
        *,
        ignore_class: int | None = 255,
        edges: bool = False,
        num_scales: int = 2,
        num_layers: int = 4,
        base_filters: int = 64,
        input_shape: tuple[int | None, int | None, int] = (None, None, 3),
        data_format: str | None = None,
        dtype: Any = None,
        name: str = "multiscale_discriminator",
    ):
        input_shape, data_format, policy = standardize_arguments(input_shape, data_format, dtype)
        standardize_width(base_filters, "base_filters")
        standardize_width(num_scales, "num_scales")
        if not isinstance(num_layers, int) or num_layers < 2:
            raise ValueError(f"`num_layers` must be an integer >= 2. Received: num_layers={num_layers!r}")

        # === Layers ===
        build = SynthesisLayers(data_format, policy)
        # In float16 PyTorch has no gradient for kernels of one output on a CPU.
        judge = SynthesisLayers(data_format, "float32")
        settings: dict[str, Any] = dict(data_format=data_format, dtype=policy)

        def unit(x: Any, filters: int, strides: int, name: str, first: bool) -> Any:
            x = layers.ZeroPadding2D(2, name=f"{name}_pad", **settings)(x)
            if first:
                x = build.conv(filters, 4, strides=strides, padding="valid", name=name)(x)
            else:
                conv = build.conv(filters, 4, strides=strides, padding="valid", use_bias=False)
                x = SpectralNormalization(conv, name=name)(x)
                x = InstanceNormalization(name=f"{name}_norm", **settings)(x)
            return build.leaky_relu(name=f"{name}_relu")(x)

        def critic(x: Any, name: str) -> list[Any]:
            features = []
            for index in range(num_layers):
                filters = base_filters * min(2**index, 8)
                strides = 1 if index == num_layers - 1 else 2
                x = unit(x, filters, strides, f"{name}_conv{index}", first=index == 0)
                features.append(float32_image(x, "linear", f"{name}_features{index}"))
            x = layers.ZeroPadding2D(2, name=f"{name}_judge_pad", **settings)(x)
            return [*features, judge.conv(1, 4, padding="valid", name=f"{name}_judge")(x)]

        def halved(x: Any) -> Any:
            """Means of 3x3 pixels with stride 2, without those beyond the border."""
            pad = layers.ZeroPadding2D(1, **settings)
            pool = layers.AveragePooling2D(3, strides=2, padding="valid", **settings)
            one_plane = x[:1, :, :, :1] if data_format == "channels_last" else x[:1, :1]
            return pool(pad(x)) / pool(pad(ops.ones_like(one_plane)))

        # === Functional graph ===
        image = map_input(input_shape, input_shape[2], data_format, "image")
        guide_inputs, planes = guides(num_labels, ignore_class, edges, input_shape, build)
        x = build.concatenate(name="together")([planes, image])
        outputs = []
        for index in range(num_scales):
            x = halved(x) if index else x
            outputs.append(critic(x, f"scale{index}"))

        # === Config ===
        arguments = dict(
            num_labels=num_labels,
            ignore_class=ignore_class,
            edges=edges,
            num_scales=num_scales,
            num_layers=num_layers,
            base_filters=base_filters,
            input_shape=input_shape,
            data_format=data_format,
            dtype=policy.name,
        )
        super().__init__([image, *guide_inputs], outputs, arguments=arguments, name=name)
