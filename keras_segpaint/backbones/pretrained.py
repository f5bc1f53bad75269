"""Published weights for the backbones."""

from typing import Any

import keras
import numpy as np

from keras_segpaint.backbones.image_source import ImageSource, open_source
from keras_segpaint.backbones.layouts import STEMS, TRUNK, UnknownLayerError
from keras_segpaint.backbones.weight_files import Arrays

__all__ = ["adapt_stem", "load_backbone_weights"]


def load_backbone_weights(model: keras.Model, backbone: str, weights: str) -> None:
    """Gives the layers of a backbone within `model` their published weights.

    Nothing is changed if anything does not fit. Differences of convention are folded into the weights: the bias of a
    convolution and another epsilon into the batch normalisation behind it; another normalisation of the images and the
    order of their channels into the first convolution. The network then computes what the published one does, but for
    the border of the image where the images were normalised otherwise: zeros of padding then stand for a slightly
    different grey. (Networks of Keras also pad even sizes at one side only; here they see the image moved by less than
    their stride, but for EfficientNet-Lite, which pads as the published one does.)

    The fully connected layers of VGG-16 get theirs where the file has them and the model has them at their published
    size; elsewhere they keep what they have.

    Images of other than three channels: one channel gets the sum of the kernels of red, green and blue; of `n` channels
    the `i`-th gets the kernel of colour `i % 3`, times `3 / n`. Such images are not normalised by the model, so the
    normalisation is folded in, too: a grey image of one channel gives what it gives as three equal ones.

    Args:
        model: A backbone, or a model that contains one.
        backbone: Name of its architecture.
        weights: `"imagenet"`, downloaded once into Keras's cache, or the path of a file: `.keras` or `.weights.h5` of a
            model of this package with that backbone; `.h5` of `keras.applications`; `.pth`, `.pt` or `.safetensors` with
            a state dictionary of torchvision (timm for Xception; timm or `efficientnet-lite-pytorch` for EfficientNet-Lite,
            timm's `tf_efficientnet_lite0` with `padding="same"`, its `efficientnet_lite0` with `padding="symmetric"`).
            Reading `.pth` needs PyTorch, `.safetensors` the package of that name.

    Raises:
        ValueError: If the file does not fit the backbone.
        FileNotFoundError: If there is no such file.
        ImportError: If a package that reads it is not installed.
        OSError: If a download fails; the message says what to do.
    """
    trunk = {layer.name: layer for layer in model.layers if TRUNK.fullmatch(layer.name) and layer.weights}
    if not any(name in trunk for name in STEMS):
        raise ValueError(f"Model {model.name!r} has no backbone to load weights into.")
    source = open_source(trunk, backbone, weights)
    _drop_other_fully_connected(trunk, source)
    layers = {name: _values_of(layer, source, weights) for name, layer in trunk.items()}
    for name, values in layers.items():
        batch_norm = _behind(name, layers)
        if "bias" in values and batch_norm is not None and not trunk[name].use_bias:
            batch_norm["moving_mean"] = batch_norm["moving_mean"] - values.pop("bias")
    stem = next(name for name in STEMS if name in trunk)
    adapt_stem(model, trunk[stem], layers[stem], _behind(stem, layers), source)
    pairs = []
    for name, values in layers.items():
        if source.epsilon is not None and "moving_variance" in values:
            values["moving_variance"] = values["moving_variance"] + (source.epsilon - trunk[name].epsilon)
        for variable in trunk[name].weights:
            value = values.get(variable.name)
            if value is None or tuple(value.shape) != tuple(variable.shape):
                has = "none" if value is None else f"one of shape {tuple(value.shape)}"
                raise ValueError(
                    f"weights={weights!r} does not fit backbone={backbone!r}: layer {name!r} needs a {variable.name} of "
                    f"shape {tuple(variable.shape)}, the file has {has}."
                )
            pairs.append((variable, value))
    for variable, value in pairs:
        variable.assign(value)


def _drop_other_fully_connected(trunk: dict[str, Any], source: ImageSource) -> None:
    """Leaves out fully connected layers that the source has not, or of another size."""
    for name in ("fc6", "fc7"):
        if name in trunk:
            values = source.values(trunk[name])
            if values is None or values["kernel"].shape != tuple(trunk[name].kernel.shape):
                del trunk[name]


def _values_of(layer: Any, source: ImageSource, weights: str) -> Arrays:
    try:
        values = source.values(layer)
    except UnknownLayerError as error:
        raise ValueError(f"weights={weights!r} cannot be loaded: {error}.") from error
    if values is None:
        raise ValueError(f"weights={weights!r} has nothing for layer {layer.name!r}.")
    if isinstance(layer, keras.layers.DepthwiseConv2D) and values["kernel"].shape[2] == 1:
        # (height, width, 1, channels) of PyTorch.
        values["kernel"] = values["kernel"].transpose(0, 1, 3, 2)
    return values


def _behind(name: str, layers: dict[str, Arrays]) -> Arrays | None:
    """The weights of the batch normalisation behind a convolution."""
    values = layers.get(f"{name.removesuffix('_conv')}_bn")
    return values if values is not None and not name.endswith("_bn") and "moving_mean" in values else None


def adapt_stem(model: keras.Model, layer: Any, values: Arrays, batch_norm: Arrays | None, source: ImageSource) -> None:
    """Fits the first convolution to the channels and the normalisation of the model's images."""
    kernel, mean, deviation = values["kernel"], np.array(source.mean), np.array(source.deviation)
    channels = layer.kernel.shape[2]
    if kernel.shape[2] != len(mean) or (channels != kernel.shape[2] != 3):
        return
    if source.reversed_channels:
        kernel, mean, deviation = kernel[:, :, ::-1], mean[::-1], deviation[::-1]
    ours_mean, ours_deviation = np.zeros(channels), np.ones(channels)
    if "normalize" in (layer.name for layer in model.layers):
        normalization = model.get_layer("normalize")
        ours_mean = np.ravel(normalization.input_mean)
        ours_deviation = np.sqrt(np.ravel(normalization.input_variance))
    if channels == kernel.shape[2] and np.allclose(mean, ours_mean) and np.allclose(deviation, ours_deviation):
        values["kernel"] = np.ascontiguousarray(kernel)
        return
    if channels == 1 and kernel.shape[2] == 3:
        bias = -np.sum(kernel * (mean / deviation)[:, None], axis=(0, 1, 2))
        kernel = np.sum(kernel / deviation[:, None], axis=2, keepdims=True)
    else:
        if channels != kernel.shape[2]:
            cycle = np.arange(channels) % 3
            kernel, mean, deviation = kernel[:, :, cycle] * (3 / channels), mean[cycle], deviation[cycle]
        bias = np.sum(kernel * ((ours_mean - mean) / deviation)[:, None], axis=(0, 1, 2))
        kernel = kernel * (ours_deviation / deviation)[:, None]
    values["kernel"] = kernel.astype("float32")
    if batch_norm is not None:
        batch_norm["moving_mean"] = (batch_norm["moving_mean"] - bias).astype("float32")
    elif "bias" in values:
        values["bias"] = (values["bias"] + bias).astype("float32")
