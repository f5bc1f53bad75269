"""Any classification network as a dense one."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import keras
from keras import layers, ops

from keras_segpaint.layers import AtrousPooling2D, MatchSize2D, Resize, SymmetricPadding2D
from keras_segpaint.ops.precision import dilated_policy
from keras_segpaint.ops.spatial import spatial_axes, static_spatial_size

CONVOLUTIONS = (layers.Conv2D, layers.DepthwiseConv2D, layers.SeparableConv2D)
POOLS = (layers.MaxPooling2D, layers.AveragePooling2D)
GLOBAL_POOLS = (layers.GlobalAveragePooling2D, layers.GlobalMaxPooling2D)
RESIZING = (layers.UpSampling2D, layers.Conv2DTranspose, layers.Resizing, Resize, MatchSize2D)
# Layers that treat every place alike and alone.
POINTWISE = (
    layers.Activation,
    layers.Add,
    layers.AlphaDropout,
    layers.Average,
    layers.BatchNormalization,
    layers.Concatenate,
    layers.Dropout,
    layers.ELU,
    layers.GaussianDropout,
    layers.GaussianNoise,
    layers.GroupNormalization,
    layers.Identity,
    layers.LayerNormalization,
    layers.LeakyReLU,
    layers.Maximum,
    layers.Minimum,
    layers.Multiply,
    layers.Normalization,
    layers.ReLU,
    layers.Rescaling,
    layers.Softmax,
    layers.SpatialDropout2D,
    layers.Subtract,
)
# Operations of `keras.ops` that do so too, by the names of their classes.
POINTWISE_OPERATIONS = frozenset(
    "Absolute Add Cast Clip Concatenate Divide Elu Gelu HardSigmoid HardSilu HardTanh LeakyRelu Log Maximum Minimum "
    "Multiply Negative Power Relu Relu6 Rsqrt Sigmoid Silu Softplus Sqrt Square Subtract Swish Tanh TrueDivide".split()
)
# And those that have one number for the whole map, where they go over both of its axes.
REDUCTIONS = frozenset("Amax Amin Max Mean Min Std Sum Var".split())


@dataclass(frozen=True)
class Grid:
    """Where the features of a tensor lie.

    Args:
        stride: Of the dense network's features, in pixels.
        rate: How many times as dense they are as the original's.
        padded: Rows and columns that were padded in front of this tensor, in the original.
    """

    stride: int
    rate: int = 1
    padded: tuple[int, int] = (0, 0)


def atrous(model: keras.Model, output_stride: int = 16) -> keras.Model:
    """Makes a classification network dense: strides beyond `output_stride` become dilation rates.

    The network takes images of any size and has the weights of the original. Its features are the original's, and those
    in between: `atrous(model, 8)` of a network of stride 32 gives the original's features at every fourth row and column,
    for images of the original's size. A layer that loses its stride keeps the dilation rate that its input asks for, and
    all that follow have the doubled one; padding in front of a convolution is dilated with it. Where a network looks at
    the whole map at once (squeeze-and-excitation) it then looks at the denser one, so its features are close to the
    original's but not equal.

    A layer that is made of others and would have to change is taken apart.

    Of KerasHub 0.32 `ResNetBackbone` (all kinds of blocks, both versions), `VGGBackbone`, `DenseNetBackbone`,
    `XceptionBackbone`, `MobileNetBackbone` and `EfficientNetBackbone` were tried, the last two with
    squeeze-and-excitation.

    Args:
        model: A functional model of one image input: from `keras.applications` or KerasHub without its classifier, or one
            of your own. It is left as it is.
        output_stride: Integer >= 1, where striding ends. Defaults to `16`.

    Returns:
        A functional model. Its layers have the names of the original's, or of the layers that these were made of.

    Raises:
        ValueError: If a layer cannot be made dense, such as a transposed convolution beyond `output_stride`, or a
            `Flatten`, which fixes the size; the message names it.

    References:
        - [DeepLab](https://arxiv.org/abs/1606.00915), section 3.1
        - [Rethinking Atrous Convolution for Semantic Image Segmentation](https://arxiv.org/abs/1706.05587), section 3.1

    Example:
        >>> shape = (64, 64, 3) if keras.config.image_data_format() == "channels_last" else (3, 64, 64)
        >>> model = keras.applications.MobileNetV2(shape, alpha=0.35, include_top=False, weights=None)
        >>> dense = atrous(model, output_stride=8)
        >>> sorted(keras.Model(dense.input, dense.output)(keras.ops.zeros((1, *shape))).shape)
        [1, 8, 8, 1280]
    """
    if not isinstance(output_stride, int) or output_stride < 1:
        raise ValueError(f"`output_stride` must be an integer >= 1. Received: output_stride={output_stride!r}")
    inputs = getattr(model, "inputs", None)
    if not inputs or len(inputs) != 1 or len(inputs[0].shape) != 4 or isinstance(model, keras.Sequential):
        raise ValueError(
            "`model` must be a functional model with one input, images of four axes. "
            f"Received: model={model.name!r} of type {type(model).__name__}"
        )
    data_format = _data_format(model)
    channels = inputs[0].shape[-1 if data_format == "channels_last" else 1]
    shape = (None, None, channels) if data_format == "channels_last" else (channels, None, None)
    name = next(layer.name for layer in model.layers if isinstance(layer, layers.InputLayer))
    image = keras.Input(shape, dtype=inputs[0].dtype, name=name)
    while True:
        rebuilt = _Rebuilding(model, output_stride, data_format, image)
        structure = keras.tree.map_structure(lambda _, image=image: image, model.input)
        try:
            dense = keras.models.clone_model(
                model, input_tensors=structure, clone_function=_copy, call_function=rebuilt.call
            )
            break
        except _Composite:
            model = _taken_apart(model)
            image = keras.Input(shape, dtype=inputs[0].dtype, name=name)
    for layer in dense.layers:
        original = rebuilt.originals.get(layer.name)
        if original is not None and original.weights:
            layer.set_weights(original.get_weights())
            if isinstance(layer, layers.Normalization):
                layer.finalize_state()
    return dense


class _Composite(Exception):
    """A layer that is made of others has to change."""


def _is_composite(layer: Any) -> bool:
    own = (*CONVOLUTIONS, *POOLS, *POINTWISE, *GLOBAL_POOLS, *RESIZING, layers.PReLU, layers.Dense)
    if not isinstance(layer, layers.Layer) or isinstance(layer, own):
        return False
    return bool(list(layer._flatten_layers(recursive=False, include_self=False)))


def _copy(layer: Any) -> Any:
    """A layer of the same configuration, and the same name: not every layer's configuration has it right."""
    if not isinstance(layer, layers.Layer):
        return layer
    copy = type(layer).from_config(layer.get_config())
    copy.name = layer.name
    return copy


def _taken_apart(model: keras.Model) -> keras.Model:
    """The model with the layers in place of those that are made of them, and of those within these."""
    copies: list[tuple[Any, Any]] = []

    def copy(layer: Any) -> Any:
        copies.append((layer, _copy(layer)))
        return copies[-1][1]

    def call(layer: Any, *args: Any, **kwargs: Any) -> Any:
        if not _is_composite(layer):
            return layer(*args, **kwargs)
        layer(*args, **kwargs)  # builds it
        return layer.call(*args, **kwargs)

    apart = model
    while apart is model or any(_is_composite(layer) for layer in apart.layers):
        inputs = keras.tree.map_structure(
            lambda x: keras.Input(batch_shape=x.shape, dtype=x.dtype, name=x.name), model.input
        )
        # What came out of a copy need not be copied again, which not every layer within another can be.
        clone = copy if apart is model else (lambda layer: layer)
        apart = keras.models.clone_model(apart, input_tensors=inputs, clone_function=clone, call_function=call)
    for layer, other in copies:
        if isinstance(layer, layers.Layer) and layer.weights:
            other.set_weights(layer.get_weights())
    return apart


class _Rebuilding:
    """Calls each cloned layer, or what takes its place, and knows the grid of every tensor."""

    def __init__(self, model: keras.Model, output_stride: int, data_format: str, image: Any):
        self.originals = {operation.name: operation for operation in model.operations}
        self.output_stride = output_stride
        self.data_format = data_format
        # None stands for a tensor without height and width. The tensors are kept: their ids are the keys.
        self.grids: dict[int, tuple[Any, Grid | None]] = {id(image): (image, Grid(1))}
        self.called: set[str] = set()

    def call(self, layer: Any, *args: Any, **kwargs: Any) -> Any:
        tensors = [x for x in keras.tree.flatten((args, kwargs)) if id(x) in self.grids]
        found = [grid for grid in (self.grids[id(x)][1] for x in tensors) if grid is not None]
        rates = sorted({(grid.stride, grid.rate) for grid in found})
        if len(rates) > 1:
            raise _refusal(layer, f"its inputs have different strides and rates: {rates}")
        grid = found[0] if found else None
        if grid is None:
            outputs, after = layer(*args, **kwargs), None
        elif isinstance(layer, (*CONVOLUTIONS, *POOLS)) and not isinstance(layer, layers.Conv2DTranspose):
            outputs, after = self._window(layer, args[0], grid)
        elif isinstance(layer, (layers.ZeroPadding2D, layers.Cropping2D, SymmetricPadding2D)):
            outputs, after = self._padding(layer, args[0], grid)
        elif not isinstance(layer, layers.Layer) and type(layer).__name__ == "Pad":
            outputs, after = self._padding_operation(layer, args, kwargs, grid)
        else:
            after = self._other(layer, grid)
            outputs = layer(*args, **kwargs)
        for output in keras.tree.flatten(outputs):
            self.grids[id(output)] = (output, after)
        return outputs

    def _replace(self, layer: Any, other: Any) -> Any:
        if layer.name in self.called:
            raise _refusal(layer, "it is used more than once, at places where it would have to change")
        self.called.add(layer.name)
        return other

    def _window(self, layer: Any, x: Any, grid: Grid) -> tuple[Any, Grid]:
        """A convolution or a pool."""
        pool = isinstance(layer, POOLS)
        strides = layer.strides[0]
        if layer.strides[0] != layer.strides[1]:
            raise _refusal(layer, f"its strides differ: {layer.strides}")
        loses = strides > 1 and (grid.rate > 1 or grid.stride * strides > self.output_stride)
        if not loses and grid.rate == 1:
            return layer(x), Grid(grid.stride * strides)
        after = Grid(grid.stride, grid.rate * strides)
        windows: tuple[int, int] = tuple(layer.pool_size if pool else layer.kernel_size)
        old_rates = (1, 1) if pool else tuple(layer.dilation_rate)
        rates = (
            1 if windows[0] == 1 else grid.rate * old_rates[0],
            1 if windows[1] == 1 else grid.rate * old_rates[1],
        )
        size = static_spatial_size(self.originals[layer.name].input.shape, self.data_format)
        margins = []
        for axis in range(2):
            reach = old_rates[axis] * (windows[axis] - 1)
            if layer.padding == "same":
                # Where the original's window begins depends on the size that it was made for.
                extent = size[axis]
                total = max(reach + 1 - strides, 0)
                if extent is not None:
                    total = max((-(-extent // strides) - 1) * strides + reach + 1 - extent, 0)
                before = grid.rate * (total // 2)
                margins.append((before, grid.rate * reach - before))
            elif loses and reach + 1 - strides <= grid.padded[axis] < reach:
                # Padded for the stride alone: what the window reaches beyond is missing at the end, save for what the
                # original's last stride leaves out.
                left_out = 0 if size[axis] is None else (size[axis] - reach - 1) % strides
                margins.append((0, grid.rate * max(0, min(reach - grid.padded[axis], strides - 1 - left_out))))
            else:
                margins.append((0, 0))
        settings = dict(data_format=layer.data_format, dtype=layer.dtype_policy)
        if pool:
            mode = "max" if isinstance(layer, layers.MaxPooling2D) else "average"
            pooling = AtrousPooling2D(windows, rates, margins, mode, name=layer.name, **settings)
            return self._replace(layer, pooling)(x), after
        symmetric = all(
            2 * margin[0] == rate * (window - 1) == 2 * margin[1]
            for margin, rate, window in zip(margins, rates, windows, strict=True)
        )
        if not symmetric and any(any(margin) for margin in margins):
            x = layers.ZeroPadding2D(margins, name=f"{layer.name}_atrous_pad", **settings)(x)
        config = layer.get_config()
        config.update(strides=(1, 1), dilation_rate=rates, padding="same" if symmetric else "valid")
        if max(rates) > 1:
            config["dtype"] = dilated_policy(layer.dtype_policy)
        return self._replace(layer, type(layer).from_config(config))(x), after

    def _padding(self, layer: Any, x: Any, grid: Grid) -> tuple[Any, Grid]:
        """Padding and cropping, by as many more rows and columns as the grid is denser."""
        config = layer.get_config()
        if isinstance(layer, SymmetricPadding2D):
            if any(
                rate * (extent - 1) % 2 for rate, extent in zip(layer.dilation_rate, layer.kernel_size, strict=True)
            ):
                raise _refusal(layer, f"its window is even: {layer.kernel_size}")
            padded = (2 * layer.pad[0], 2 * layer.pad[1])
            config["dilation_rate"] = tuple(grid.rate * rate for rate in layer.dilation_rate)
        else:
            cropping = isinstance(layer, layers.Cropping2D)
            margins = layer.cropping if cropping else layer.padding
            padded = (0, 0) if cropping else (sum(margins[0]), sum(margins[1]))
            config["cropping" if cropping else "padding"] = tuple(
                tuple(grid.rate * extent for extent in pair) for pair in margins
            )
        if grid.rate > 1:
            layer = self._replace(layer, type(layer).from_config(config))
        return layer(x), Grid(grid.stride, grid.rate, padded)

    def _padding_operation(self, pad: Any, args: Any, kwargs: Any, grid: Grid) -> tuple[Any, Grid]:
        """`keras.ops.pad`, likewise."""
        axes = spatial_axes(self.data_format)
        padded = tuple(sum(pad.pad_width[axis]) for axis in axes)
        after = Grid(grid.stride, grid.rate, (padded[0], padded[1]))
        if grid.rate == 1:
            return pad(*args, **kwargs), after
        margins = [
            tuple(grid.rate * extent for extent in pair) if axis in axes else tuple(pair)
            for axis, pair in enumerate(pad.pad_width)
        ]
        value = args[1] if len(args) > 1 else kwargs.get("constant_values")
        return ops.pad(args[0], margins, mode=pad.mode, constant_values=value), after

    def _other(self, layer: Any, grid: Grid) -> Grid | None:
        """The grid behind a layer that stays as it is."""
        unpadded = Grid(grid.stride, grid.rate)
        if isinstance(layer, GLOBAL_POOLS):
            return None
        if isinstance(layer, POINTWISE) or (
            not isinstance(layer, layers.Layer) and type(layer).__name__ in POINTWISE_OPERATIONS
        ):
            return unpadded
        if not isinstance(layer, layers.Layer) and type(layer).__name__ in REDUCTIONS:
            reduced = getattr(layer, "axis", None)
            reduced = (reduced,) if isinstance(reduced, int) else tuple(reduced or range(4))
            if set(spatial_axes(self.data_format)) <= {axis % 4 for axis in reduced}:
                return None
        if isinstance(layer, layers.PReLU):
            if not {1, 2} <= set(layer.shared_axes or ()) and self.data_format == "channels_last":
                raise _refusal(layer, "it has a slope for every place, and so one size")
            return unpadded
        if isinstance(layer, layers.Dense) and self.data_format == "channels_last":
            return unpadded
        if isinstance(layer, (layers.Flatten, layers.Reshape, layers.Permute)):
            raise _refusal(layer, "it fixes the size of the image; take the network without its classifier")
        shape = getattr(self.originals[layer.name].input, "shape", (None,) * 4)
        if _is_composite(layer) and (grid.rate > 1 or None in shape[1:]):
            raise _Composite
        factor = self._factor(layer)
        if _is_composite(layer) and grid.stride * factor > self.output_stride:
            raise _Composite
        if grid.rate > 1 or (isinstance(factor, int) and grid.stride * factor > self.output_stride):
            kind = "it enlarges the features" if isinstance(layer, RESIZING) else "nothing is known of its inside"
            raise _refusal(layer, f"it lies beyond the output stride, where {kind}")
        return Grid(max(1, round(grid.stride * factor)), 1)

    def _factor(self, layer: Any) -> float:
        """By how much an unknown layer strides."""
        original = self.originals[layer.name]
        sizes: list[Any] = []
        for x in (original.input, original.output):
            if not hasattr(x, "shape") or len(x.shape) != 4 or None in x.shape[1:]:
                raise _refusal(layer, "nothing is known of its inside; a model of fixed size would show its stride")
            sizes.append(static_spatial_size(x.shape, self.data_format))
        factors = {have / result if result > have else -(-have // result) for have, result in zip(*sizes, strict=True)}
        if len(factors) != 1:
            raise _refusal(layer, f"it changes the size from {sizes[0]} to {sizes[1]}")
        return factors.pop()


def _refusal(layer: Any, reason: str) -> ValueError:
    return ValueError(f"`atrous` cannot make layer {layer.name!r} ({type(layer).__name__}) dense: {reason}.")


def _data_format(model: keras.Model) -> str:
    """The data format of a model's convolutions."""
    formats: Sequence[str] = sorted(
        {layer.data_format for layer in model.layers if isinstance(layer, (*CONVOLUTIONS, *POOLS))}
    )
    if len(formats) != 1:
        raise ValueError(
            "`model` must have convolutions or pools, all of one data format. "
            f"Received: model={model.name!r} with {list(formats) or 'none'}"
        )
    return formats[0]
