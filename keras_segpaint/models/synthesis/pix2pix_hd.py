"""pix2pixHD: the global generator."""

from typing import Any, ClassVar

import keras
from keras import layers

from keras_segpaint.layers import InstanceNormalization, MatchSize2D, ReflectionPadding2D, SymmetricPadding2D
from keras_segpaint.models.arguments import standardize_arguments
from keras_segpaint.models.image_layers import float32_image, standardize_width
from keras_segpaint.models.synthesis.base import SynthesisLayers, SynthesisModel, guides


@keras.saving.register_keras_serializable(package="keras_segpaint")
class Pix2PixHDGenerator(SynthesisModel):
    """pix2pixHD's global generator: an encoder of label maps, residual blocks in the middle, and a decoder to the image.

    A 7x7 convolution, four of stride 2, nine residual blocks and four transposed convolutions, each with instance
    normalisation and a rectifier, and a 7x7 convolution to the image. Borders are reflected, but for strided
    convolutions.

    Args:
        num_labels: Integer >= 1; labels are `0` to `num_labels - 1`.
        ignore_class: A label beyond them that has a plane of its own, or `None`. Defaults to `255`.
        edges: Whether there is a second input, the borders between instances, `(batch, height, width, 1)` in [0, 1].
            Defaults to `False`.
        downsampling: Integer >= 1, how often the size is halved. Defaults to `4`.
        blocks: Integer >= 1, residual blocks. Defaults to `9`.
        base_filters: Integer >= 1, width of the first convolution; it doubles where the size is halved. Defaults to `64`.
        input_shape: `(height, width, channels)` of the image; height and width may be `None`. Defaults to `(None, None,
            3)`.
        data_format: `"channels_last"`, `"channels_first"` or `None` for Keras's default.
        dtype: Dtype or policy of the layers; the image is float32. `None` for Keras's default.
        name: String. Defaults to `"pix2pix_hd_generator"`.

    Input shape:
        Labels `(batch, height, width)`, integers or whole floats; with `edges` `[labels, edges]`.

    Output shape:
        float32 images in [-1, 1], `(batch, height, width, channels)`.

    182,525,379 parameters for Cityscapes (35 labels, none ignored, edges). The authors' network has 21,376 more: biases in
    front of instance normalisation, which takes them away again.

    Raises:
        ValueError: If an argument is not one of the above.

    References:
        - [High-Resolution Image Synthesis and Semantic Manipulation with Conditional GANs](https://arxiv.org/abs/1711.11585),
          section 3.2 and the appendix.

    Example:
        >>> import numpy as np
        >>> model = Pix2PixHDGenerator(3, blocks=1, base_filters=2, data_format="channels_last")
        >>> tuple(model(np.zeros((1, 32, 48), "int32")).shape)
        (1, 32, 48, 3)
    """

    paper: ClassVar[str] = (
        "Wang, Liu, Zhu, Tao, Kautz, Catanzaro 2018, High-Resolution Image Synthesis with Conditional GANs, arXiv:1711.11585"
    )
    good_for: ClassVar[str] = "Photographs from label maps; what SPADE is compared with"
    reference_parameters: ClassVar[tuple[tuple[dict[str, Any], int], ...]] = (
        ({"num_labels": 35, "ignore_class": None, "edges": True}, 182_525_379),
    )

    def __init__(
        self,
        num_labels: int,
        *,
        ignore_class: int | None = 255,
        edges: bool = False,
        downsampling: int = 4,
        blocks: int = 9,
        base_filters: int = 64,
        input_shape: tuple[int | None, int | None, int] = (None, None, 3),
        data_format: str | None = None,
        dtype: Any = None,
        name: str = "pix2pix_hd_generator",
    ):
        input_shape, data_format, policy = standardize_arguments(input_shape, data_format, dtype)
        for argument, value in (("downsampling", downsampling), ("blocks", blocks), ("base_filters", base_filters)):
            standardize_width(value, argument)

        # === Layers ===
        build = SynthesisLayers(data_format, policy)
        settings: dict[str, Any] = dict(data_format=data_format, dtype=policy)

        def norm(x: Any, name: str) -> Any:
            return InstanceNormalization(name=f"{name}_norm", **settings)(x)

        def unit(x: Any, filters: int, kernel_size: int, name: str) -> Any:
            x = ReflectionPadding2D(kernel_size // 2, name=f"{name}_pad", **settings)(x)
            x = norm(build.conv(filters, kernel_size, padding="valid", use_bias=False, name=name)(x), name)
            return x if name.endswith("conv1") else build.relu(name=f"{name}_relu")(x)

        def halve(x: Any, filters: int, name: str) -> Any:
            x = SymmetricPadding2D(3, name=f"{name}_pad", **settings)(x)
            x = build.conv(filters, 3, strides=2, padding="valid", use_bias=False, name=name)(x)
            return build.relu(name=f"{name}_relu")(norm(x, name))

        def double(x: Any, filters: int, like: Any, name: str) -> Any:
            # 3x3, stride 2, padding 1 of PyTorch: the first row and column of the full result fall away.
            x = build.conv_transpose(filters, 3, strides=2, padding="valid", use_bias=False, name=name)(x)
            x = layers.Cropping2D(((1, 0), (1, 0)), name=f"{name}_crop", **settings)(x)
            x = MatchSize2D(name=f"{name}_fit", **settings)(x, like)
            return build.relu(name=f"{name}_relu")(norm(x, name))

        # === Functional graph ===
        inputs, planes = guides(num_labels, ignore_class, edges, input_shape, build)
        steps = [unit(planes, base_filters, 7, "start")]
        for index in range(1, downsampling + 1):
            steps.append(halve(steps[-1], base_filters * 2**index, f"down{index}"))
        x = steps.pop()
        for index in range(1, blocks + 1):
            y = unit(x, build.channels(x), 3, f"block{index}_conv0")
            y = unit(y, build.channels(x), 3, f"block{index}_conv1")
            x = build.add(name=f"block{index}")([x, y])
        for index in range(downsampling, 0, -1):
            x = double(x, base_filters * 2 ** (index - 1), steps.pop(), f"up{index}")
        x = ReflectionPadding2D(3, name="image_pad", **settings)(x)
        x = build.conv(input_shape[2], 7, padding="valid", name="image_conv")(x)
        outputs = float32_image(x, "tanh", "image")

        # === Config ===
        arguments = dict(
            num_labels=num_labels,
            ignore_class=ignore_class,
            edges=edges,
            downsampling=downsampling,
            blocks=blocks,
            base_filters=base_filters,
            input_shape=input_shape,
            data_format=data_format,
            dtype=policy.name,
        )
        super().__init__(inputs if len(inputs) > 1 else inputs[0], outputs, arguments=arguments, name=name)
