"""The feature network of the perceptual losses."""

from collections.abc import Sequence
from typing import Any, Literal

import keras
from keras import layers, ops

POOLS = ("block1_pool", "block2_pool", "block3_pool")

# What ImageNet networks subtract and divide by, for RGB in [0, 1].
_TORCH_MEAN, _TORCH_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
_CAFFE_MEAN = (103.939, 116.779, 123.68)
# The mean of the deviations above, in 8 bits: by so much larger are the inputs that are not divided by them.
CAFFE_SCALE = 57.63


def feature_network(
    network: keras.Model,
    layer_names: Sequence[str] = POOLS,
    preprocessing: Literal["caffe", "torch", "normalized", "none"] = "caffe",
    data_format: str | None = None,
) -> keras.Model:
    """Makes a network of ImageNet into one that gives features of RGB images in [0, 1].

    The layers are shared with `network` and no longer trainable. The weights of the perceptual and style terms in the
    papers are made for networks whose inputs have unit deviation. Features of `"caffe"` networks, whose inputs are 57.63
    times as large, are divided by that; undivided, Gram matrices would weigh three thousand times as much.

    Args:
        network: A functional model with one image as input, such as `keras.applications.VGG16(include_top=False)`.
        layer_names: The layers whose outputs are the features. Defaults to the first three pools of VGG16.
        preprocessing: What the weights expect: `"caffe"` (BGR, 0 to 255, mean subtracted: VGG16 of keras.applications),
            `"torch"` (RGB, mean and standard deviation of ImageNet: torchvision), `"none"` (images as they are),
            `"normalized"` (for a network that normalises inside, as this package's backbones: undone beforehand, so that
            images count as normalised already; as SPADE takes images in [-1, 1]). Defaults to `"caffe"`.
        data_format: That of `network`; `None` for Keras's default.

    Returns:
        A `keras.Model` from images `(batch, height, width, 3)` to a list of feature maps.

    Raises:
        ValueError: If a layer does not exist, or `preprocessing` is none of those named.

    Example:
        >>> image = keras.Input((None, None, 3))
        >>> pool = keras.layers.MaxPooling2D(name="pool")(keras.layers.Conv2D(4, 3, padding="same")(image))
        >>> network = feature_network(keras.Model(image, pool), ["pool"], "torch")
        >>> len(network.outputs), network.trainable_weights
        (1, [])
    """
    if preprocessing not in ("caffe", "torch", "normalized", "none"):
        raise ValueError(
            '`preprocessing` must be "caffe", "caffe_unscaled", "torch" or "none". '
            f"Received: preprocessing={preprocessing!r}"
        )
    if data_format is None:
        data_format = keras.config.image_data_format()
    trunk = keras.Model(network.inputs[0], [network.get_layer(name).output for name in layer_names])
    trunk.trainable = False
    inputs = keras.Input(network.inputs[0].shape[1:], name="image")
    outputs = trunk(_normalized(inputs, preprocessing, data_format))
    if preprocessing == "caffe":
        outputs = [layers.Rescaling(1 / CAFFE_SCALE)(output) for output in _listed(outputs)]
    return keras.Model(inputs, outputs, name="features")


def as_list(outputs: Any) -> list[Any]:
    """The outputs of a feature network, one or several, in float32."""
    return [ops.cast(output, "float32") for output in _listed(outputs)]


def _listed(outputs: Any) -> list[Any]:
    return list(outputs) if isinstance(outputs, list | tuple) else [outputs]


def _normalized(images: Any, preprocessing: str, data_format: str) -> Any:
    def per_channel(values: Sequence[float]) -> Any:
        return list(values) if data_format == "channels_last" else [[[value]] for value in values]

    if preprocessing == "none":
        return images
    if preprocessing == "torch":
        offset = [-mean / std for mean, std in zip(_TORCH_MEAN, _TORCH_STD, strict=True)]
        return layers.Rescaling(per_channel([1 / std for std in _TORCH_STD]), per_channel(offset))(images)
    if preprocessing == "normalized":
        return layers.Rescaling(per_channel(_TORCH_STD), per_channel(_TORCH_MEAN))(images)
    bgr = ops.flip(images, axis=-1 if data_format == "channels_last" else 1)
    return layers.Rescaling(255.0, per_channel([-mean for mean in _CAFFE_MEAN]))(bgr)
