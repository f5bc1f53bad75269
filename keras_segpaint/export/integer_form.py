"""A model in the operators that 8-bit integers compute fast and right."""

from typing import Any

import keras
import numpy as np
from keras import layers, ops

from keras_segpaint.layers import MaxPoolingWithArgmax2D, MaxUnpooling2D, SymmetricPadding2D

__all__ = ["integer_form"]

# A step of a comparison's range, 1/255 of it, times this factor is what a mask saturates at 128 times over. XNNPACK
# takes products that are up to 256 times as large as their result.
_STEPS = 128 * 6 * 255


def integer_form(model: keras.Model, images: np.ndarray) -> keras.Model:
    """A functional model of the images' size with the same weights and results, written for quantisation.

    - PReLU becomes the larger of `x` and `slope * x`, where no slope is above 1: the operator itself has no fast kernel of
      integers.
    - Pooling with positions and unpooling, of cells of 2x2, compare and choose by differences and products: comparisons,
      choices and strided slices have no fast kernel either. Differences of integers of one scale are exact, so each value
      still goes to the place of the first maximum.
    - Normalisation of concatenated maps becomes one of each before they are concatenated: all of them take one scale, and so
      does what a map was pooled from. Of an image in [0, 1] beside features in [-10, 10] thirteen steps would be left.
    - Padding with minus infinity in front of a maximum, which would be the scale of a whole tensor, becomes padding with the
      least value that occurs.

    Args:
        model: Float32, one input; other layers than these stay.
        images: Calibration images, float32 in [0, 1], from which ranges are taken.

    Returns:
        The model for the converter.
    """
    own = _layers(model)
    pools = _replaceable_pools(model, own)
    pads = [layer for layer in own if isinstance(layer, SymmetricPadding2D) and layer.value == -np.inf]
    measured = _measure(model, [_least(pad.input) for pad in pads] + [_widest(pool.input) for pool in pools], images)
    replaced: dict[int, layers.Layer] = {}
    for pad, values in zip(pads, measured, strict=False):
        # Zero, where that is low enough, is what plain padding takes.
        config = {**pad.get_config(), "value": min(float(values.min()), 0.0)}
        replaced[id(pad)] = SymmetricPadding2D.from_config(config)
    for pool, values in zip(pools, measured[len(pads) :], strict=True):
        gain = _STEPS / max(float(values.max()), 1e-6)
        replaced[id(pool)] = _MaskedPooling(gain, pool.padding == "same", name=pool.name)
    if pools:
        replaced.update(
            {id(layer): _MaskedUnpooling(name=layer.name) for layer in own if isinstance(layer, MaxUnpooling2D)}
        )
    for layer in own:
        if isinstance(layer, layers.PReLU) and float(ops.max(layer.alpha)) <= 1:
            replaced[id(layer)] = _MaximumPReLU(layer.shared_axes, name=layer.name)
    for concatenation, normalization in _normalized_concatenations(own):
        replaced[id(concatenation)] = _NormalizedConcatenation(*_affine(normalization), name=concatenation.name)
        replaced[id(normalization)] = _Unchanged(name=normalization.name)
    if not replaced:
        return model
    image = keras.Input(batch_shape=(1, *images.shape[1:]), dtype="float32")
    copy = keras.models.clone_model(model, image, clone_function=lambda layer: _copied(layer, replaced))
    for layer in model.layers:
        if layer.weights and not isinstance(replaced.get(id(layer)), _Unchanged):
            copy.get_layer(layer.name).set_weights(layer.get_weights())
    return copy


def _layers(model: keras.Model) -> list[layers.Layer]:
    """The layers of a functional model that are used once; those of models inside of it stay as they are."""
    return [layer for layer in model.layers if len(layer._inbound_nodes) == 1]


def _copied(layer: layers.Layer, replaced: dict[int, layers.Layer]) -> layers.Layer:
    if id(layer) in replaced:
        return replaced[id(layer)]
    # A model is copied layer by layer: its class need not take the configuration of a functional model.
    if isinstance(layer, keras.Model):
        return keras.models.clone_model(layer)
    return type(layer).from_config(layer.get_config())


def _replaceable_pools(model: keras.Model, own: list[layers.Layer]) -> list[MaxPoolingWithArgmax2D]:
    """The poolings, if all are of cells of 2x2 and unpooling alone sees their positions."""
    pools = [layer for layer in own if isinstance(layer, MaxPoolingWithArgmax2D)]
    unpools = [layer for layer in own if isinstance(layer, MaxUnpooling2D)]
    consumers = {
        id(node.operation)
        for pool in pools
        for node in pool._outbound_nodes
        if any(tensor is pool.output[1] for tensor in node.arguments.keras_tensors)
    }
    resampling: list[Any] = [*pools, *unpools]
    cells = all(
        layer.pool_size == layer.strides == (2, 2)
        and layer.padding in ("valid", "same", (0, 0))
        and layer.data_format == "channels_last"
        for layer in resampling
    )
    read = any(pool.output[1] is tensor for pool in pools for tensor in model.outputs)
    given = not read and all(len(layer._inbound_nodes[0].arguments.keras_tensors) == 3 for layer in unpools)
    return pools if cells and given and consumers == {id(layer) for layer in unpools} else []


