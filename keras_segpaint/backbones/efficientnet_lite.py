"""EfficientNet-Lite as a feature extractor."""

from math import ceil
from typing import Any, ClassVar

import keras

from keras_segpaint.backbones.base import Backbone
from keras_segpaint.backbones.inverted_residual import Block, mobile_features
from keras_segpaint.layers.factory import LayerFactory

# Width and depth, in multiples of EfficientNet-Lite0's.
SCALES = {
    "efficientnet_lite0": (1.0, 1.0),
    "efficientnet_lite1": (1.0, 1.1),
    "efficientnet_lite2": (1.1, 1.2),
    "efficientnet_lite3": (1.2, 1.4),
    "efficientnet_lite4": (1.4, 1.8),
}


def stages(depth: float) -> tuple[tuple[Block, ...], ...]:
    """The blocks of each stage; the first and the last are as many at every depth.

    Example:
        >>> [len(blocks) for blocks in stages(1.8)]
        [1, 4, 4, 12, 9]
    """

    def blocks(count: int, filters: int, kernel_size: int = 3) -> tuple[Block, ...]:
        return (Block(filters, 6, kernel_size),) * ceil(depth * count)

    return (
        (Block(16, 1),),
        blocks(2, 24),
        blocks(2, 40, 5),
        blocks(3, 80) + blocks(3, 112, 5),
        (*blocks(4, 192, 5), Block(320, 6)),
    )


def efficientnet_lite_features(
    x: Any,
    architecture: str,
    factory: LayerFactory,
    *,
    output_stride: int = 32,
    alpha: float = 1.0,
    top: bool = True,
    padding: str = "same",
) -> dict[str, Any]:
    """Builds the trunk on the tensor `x`.

    Args:
        x: Images, normalised.
        architecture: `"efficientnet_lite0"` to `"efficientnet_lite4"`.
        factory: Makes the layers.
        output_stride: 8, 16 or 32: of the deepest features. The stages beyond it are dilated instead of strided.
        alpha: Further width multiplier of the blocks; the stem keeps its 32 and the last convolution its 1280 channels.
            Published weights have 1.
        top: Whether the 1x1 convolution in front of the classifier follows the last stage.
        padding: Of strided convolutions, `"same"` or `"symmetric"`.

    Returns:
        Features by name, `"level1"` (stride 2) to `"level5"` (stride 32 or `output_stride`).

    Raises:
        ValueError: If `output_stride` or `padding` is not one of those named.
    """
    width, depth = SCALES[architecture]
    return mobile_features(
        x,
        factory,
        stages(depth),
        stem_filters=32,
        top_filters=1280 if top else None,
        activation="relu6",
        output_stride=output_stride,
        alpha=alpha * width,
        padding=padding,
    )


@keras.saving.register_keras_serializable(package="keras_segpaint")
class EfficientNetLite(Backbone):
    """EfficientNet-Lite without its classifier: a dictionary of features at strides 2 to 32.

    EfficientNet without squeeze-and-excitation and with ReLU6 for swish, so that it can be quantised.

    Args:
        architecture: `"efficientnet_lite0"` to `"efficientnet_lite4"`, ever wider and deeper. Defaults to
            `"efficientnet_lite0"`.
        output_stride: 8, 16 or 32: of the deepest features. The stages beyond it are dilated. Defaults to `32`.
        alpha: Further width multiplier of the blocks, > 0; the stem keeps its 32 and the last convolution its 1280
            channels. Published weights have 1. Defaults to `1.0`.
        top: Whether `"level5"` is behind the 1x1 convolution in front of the classifier (1280 channels) or in front of
            it (320 in EfficientNet-Lite0). Defaults to `True`.
        padding: Of strided convolutions: `"same"`, as in TensorFlow, where the published weights were trained: even
            sizes are padded at the bottom and right only; or `"symmetric"`, as in PyTorch, for weights that were trained
            there. Defaults to `"same"`.
        normalization: `"batch"`, `"frozen_batch"` or `"group"`. Defaults to `"batch"`.
        weights: `None`, `"imagenet"` (the published ones, as timm keeps them under `tf_efficientnet_lite0` and so on)
            or the path of a weights file. Defaults to `None`.
        input_shape: `(height, width, channels)`; height and width may be `None`. Defaults to `(None, None, 3)`.
        data_format: `"channels_last"`, `"channels_first"` or `None` for Keras's default.
        dtype: Dtype or policy of the layers. `None` for Keras's default.
        name: String, or `None` for that of the architecture. Defaults to `None`.

    Input shape:
        float32 images in [0, 1], `(batch, height, width, channels)`, any height and width >= 1. Images of three
        channels are normalised inside.

    Output shape:
        A dictionary: `"level1"` (stride 2) to `"level5"` (stride 32), of 16, 24, 40, 112 and 1280 channels in
        EfficientNet-Lite0; none coarser than `output_stride`. Odd sizes are rounded up.

    3,371,008 parameters (Lite0), 4,135,680 (Lite1), 4,811,072 (Lite2), 6,916,096 (Lite3), 11,725,568 (Lite4).

    Raises:
        ValueError: If an argument is not one of those named.

    References:
        - [EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks](https://arxiv.org/abs/1905.11946)

    Example:
        >>> import numpy as np
        >>> backbone = EfficientNetLite(output_stride=16, data_format="channels_last")
        >>> tuple(backbone(np.zeros((1, 64, 64, 3), "float32"))["level5"].shape)
        (1, 4, 4, 1280)
    """

    reference_parameters: ClassVar[tuple[tuple[dict[str, Any], int], ...]] = (
        ({"architecture": "efficientnet_lite0"}, 3_371_008),
        ({"architecture": "efficientnet_lite1"}, 4_135_680),
        ({"architecture": "efficientnet_lite2"}, 4_811_072),
        ({"architecture": "efficientnet_lite3"}, 6_916_096),
        ({"architecture": "efficientnet_lite4"}, 11_725_568),
    )

    def __init__(
        self,
        architecture: str = "efficientnet_lite0",
        *,
        output_stride: int = 32,
        alpha: float = 1.0,
        top: bool = True,
        padding: str = "same",
        normalization: str = "batch",
        weights: str | None = None,
        input_shape: tuple[int | None, int | None, int] = (None, None, 3),
        data_format: str | None = None,
        dtype: Any = None,
        name: str | None = None,
    ):
        if architecture not in SCALES:
            raise ValueError(f"`architecture` must be one of {', '.join(SCALES)}. Received: {architecture!r}")
        if alpha <= 0:
            raise ValueError(f"`alpha` must be a number > 0. Received: alpha={alpha!r}")
        super().__init__(
            architecture,
            options=dict(output_stride=output_stride, alpha=alpha, top=top, padding=padding),
            normalization=normalization,
            weights=weights,
            input_shape=input_shape,
            data_format=data_format,
            dtype=dtype,
            name=name or architecture,
        )
