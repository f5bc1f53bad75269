"""The cascaded refinement network."""

from collections.abc import Sequence
from typing import Any, ClassVar

import keras
from keras import layers

from keras_segpaint.layers import Resize
from keras_segpaint.models.arguments import standardize_arguments
from keras_segpaint.models.image_layers import float32_image, standardize_width
from keras_segpaint.models.synthesis.base import SynthesisLayers, SynthesisModel, guides


@keras.saving.register_keras_serializable(package="keras_segpaint")
class CRN(SynthesisModel):
    """The cascaded refinement network: modules of growing size, each seeing the label map at its size.

    A module joins the features of the one before, enlarged bilinearly, with the label map made as small, and has two 3x3
    convolutions, each with layer normalisation (over all of an image) and a leaky rectifier of slope 0.2. A 1x1 convolution
    makes the image. It is trained by comparing features of another network, without a critic: see
    `keras_segpaint.losses.PerceptualLoss`.

    Args:
        num_labels: Integer >= 1; labels are `0` to `num_labels - 1`.
        ignore_class: A label beyond them that has a plane of its own, or `None`. Defaults to `255`.
        filters: Widths of the modules, from the smallest size on, each twice the size of the one before. Defaults to those
            for 512x1024, which begin at 4x8; for 1024x2048 there is a ninth of 32.
        input_shape: `(height, width, channels)` of the image; height and width may be `None`. Defaults to `(None, None,
            3)`.
        data_format: `"channels_last"`, `"channels_first"` or `None` for Keras's default.
        dtype: Dtype or policy of the layers; the image is float32. `None` for Keras's default.
        name: String. Defaults to `"crn"`.

    Input shape:
        Labels `(batch, height, width)`, integers or whole floats. A size that is no multiple of
        `2 ** (len(filters) - 1)` is halved rounding down.

    Output shape:
        float32 images `(batch, height, width, channels)`, those trained on in [-1, 1]; the last layer is linear, clip them.

    98,622,851 parameters for Cityscapes (19 labels and what is ignored), 98,674,531 with the ninth module; counted here, the
    paper names 105 million.

    Raises:
        ValueError: If an argument is not one of the above.

    References:
        - [Photographic Image Synthesis with Cascaded Refinement Networks](https://arxiv.org/abs/1707.09405), section 3;
          widths as in the authors' program.

    Example:
        >>> import numpy as np
        >>> model = CRN(3, filters=(8, 4), data_format="channels_last")
        >>> tuple(model(np.zeros((1, 8, 16), "int32")).shape)
        (1, 8, 16, 3)
    """

    paper: ClassVar[str] = (
        "Chen, Koltun 2017, Photographic Image Synthesis with Cascaded Refinement Networks, arXiv:1707.09405"
    )
    good_for: ClassVar[str] = "Photographs from label maps, trained without a critic"
    reference_parameters: ClassVar[tuple[tuple[dict[str, Any], int], ...]] = (
        ({"num_labels": 19}, 98_622_851),
        ({"num_labels": 19, "filters": [1024, 1024, 1024, 1024, 1024, 512, 512, 128, 32]}, 98_674_531),
    )

    def __init__(
        self,
        num_labels: int,
        *,
        ignore_class: int | None = 255,
        filters: Sequence[int] = (1024, 1024, 1024, 1024, 1024, 512, 512, 128),
        input_shape: tuple[int | None, int | None, int] = (None, None, 3),
        data_format: str | None = None,
        dtype: Any = None,
        name: str = "crn",
    ):
        input_shape, data_format, policy = standardize_arguments(input_shape, data_format, dtype)
        widths = tuple(filters)
        if not widths:
            raise ValueError(f"`filters` must have the width of one module at least. Received: filters={filters!r}")
        for width in widths:
            standardize_width(width, "filters")

        # === Layers ===
        build = SynthesisLayers(data_format, policy)
        settings: dict[str, Any] = dict(data_format=data_format, dtype=policy)

        def unit(x: Any, filters: int, name: str) -> Any:
            x = build.conv(filters, 3, use_bias=False, kernel_initializer="glorot_uniform", name=name)(x)
            # One group of all channels: layer normalisation with a scale and an offset for each channel.
            x = layers.GroupNormalization(1, axis=build.channel_axis, epsilon=1e-5, dtype=policy, name=f"{name}_norm")(
                x
            )
            return build.leaky_relu(name=f"{name}_relu")(x)

        # === Functional graph ===
        inputs, planes = guides(num_labels, ignore_class, False, input_shape, build)
        maps = [planes]
        for index in range(len(widths) - 1, 0, -1):
            # Bilinearly to the half is the mean of 2x2 pixels.
            maps.append(Resize(scale=0.5, name=f"planes{index - 1}", **settings)(maps[-1]))
        x = None
        for index, width in enumerate(widths):
            here = maps.pop()
            if x is not None:
                x = Resize(align_corners=True, name=f"enlarge{index}", **settings)(x, like=here)
                x = build.concatenate(name=f"module{index}_input")([x, here])
            x = unit(here if x is None else x, width, f"module{index}_conv0")
            x = unit(x, width, f"module{index}_conv1")
        outputs = float32_image(build.conv(input_shape[2], 1, name="image_conv")(x), "linear", "image")

        # === Config ===
        arguments = dict(
            num_labels=num_labels,
            ignore_class=ignore_class,
            filters=list(widths),
            input_shape=input_shape,
            data_format=data_format,
            dtype=policy.name,
        )
        super().__init__(inputs[0], outputs, arguments=arguments, name=name)