def _normalized_concatenations(own: list[layers.Layer]) -> list[tuple[layers.Layer, layers.Layer]]:
    """Concatenations of channels that nothing but a normalisation sees, with it."""
    return [
        (layer, layer._outbound_nodes[0].operation)
        for layer in own
        if isinstance(layer, layers.Concatenate)
        and layer.axis in (-1, len(layer.output.shape) - 1)
        and len(layer._outbound_nodes) == 1
        and isinstance(layer._outbound_nodes[0].operation, layers.BatchNormalization)
        and layer._outbound_nodes[0].operation in own
        and layer._outbound_nodes[0].operation.axis in (-1, len(layer.output.shape) - 1)
    ]


def _affine(layer: layers.BatchNormalization) -> tuple[np.ndarray, np.ndarray]:
    """What normalisation multiplies by and adds in inference."""
    mean, variance = (ops.convert_to_numpy(value) for value in (layer.moving_mean, layer.moving_variance))
    scale = 1 / np.sqrt(variance + layer.epsilon)
    if layer.scale:
        scale = scale * ops.convert_to_numpy(layer.gamma)
    offset = -mean * scale
    return scale, offset + ops.convert_to_numpy(layer.beta) if layer.center else offset


def _least(x: Any) -> Any:
    return ops.min(x, axis=(1, 2, 3))


def _widest(x: Any) -> Any:
    """The largest difference within a cell."""
    largest, negative = (ops.max_pool(value, 2, 2, padding="same", data_format="channels_last") for value in (x, -x))
    return ops.max(largest + negative, axis=(1, 2, 3))


def _measure(model: keras.Model, tensors: list[Any], images: np.ndarray) -> list[np.ndarray]:
    if not tensors:
        return []
    probe = keras.Model(model.inputs[0], tensors)
    # Called as it is: to compile the network takes longer than a few images do.
    rows = [
        [ops.convert_to_numpy(value) for value in keras.tree.flatten(probe(image[None], training=False))]
        for image in images
    ]
    return [np.concatenate(column) for column in zip(*rows, strict=True)]


class _MaximumPReLU(layers.Layer):
    """PReLU of slopes of at most 1."""

    def __init__(self, shared_axes: Any, **kwargs: Any):
        super().__init__(**kwargs)
        self.shared_axes = shared_axes

    def build(self, input_shape: Any) -> None:
        shape = [1 if axis in (self.shared_axes or ()) else input_shape[axis] for axis in range(1, len(input_shape))]
        self.alpha = self.add_weight(shape=shape, name="alpha")

    def call(self, inputs: Any) -> Any:
        return ops.maximum(inputs, self.alpha * inputs)


class _NormalizedConcatenation(layers.Layer):
    """Maps times `scale` plus `offset`, then concatenated."""

    def __init__(self, scale: np.ndarray, offset: np.ndarray, **kwargs: Any):
        super().__init__(**kwargs)
        self.scale = scale
        self.offset = offset

    def call(self, inputs: Any) -> Any:
        ends = np.cumsum([x.shape[-1] for x in inputs])[:-1]
        parts = zip(inputs, np.split(self.scale, ends), np.split(self.offset, ends), strict=True)
        return ops.concatenate([x * scale + offset for x, scale, offset in parts], -1)


class _Unchanged(layers.Layer):
    """In place of a layer whose work is done before it."""

    def call(self, inputs: Any, **_arguments: Any) -> Any:
        return inputs


class _MaskedPooling(layers.Layer):
    """Maxima of cells of 2x2, and for each place of a cell a map that is 6 where the first maximum is, otherwise 0."""

    def __init__(self, gain: float, same: bool, **kwargs: Any):
        super().__init__(**kwargs)
        self.gain = gain
        self.same = same

    def call(self, inputs: Any) -> tuple[Any, Any]:
        import tensorflow

        x = inputs
        height, width = x.shape[1:3]
        if self.same:
            # What is repeated comes second to what it repeats.
            x = ops.concatenate([x, x[:, -1:]], 1) if height % 2 else x
            x = ops.concatenate([x, x[:, :, -1:]], 2) if width % 2 else x
        else:
            x = x[:, : height // 2 * 2, : width // 2 * 2]
        best = ops.max_pool(x, 2, 2, data_format="channels_last")
        channels = x.shape[-1]
        places = tensorflow.nn.space_to_depth(x, 2)
        # 0 where a place has the maximum, otherwise 6.
        lower = [
            ops.relu6((best - places[..., place * channels : (place + 1) * channels]) * self.gain) for place in range(3)
        ]
        first = 6.0 - lower[0]
        second = ops.relu(lower[0] - lower[1])
        left = ops.minimum(lower[0], lower[1])
        return best, ops.concatenate([first, second, ops.relu(left - lower[2]), ops.minimum(left, lower[2])], -1)


class _MaskedUnpooling(layers.Layer):
    """Values times the maps of `_MaskedPooling`, each at its place."""

    def call(self, inputs: Any, masks: Any, like: Any) -> Any:
        import tensorflow

        x = tensorflow.nn.depth_to_space(ops.concatenate([inputs * (1 / 6)] * 4, -1) * masks, 2)
        (have, across), (height, width) = x.shape[1:3], like.shape[1:3]
        x = x if (have, across) == (height, width) else x[:, :height, :width]
        margins = [(0, 0), (0, max(height - have, 0)), (0, max(width - across, 0)), (0, 0)]
        return ops.pad(x, margins) if (height, width) > (have, across) or width > across else x
