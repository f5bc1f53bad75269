"""MobileNetV3 as a feature extractor."""

from typing import Any, ClassVar

import keras

from keras_segpaint.backbones.inverted_residual import Block, MobileBackbone, make_divisible, mobile_features
from keras_segpaint.layers.factory import LayerFactory

STAGES = (
    (Block(16, 1, activation="relu"),),
    (Block(24, 4, activation="relu"), Block(24, 3, activation="relu")),
    (Block(40, 3, 5, "relu", squeeze=True),) * 3,
    (
        Block(80, 6, 3, "hard_swish"),
        Block(80, 2.5, 3, "hard_swish"),
        *(Block(80, 2.3, 3, "hard_swish"),) * 2,
        *(Block(112, 6, 3, "hard_swish", squeeze=True),) * 2,
    ),
    (Block(160, 6, 5, "hard_swish", squeeze=True),) * 3,
)


def mobilenet_v3_features(
    x: Any,
    architecture: str,
    factory: LayerFactory,
    *,
    output_stride: int = 32,
    alpha: float = 1.0,
    top: bool = True,
    dilate_first: bool = False,
) -> dict[str, Any]:
    """Builds the trunk on the tensor `x`.

    Args:
        x: Images, normalised.
        architecture: `"mobilenet_v3_large"`.
        factory: Makes the layers.
        output_stride: 8, 16 or 32: of the deepest features. The stages beyond it are dilated instead of strided.
        alpha: Width multiplier of the blocks; the stem keeps its 16 channels. Published weights have 0.75 and 1.
        top: Whether the 1x1 convolution in front of the classifier follows the last stage.
        dilate_first: Whether a dilated stage's first block has the rate of its others, as in torchvision's segmentation
            networks; otherwise that of the stage before.

    Returns:
        Features by name, `"level1"` (stride 2) to `"level5"` (stride 32 or `output_stride`).

    Raises:
        ValueError: If `output_stride` is not one of those named.
    """
    return mobile_features(
        x,
        factory,
        STAGES,
        stem_filters=16,
        top_filters=make_divisible(6 * make_divisible(160 * alpha)) if top else None,
        activation="hard_swish",
        output_stride=output_stride,
        alpha=alpha,
        dilate_first=dilate_first,
    )


@keras.saving.register_keras_serializable(package="keras_segpaint")
class MobileNetV3Large(MobileBackbone):
    """MobileNetV3-Large without its classifier: a dictionary of features at strides 2 to 32.

    Args:
        output_stride: 8, 16 or 32: of the deepest features. The stages beyond it are dilated. Defaults to `32`.
        alpha: Width multiplier of the blocks; the stem keeps its 16 channels. Published weights have 0.75 and 1.
            Defaults to `1.0`.
        top: Whether `"level5"` is behind the 1x1 convolution in front of the classifier (960 channels) or in front of
            it (160). Defaults to `True`.
        normalization: `"batch"`, `"frozen_batch"` or `"group"`. Defaults to `"batch"`.
        weights: `None`, `"imagenet"` or the path of a weights file. Defaults to `None`.
        input_shape: `(height, width, channels)`; height and width may be `None`. Defaults to `(None, None, 3)`.
        data_format: `"channels_last"`, `"channels_first"` or `None` for Keras's default.
        dtype: Dtype or policy of the layers. `None` for Keras's default.
        name: String. Defaults to `"mobilenet_v3_large"`.

    Input shape:
        float32 images in [0, 1], `(batch, height, width, channels)`, any height and width >= 1. Images of three
        channels are normalised inside.

    Output shape:
        A dictionary: `"level1"` (stride 2) to `"level5"` (stride 32), of 16, 24, 40, 112 and 960 channels; none coarser than
        `output_stride`. Odd sizes are rounded up.

    2,971,952 parameters.

    Raises:
        ValueError: If an argument is not one of those named.

    References:
        - [Searching for MobileNetV3](https://arxiv.org/abs/1905.02244), table 1

    Example:
        >>> import numpy as np
        >>> features = MobileNetV3Large(output_stride=16, data_format="channels_last")(np.zeros((1, 64, 64, 3), "float32"))
        >>> tuple(features["level5"].shape)
        (1, 4, 4, 960)
    """

    architecture: ClassVar[str] = "mobilenet_v3_large"
    reference_parameters: ClassVar[tuple[tuple[dict[str, Any], int], ...]] = (({}, 2_971_952),)
