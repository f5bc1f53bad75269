"""AlexNet as a feature extractor, with or without its fully connected layers as convolutions."""

from typing import Any, ClassVar

import keras

from keras_segpaint.backbones.base import Backbone, strides_and_dilations
from keras_segpaint.backbones.vgg import fully_connected
from keras_segpaint.layers import LocalResponseNormalization, SymmetricPadding2D
from keras_segpaint.layers.factory import LayerFactory


def alexnet_features(
    x: Any,
    architecture: str,
    factory: LayerFactory,
    *,
    output_stride: int = 32,
    base_filters: int = 64,
    fully_convolutional: bool = False,
    dropout: float = 0.5,
) -> dict[str, Any]:
    """Builds the trunk on the tensor `x`.

    Args:
        x: Images, normalised.
        architecture: `"alexnet"`.
        factory: Makes the layers.
        output_stride: 8, 16 or 32: of the deepest features. The pools beyond it have stride 1, and the convolutions
            behind them are dilated.
        base_filters: Even; 64 gives the published widths, another number the same part of each.
        fully_convolutional: Whether the fully connected layers follow, as convolutions.
        dropout: Rate behind each of them.

    Returns:
        Features by name: `"conv1"` (stride 4), `"conv2"` (stride 8), `"conv5"` (stride 16) and `"pool5"` (stride 32),
        also as `"level2"` to `"level5"`, and `"fc6"` and `"fc7"`.

    Raises:
        ValueError: If an argument is not one of those named.
    """
    if base_filters < 2 or base_filters % 2:
        raise ValueError(f"`base_filters` must be an even integer >= 2. Received: base_filters={base_filters}")
    settings: dict[str, Any] = dict(data_format=factory.data_format, dtype=factory.dtype)

    def conv(x: Any, filters: int, kernel_size: int, name: str, **kwargs: Any) -> Any:
        x = factory.conv(filters * base_filters // 64, kernel_size, name=name, **kwargs)(x)
        return factory.relu(name=f"{name}_relu")(x)

    def pool(x: Any, strides: int, name: str) -> Any:
        x = SymmetricPadding2D(3, value=float("-inf"), name=f"{name}_pad", **settings)(x)
        return factory.max_pool(3, strides=strides, name=name)(x)

    def norm(x: Any, name: str) -> Any:
        return LocalResponseNormalization(name=name, **settings)(x)

    (stride1, rate1), (stride2, rate2), (stride5, rate5) = strides_and_dilations((2, 2, 2), 4, output_stride)
    features = {}
    x = SymmetricPadding2D(11, name="conv1_pad", **settings)(x)
    x = features["conv1"] = features["level2"] = conv(x, 96, 11, "conv1", strides=4, padding="valid")
    x = norm(pool(x, stride1, "pool1"), "norm1")
    x = features["conv2"] = features["level3"] = conv(x, 256, 5, "conv2", groups=2, dilation_rate=rate1)
    x = norm(pool(x, stride2, "pool2"), "norm2")
    x = conv(x, 384, 3, "conv3", dilation_rate=rate2)
    x = conv(x, 384, 3, "conv4", groups=2, dilation_rate=rate2)
    x = features["conv5"] = features["level4"] = conv(x, 256, 3, "conv5", groups=2, dilation_rate=rate2)
    x = features["pool5"] = features["level5"] = pool(x, stride5, "pool5")
    if fully_convolutional:
        filters = 64 * base_filters
        features.update(
            fully_connected(x, factory, filters=filters, kernel_size=6, dilation_rate=rate5, dropout=dropout)
        )
    return features


@keras.saving.register_keras_serializable(package="keras_segpaint")
class AlexNet(Backbone):
    """AlexNet without its classifier: a dictionary of features at strides 4 to 32.

    The single-column network that Caffe published, normalisation behind the pools. Every convolution and pool is padded
    so that it rounds sizes up.

    Args:
        architecture: `"alexnet"`.
        output_stride: 8, 16 or 32: of the deepest features. The pools beyond it have stride 1, and the convolutions
            behind them are dilated. Defaults to `32`.
        fully_convolutional: Whether the first two fully connected layers follow, as convolutions of 6x6 and 1x1, with
            dropout behind each. Defaults to `False`.
        base_filters: Even integer; `64` gives the published widths of 96 to 384, another number the same part of each.
            Defaults to `64`.
        weights: `None`, `"imagenet"` or the path of a weights file. Defaults to `None`.
        input_shape: `(height, width, channels)`; height and width may be `None`. Defaults to `(None, None, 3)`.
        data_format: `"channels_last"`, `"channels_first"` or `None` for Keras's default.
        dtype: Dtype or policy of the layers. `None` for Keras's default.
        name: String. Defaults to `"alexnet"`.

    Input shape:
        float32 images in [0, 1], `(batch, height, width, channels)`, any height and width >= 1. Images of three
        channels are normalised inside.

    Output shape:
        A dictionary: `"conv1"` (stride 4), `"conv2"` (stride 8), `"conv5"` (stride 16) and `"pool5"` (stride 32), also
        as `"level2"` to `"level5"`; `"fc6"` and `"fc7"`, if asked for. None is coarser than `output_stride`.

    2,334,080 parameters, 56,868,224 with the fully connected layers.

    Raises:
        ValueError: If an argument is not one of those named.

    References:
        - [ImageNet Classification with Deep Convolutional Networks](https://doi.org/10.1145/3065386)

    Example:
        >>> import numpy as np
        >>> features = AlexNet(base_filters=4, data_format="channels_last")(np.zeros((1, 64, 64, 3), "float32"))
        >>> tuple(features["level5"].shape)
        (1, 2, 2, 16)
    """

    reference_parameters: ClassVar[tuple[tuple[dict[str, Any], int], ...]] = (
        ({}, 2_334_080),
        ({"fully_convolutional": True}, 56_868_224),
    )

    def __init__(
        self,
        architecture: str = "alexnet",
        *,
        output_stride: int = 32,
        fully_convolutional: bool = False,
        base_filters: int = 64,
        weights: str | None = None,
        input_shape: tuple[int | None, int | None, int] = (None, None, 3),
        data_format: str | None = None,
        dtype: Any = None,
        name: str = "alexnet",
    ):
        if architecture != "alexnet":
            raise ValueError(f'`architecture` must be "alexnet". Received: architecture={architecture!r}')
        super().__init__(
            architecture,
            options=dict(
                output_stride=output_stride, fully_convolutional=fully_convolutional, base_filters=base_filters
            ),
            normalization="batch",
            weights=weights,
            input_shape=input_shape,
            data_format=data_format,
            dtype=dtype,
            name=name,
        )

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        del config["normalization"]  # local response normalisation alone
        return config
