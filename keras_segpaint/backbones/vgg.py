"""VGG-16 and VGG-19 as feature extractors, with or without their fully connected layers as convolutions."""

from typing import Any, ClassVar

import keras
from keras import layers

from keras_segpaint.backbones.base import Backbone, strides_and_dilations
from keras_segpaint.layers import SymmetricPadding2D
from keras_segpaint.layers.factory import LayerFactory

DEPTHS = {"vgg16": (2, 2, 3, 3, 3), "vgg16_bn": (2, 2, 3, 3, 3), "vgg19": (2, 2, 4, 4, 4)}
WIDTHS = (1, 2, 4, 8, 8)


def vgg_features(
    x: Any,
    architecture: str,
    factory: LayerFactory,
    *,
    output_stride: int = 32,
    base_filters: int = 64,
    padding: str = "same",
    image_padding: int | None = None,
    pool_size: int = 2,
    dilated_pools: bool = True,
    pool_dropout: float = 0.0,
    average_pool: bool = False,
    fully_convolutional: bool = False,
    fc_filters: int | None = None,
    fc_kernel_size: int = 7,
    fc_dilation_rate: int | None = None,
    fc_padding: str | None = None,
    dropout: float = 0.5,
) -> dict[str, Any]:
    """Builds the trunk on the tensor `x`.

    Args:
        x: Images, normalised.
        architecture: `"vgg16"`, `"vgg16_bn"`, with normalisation between each 3x3 convolution and its rectifier, or
            `"vgg19"`.
        factory: Makes the layers.
        output_stride: 8, 16 or 32: of the deepest features. The pools beyond it have stride 1, and the convolutions
            behind them are dilated.
        base_filters: Width of the first block.
        padding: `"same"`, or `"valid"` for convolutions that shrink the map.
        image_padding: Zeros around the image in front of the first convolution, in place of its padding (FCN's 100).
        pool_size: 2, or 3 for overlapping pools (DeepLab).
        dilated_pools: Whether the pools beyond `output_stride` stay, with stride 1 (DeepLab), or go (Yu and Koltun).
        pool_dropout: Rate of the dropout behind the third, fourth and fifth pool.
        average_pool: Whether a 3x3 average of stride 1 follows the last pool (DeepLab).
        fully_convolutional: Whether the fully connected layers follow, as convolutions.
        fc_filters: Their width; `None` for that of VGG, 64 times `base_filters`.
        fc_kernel_size: Kernel of the first of them.
        fc_dilation_rate: Dilation rate of the first of them; `None` for the one that `output_stride` asks for.
        fc_padding: Padding of the first of them; `None` for `padding`.
        dropout: Rate behind each of them.

    Returns:
        Features by name: `"conv1"` to `"conv5"` (strides 1, 2, 4, 8, 16), `"pool1"` to `"pool5"` (strides 2 to 32;
        none coarser than `output_stride`), the latter also as `"level1"` to `"level5"`, `"fc6"` and `"fc7"`, and
        `"image"`, the normalised image.

    Raises:
        ValueError: If an argument is not one of those named.
    """
    if architecture not in DEPTHS:
        raise ValueError(f"`architecture` must be one of {tuple(DEPTHS)}. Received: architecture={architecture!r}")
    if padding not in ("same", "valid"):
        raise ValueError(f'`padding` must be "same" or "valid". Received: padding={padding!r}')
    if pool_size not in (2, 3):
        raise ValueError(f"`pool_size` must be 2 or 3. Received: pool_size={pool_size!r}")
    settings: dict[str, Any] = dict(data_format=factory.data_format, dtype=factory.dtype)

    def pool(x: Any, strides: int, name: str) -> Any:
        if pool_size == 3 and strides == 2:
            x = SymmetricPadding2D(3, value=float("-inf"), name=f"{name}_pad", **settings)(x)
            return factory.max_pool(3, strides=2, name=name)(x)
        # Of size 2 and stride 2, "same" rounds odd sizes up, as Caffe does.
        return factory.max_pool(pool_size, strides=strides, padding="same", name=name)(x)

    features = {"image": x}
    plan = strides_and_dilations((2,) * 5, 1, output_stride)
    dilation = 1
    for block, (depth, width) in enumerate(zip(DEPTHS[architecture], WIDTHS, strict=True), start=1):
        for index in range(1, depth + 1):
            name = f"conv{block}_{index}"
            first = name == "conv1_1" and image_padding is not None
            if first:
                x = layers.ZeroPadding2D(image_padding, name="image_pad", **settings)(x)
            x = factory.conv(
                width * base_filters, 3, padding="valid" if first else padding, dilation_rate=dilation, name=name
            )(x)
            if architecture == "vgg16_bn":
                x = factory.norm(x, f"{name}_bn")
            x = factory.relu(name=f"{name}_relu")(x)
        features[f"conv{block}"] = x
        strides, dilation = plan[block - 1]
        if strides == 2 or dilated_pools:
            x = pool(x, strides, f"pool{block}")
        if block >= 3 and pool_dropout:
            x = layers.Dropout(pool_dropout, dtype=factory.dtype, name=f"pool{block}_dropout")(x)
        features[f"pool{block}"] = features[f"level{block}"] = x
    if average_pool:
        # Zeros count in the average, as in Caffe.
        x = SymmetricPadding2D(3, name="average_pool_pad", **settings)(x)
        x = layers.AveragePooling2D(3, strides=1, name="average_pool", **settings)(x)
        features["pool5"] = features["level5"] = x
    if fully_convolutional:
        features.update(
            fully_connected(
                x,
                factory,
                filters=64 * base_filters if fc_filters is None else fc_filters,
                kernel_size=fc_kernel_size,
                dilation_rate=dilation if fc_dilation_rate is None else fc_dilation_rate,
                padding=fc_padding or padding,
                dropout=dropout,
            )
        )
    return features


