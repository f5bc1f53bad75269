"""The fixed encoder of style transfer: VGG up to its fourth block, and where its weights come from."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np

from keras_segpaint.backbones.layouts import application_layer, torch_module
from keras_segpaint.backbones.vgg import DEPTHS, WIDTHS
from keras_segpaint.backbones.weight_files import Arrays, read_application, read_own, read_torch, torch_values
from keras_segpaint.layers import IdentityInitializer, ReflectionPadding2D
from keras_segpaint.layers.factory import LayerFactory
from keras_segpaint.ops.spatial import spatial_axes

BACKBONES = ("vgg19", "vgg16")
BLOCKS = 4
COLOURS = "colours"

# By how much larger the inputs of a network of Caffe are than those of one whose images have deviation 1.
_CAFFE_SCALE = 57.63
# How RGB in [0, 1] becomes what a network was trained on: kernel (input, output channel) and bias of a 1x1 convolution,
# and by what all biases behind it are divided. Caffe's is blue, green, red in [0, 255] less the mean.
_PREPROCESSING: dict[str, tuple[np.ndarray, np.ndarray, float]] = {
    "caffe": (
        np.eye(3)[::-1] * (255 / _CAFFE_SCALE),
        -np.array([103.939, 116.779, 123.68]) / _CAFFE_SCALE,
        _CAFFE_SCALE,
    ),
    "torch": (
        np.diag(1 / np.array([0.229, 0.224, 0.225])),
        -np.array([0.485, 0.456, 0.406]) / np.array([0.229, 0.224, 0.225]),
        1.0,
    ),
    "none": (np.eye(3), np.zeros(3), 1.0),
}

Source = tuple[Callable[[str], Arrays | None], tuple[np.ndarray, np.ndarray, float]]


def style_encoder(backbone: str, base_filters: int, build: LayerFactory) -> keras.Model:
    """VGG up to its fourth block's first rectifier, with reflection padding behind a 1x1 convolution of the colours.

    Args:
        backbone: `"vgg19"` or `"vgg16"`.
        base_filters: Width of the first block.
        build: Makes the layers.

    Returns:
        A model, not trainable, from images in [0, 1] to the features behind the first convolution of each block. Odd
        sizes are rounded up.
    """
    settings: dict[str, Any] = dict(data_format=build.data_format, dtype=build.dtype)
    shape = (None, None, 3) if build.data_format == "channels_last" else (3, None, None)
    image = keras.Input(shape, dtype="float32", name="image")
    x = build.conv(3, 1, kernel_initializer=IdentityInitializer(stddev=0.0), name=COLOURS)(image)
    outputs = []
    for block in range(1, BLOCKS + 1):
        for index in range(1, DEPTHS[backbone][block - 1] + 1):
            name = f"conv{block}_{index}"
            x = ReflectionPadding2D(1, name=f"{name}_pad", **settings)(x)
            x = build.conv(WIDTHS[block - 1] * base_filters, 3, padding="valid", name=name)(x)
            x = build.relu(name=f"{name}_relu")(x)
            if index == 1:
                outputs.append(x)
            if (block, index) == (BLOCKS, 1):
                break
        else:
            x = build.max_pool(2, strides=2, padding="same", name=f"pool{block}")(x)
    encoder = keras.Model(image, outputs, name="encoder")
    encoder.trainable = False
    return encoder


def load_encoder_weights(encoder: keras.Model, backbone: str, source: Any, preprocessing: str | None = None) -> None:
    """Gives the encoder the weights of a trained network; nothing is changed if anything does not fit.

    Args:
        encoder: As `style_encoder` makes it.
        backbone: Its backbone.
        source: As in `StyleTransfer.load_encoder`.
        preprocessing: As in `StyleTransfer.load_encoder`.

    Raises:
        ValueError: If something does not fit.
        FileNotFoundError: If there is no such file.
    """
    if preprocessing is not None and preprocessing not in _PREPROCESSING:
        raise ValueError(
            f"`preprocessing` must be one of {tuple(_PREPROCESSING)} or None. Received: {preprocessing=!r}"
        )
    if isinstance(source, keras.Model):
        values_of, colours = _of_network(source, backbone), _PREPROCESSING["caffe"]
    else:
        values_of, colours = _of_file(encoder, backbone, source)
    if preprocessing is not None:
        colours = _PREPROCESSING[preprocessing]
    kernel, bias, scale = colours
    pairs = [(encoder.get_layer(COLOURS), kernel[None, None], bias)]
    for layer in convolutions(encoder)[1:]:
        values = values_of(layer.name)
        if values is None or values["kernel"].shape != tuple(layer.kernel.shape):
            has = "none" if values is None else f"one of shape {values['kernel'].shape}"
            raise ValueError(
                f"weights={_name(source)} does not fit backbone={backbone!r}: {layer.name!r} needs a kernel of shape "
                f"{tuple(layer.kernel.shape)}, it has {has}."
            )
        pairs.append((layer, values["kernel"], values["bias"] / scale))
    for layer, kernel, bias in pairs:
        layer.set_weights([np.asarray(kernel, "float32"), np.asarray(bias, "float32")])


def normalize_activations(encoder: keras.Model, images: np.ndarray, data_format: str, batch_size: int = 4) -> None:
    """Scales the filters so that the mean of each one's activation over all images and positions is 1.

    What a layer's filters are scaled by, the next layer's kernels are divided by: the network stays the same but for the
    size of its features. Filters that are hardly ever active, at less than a tenth of their layer's mean, are scaled as if
    they were at that: the losses would be theirs alone.
    """
    layers = convolutions(encoder)[1:]
    network = keras.Model(encoder.inputs[0], [encoder.get_layer(f"{layer.name}_relu").output for layer in layers])
    axes = (0, *spatial_axes(data_format))
    total = [np.zeros(layer.kernel.shape[-1]) for layer in layers]
    for start in range(0, len(images), batch_size):
        part = images[start : start + batch_size]
        for index, activations in enumerate(network.predict_on_batch(part)):
            total[index] += np.mean(np.asarray(activations, "float32"), axis=axes, dtype="float64") * len(part)
    before = np.ones(3)
    for layer, means in zip(layers, total, strict=True):
        means = means / len(images)
        after = np.maximum(means, 0.1 * means.mean() if means.any() else 1.0)
        kernel, bias = layer.get_weights()
        layer.set_weights([kernel * before[:, None] / after, bias / after])
        before = after


def convolutions(network: keras.Model) -> list[Any]:
    """The convolutions of an encoder or a decoder, in their order."""
    return [layer for layer in network.layers if isinstance(layer, keras.layers.Conv2D)]


def _of_network(network: keras.Model, backbone: str) -> Callable[[str], Arrays | None]:
    names = {layer.name for layer in network.layers}

    def values(name: str) -> Arrays | None:
        theirs = next((known for known in (name, application_layer(backbone, name)) if known in names), None)
        if theirs is None:
            return None
        kernel, bias = network.get_layer(theirs).get_weights()
        return {"kernel": kernel, "bias": bias}

    return values


def _of_file(encoder: keras.Model, backbone: str, source: Any) -> Source:
    path = Path(source)
    if source != "imagenet" and not path.is_file():
        raise FileNotFoundError(
            f'`weights` must be None, "imagenet", the path of a file, or a Keras network. Received: weights={source!r}, '
            "and there is no such file."
        )
    if source == "imagenet" or (path.suffix in (".h5", ".hdf5") and not path.name.endswith(".weights.h5")):
        arrays = read_application(backbone, 1.0, None if source == "imagenet" else path)
        return lambda name: arrays.get(application_layer(backbone, name)), _PREPROCESSING["caffe"]
    if path.suffix == ".keras" or path.name.endswith(".weights.h5"):
        found = read_own(path)

        def own(name: str) -> Arrays | None:
            return dict(zip(("kernel", "bias"), found[name], strict=False)) if name in found else None

        colours = own(COLOURS)
        if colours is None:
            return own, _PREPROCESSING["torch"]
        return own, (colours["kernel"][0, 0], colours["bias"], 1.0)
    if path.suffix not in (".pth", ".pt", ".safetensors"):
        raise ValueError(
            "The file must be `.keras`, `.weights.h5`, `.h5`, `.pth`, `.pt` or `.safetensors`. "
            f"Received: weights={source!r}"
        )
    state = read_torch(path)
    return lambda name: torch_values(state, torch_module(backbone, name)), _PREPROCESSING["torch"]


def _name(source: Any) -> str:
    return repr(source.name if isinstance(source, keras.Model) else str(source))
