"""EfficientNet-Lite as a feature extractor."""

from typing import Any, ClassVar

import keras

from keras_segpaint.backbones.inverted_residual import Block, MobileBackbone, mobile_features
from keras_segpaint.layers.factory import LayerFactory

STAGES = (
    (Block(16, 1),),
    (Block(24, 6),) * 2,
    (Block(40, 6, 5),) * 2,
    (Block(80, 6),) * 3 + (Block(112, 6, 5),) * 3,
    (Block(192, 6, 5),) * 4 + (Block(320, 6),),
)


def efficientnet_lite_features(
    x: Any,
    architecture: str,
    factory: LayerFactory,
    *,
    output_stride: int = 32,
    alpha: float = 1.0,
    top: bool = True,
) -> dict[str, Any]:
    """Builds the trunk on the tensor `x`.

    Args:
        x: Images, normalised.
        architecture: `"efficientnet_lite0"`.
        factory: Makes the layers.
        output_stride: 8, 16 or 32: of the deepest features. The stages beyond it are dilated instead of strided.
        alpha: Width multiplier of the blocks; the stem keeps its 32 and the last convolution its 1280 channels.
            Published weights have 1.
        top: Whether the 1x1 convolution in front of the classifier follows the last stage.

    Returns:
        Features by name, `"level1"` (stride 2) to `"level5"` (stride 32 or `output_stride`).

    Raises:
        ValueError: If `output_stride` is not one of those named.
    """
    return mobile_features(
        x,
        factory,
        STAGES,
        stem_filters=32,
        top_filters=1280 if top else None,
        activation="relu6",
        output_stride=output_stride,
        alpha=alpha,
    )


@keras.saving.register_keras_serializable(package="keras_segpaint")
class EfficientNetLite0(MobileBackbone):
    """EfficientNet-Lite0 without its classifier: a dictionary of features at strides 2 to 32.

    EfficientNet-B0 without squeeze-and-excitation and with ReLU6 for swish, so that it can be quantised.

    Args:
        output_stride: 8, 16 or 32: of the deepest features. The stages beyond it are dilated. Defaults to `32`.
        alpha: Width multiplier of the blocks; the stem keeps its 32 and the last convolution its 1280 channels.
            Published weights have 1. Defaults to `1.0`.
        top: Whether `"level5"` is behind the 1x1 convolution in front of the classifier (1280 channels) or in front of
            it (320). Defaults to `True`.
        normalization: `"batch"`, `"frozen_batch"` or `"group"`. Defaults to `"batch"`.
        weights: `None` or the path of a weights file. Defaults to `None`.
        input_shape: `(height, width, channels)`; height and width may be `None`. Defaults to `(None, None, 3)`.
        data_format: `"channels_last"`, `"channels_first"` or `None` for Keras's default.
        dtype: Dtype or policy of the layers. `None` for Keras's default.
        name: String. Defaults to `"efficientnet_lite0"`.

    Input shape:
        float32 images in [0, 1], `(batch, height, width, channels)`, any height and width >= 1. Images of three
        channels are normalised inside.

    Output shape:
        A dictionary: `"level1"` (stride 2) to `"level5"` (stride 32), of 16, 24, 40, 112 and 1280 channels; none coarser than
        `output_stride`. Odd sizes are rounded up.

    3,371,008 parameters.

    Raises:
        ValueError: If an argument is not one of those named.

    References:
        - [EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks](https://arxiv.org/abs/1905.11946)

    Example:
        >>> import numpy as np
        >>> features = EfficientNetLite0(output_stride=16, data_format="channels_last")(np.zeros((1, 64, 64, 3), "float32"))
        >>> tuple(features["level5"].shape)
        (1, 4, 4, 1280)
    """

    architecture: ClassVar[str] = "efficientnet_lite0"
    reference_parameters: ClassVar[tuple[tuple[dict[str, Any], int], ...]] = (({}, 3_371_008),)