def fully_connected(
    x: Any,
    factory: LayerFactory,
    *,
    filters: int,
    kernel_size: int,
    dilation_rate: int = 1,
    padding: str = "same",
    dropout: float = 0.5,
    suffix: str = "",
) -> dict[str, Any]:
    """Fully connected layers of a classification network as convolutions, `"fc6"` and `"fc7"`, each with dropout."""
    features = {}
    for stage, extent, rate in (("fc6", kernel_size, dilation_rate), ("fc7", 1, 1)):
        name = f"{stage}{suffix}"
        x = factory.conv(filters, extent, dilation_rate=rate, padding=padding, name=name)(x)
        x = factory.relu(name=f"{name}_relu")(x)
        if dropout:
            x = layers.Dropout(dropout, dtype=factory.dtype, name=f"{name}_dropout")(x)
        features[stage] = x
    return features


@keras.saving.register_keras_serializable(package="keras_segpaint")
class VGG16(Backbone):
    """VGG-16 without its classifier: a dictionary of features at strides 1 to 32.

    Args:
        architecture: `"vgg16"` or `"vgg16_bn"`, with batch normalisation. Convolutions have biases in both. Defaults to
            `"vgg16"`.
        output_stride: 8, 16 or 32: of the deepest features. The pools beyond it have stride 1, and the convolutions
            behind them are dilated. Defaults to `32`.
        fully_convolutional: Whether the first two fully connected layers follow, as convolutions of 7x7 and 1x1, with
            dropout behind each. Defaults to `False`.
        fc_kernel_size: Kernel of the first of them. Defaults to `7`.
        base_filters: Width of the first block. Defaults to `64`.
        normalization: `"batch"`, `"frozen_batch"` or `"group"`, for `"vgg16_bn"`. Defaults to `"batch"`.
        weights: `None`, `"imagenet"` or the path of a weights file. Defaults to `None`.
        input_shape: `(height, width, channels)`; height and width may be `None`. Defaults to `(None, None, 3)`.
        data_format: `"channels_last"`, `"channels_first"` or `None` for Keras's default.
        dtype: Dtype or policy of the layers. `None` for Keras's default.
        name: String. Defaults to `"vgg16"`.

    Input shape:
        float32 images in [0, 1], `(batch, height, width, channels)`, any height and width >= 1. Images of three
        channels are normalised inside.

    Output shape:
        A dictionary: `"conv1"` to `"conv5"` (strides 1, 2, 4, 8 and 16, the last activation of each block), `"pool1"`
        to `"pool5"` (strides 2 to 32), the latter also as `"level1"` to `"level5"`; `"fc6"` and `"fc7"`, if asked for,
        at the stride of `"pool5"`; `"image"`, the normalised image. None is coarser than `output_stride`. Odd sizes are
        rounded up.

    14,714,688 parameters, 14,723,136 with batch normalisation, 134,260,544 with the fully connected layers.

    Raises:
        ValueError: If an argument is not one of those named.

    References:
        - [Very Deep Convolutional Networks for Large-Scale Image Recognition](https://arxiv.org/abs/1409.1556)

    Example:
        >>> import numpy as np
        >>> features = VGG16(base_filters=4, data_format="channels_last")(np.zeros((1, 64, 64, 3), "float32"))
        >>> tuple(features["level5"].shape)
        (1, 2, 2, 32)
    """

    architectures: ClassVar[tuple[str, ...]] = ("vgg16", "vgg16_bn")
    reference_parameters: ClassVar[tuple[tuple[dict[str, Any], int], ...]] = (
        ({"architecture": "vgg16"}, 14_714_688),
        ({"architecture": "vgg16_bn"}, 14_723_136),
        ({"architecture": "vgg16", "fully_convolutional": True}, 134_260_544),
    )

    def __init__(
        self,
        architecture: str = "vgg16",
        *,
        output_stride: int = 32,
        fully_convolutional: bool = False,
        fc_kernel_size: int = 7,
        base_filters: int = 64,
        normalization: str = "batch",
        weights: str | None = None,
        input_shape: tuple[int | None, int | None, int] = (None, None, 3),
        data_format: str | None = None,
        dtype: Any = None,
        name: str = "vgg16",
    ):
        if architecture not in self.architectures:
            raise ValueError(
                f"`architecture` must be one of {self.architectures}. Received: architecture={architecture!r}"
            )
        super().__init__(
            architecture,
            options=dict(
                output_stride=output_stride,
                fully_convolutional=fully_convolutional,
                fc_kernel_size=fc_kernel_size,
                base_filters=base_filters,
            ),
            normalization=normalization,
            weights=weights,
            input_shape=input_shape,
            data_format=data_format,
            dtype=dtype,
            name=name,
        )


@keras.saving.register_keras_serializable(package="keras_segpaint")
class VGG19(VGG16):
    """VGG-19 without its classifier: `VGG16` with four convolutions in each of the last three blocks.

    Args:
        architecture: `"vgg19"`, the only one.
        name: String. Defaults to `"vgg19"`.
        **kwargs: As in `VGG16`; there is no normalisation.

    20,024,384 parameters, 139,570,240 with the fully connected layers.

    Raises:
        ValueError: If an argument is not one of those named.

    References:
        - [Very Deep Convolutional Networks for Large-Scale Image Recognition](https://arxiv.org/abs/1409.1556)

    Example:
        >>> import numpy as np
        >>> features = VGG19(base_filters=4, data_format="channels_last")(np.zeros((1, 64, 64, 3), "float32"))
        >>> tuple(features["level4"].shape)
        (1, 4, 4, 32)
    """

    architectures: ClassVar[tuple[str, ...]] = ("vgg19",)
    reference_parameters: ClassVar[tuple[tuple[dict[str, Any], int], ...]] = (({}, 20_024_384),)

    def __init__(self, architecture: str = "vgg19", *, name: str = "vgg19", **kwargs: Any):
        super().__init__(architecture, name=name, **kwargs)
