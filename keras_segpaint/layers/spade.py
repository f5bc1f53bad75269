"""Spatially adaptive normalisation."""

import math
from typing import Any

import keras
from keras import initializers, layers, ops

from keras_segpaint.layers.factory import LayerFactory
from keras_segpaint.layers.label_map_encoding import LabelMapEncoding
from keras_segpaint.ops.label_convolution import convolve_labels, label_indices
from keras_segpaint.ops.paired_convolution import paired_convolution
from keras_segpaint.ops.resizing import nearest_top_left
from keras_segpaint.ops.spatial import channel_axis, replace_spatial, spatial_size, standardize_data_format
from keras_segpaint.ops.standardization import standardize

NORMALIZATIONS = ("batch", "instance", "group")

# Of fewer planes the convolution is no slower than to look up its rows.
MANY_PLANES = 1


@keras.saving.register_keras_serializable(package="keras_segpaint")
class SPADE(layers.Layer):
    """Normalises features and scales and shifts each of their pixels by what a label map says there.

    The features are normalised without weights, in float32. The label map, brought to their size by nearest neighbours,
    goes through a convolution of `hidden` channels and a rectifier and from there through one convolution to a `gamma`
    and a `beta` for each feature and pixel (two convolutions in the paper, of which this is the concatenation); the
    result is `normalized * (1 + gamma) + beta`. Of labels the planes are never made where there are many of them: the
    first convolution looks up its weights' rows and adds them.

    Args:
        num_labels: Integer, if the label map is given as labels; `None` if it is given as planes. Defaults to `None`.
        ignore_class: A label beyond them that has a plane of its own, or `None`; see `LabelMapEncoding`. Without
            `num_labels` it has no meaning. Defaults to `255`.
        normalization: `"batch"` (over the batch, with moving statistics), `"instance"` (over each channel of each image)
            or `"group"` (over groups of channels of each image, up to 32). Defaults to `"batch"`.
        hidden: Integer >= 1, channels of the first convolution. Defaults to `128`.
        kernel_size: Odd integer >= 1, of both convolutions. Defaults to `3`.
        momentum: Float in [0, 1), of the moving statistics. Defaults to `0.9`.
        epsilon: Float, added to variances. Defaults to `1e-5`.
        kernel_initializer: Of both convolutions. Defaults to `"glorot_normal"`.
        data_format: `"channels_last"`, `"channels_first"` or `None` for Keras's default.
        **kwargs: Base layer arguments.

    Call arguments:
        inputs: Feature maps `(batch, height, width, channels)`.
        label_map: Of any size; labels `(batch, rows, columns)` or `(batch, rows, columns, 1)`, integers or whole floats,
            or planes `(batch, rows, columns, planes)`, such as `LabelMapEncoding` makes.
        training: Whether statistics are those of the batch.

    Output shape:
        Same as `inputs`.

    Raises:
        ValueError: If an argument is not one of the above or the label map has another number of channels.

    References:
        - [Semantic Image Synthesis with Spatially-Adaptive Normalization](https://arxiv.org/abs/1903.07291), section 3.

    Example:
        >>> features, labels = keras.ops.ones((1, 8, 8, 4)), keras.ops.zeros((1, 32, 32), dtype="int32")
        >>> tuple(SPADE(num_labels=3, data_format="channels_last")(features, labels).shape)
        (1, 8, 8, 4)
    """

    def __init__(
        self,
        num_labels: int | None = None,
        ignore_class: int | None = 255,
        normalization: str = "batch",
        hidden: int = 128,
        kernel_size: int = 3,
        momentum: float = 0.9,
        epsilon: float = 1e-5,
        kernel_initializer: Any = "glorot_normal",
        data_format: str | None = None,
        **kwargs: Any,
    ):
        # Labels given as floats must come as they are: see `LabelMapEncoding`.
        super().__init__(autocast=False, **kwargs)
        if normalization not in NORMALIZATIONS:
            raise ValueError(f"`normalization` must be one of {NORMALIZATIONS}. Received: {normalization!r}")
        if not isinstance(hidden, int) or hidden < 1:
            raise ValueError(f"`hidden` must be an integer >= 1. Received: hidden={hidden!r}")
        if not isinstance(kernel_size, int) or kernel_size < 1 or kernel_size % 2 == 0:
            raise ValueError(f"`kernel_size` must be an odd integer >= 1. Received: kernel_size={kernel_size!r}")
        self.num_labels = num_labels
        self.ignore_class = ignore_class
        self.normalization = normalization
        self.hidden = hidden
        self.kernel_size = kernel_size
        self.momentum = momentum
        self.epsilon = epsilon
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.data_format = standardize_data_format(data_format)
        self.encoding = None
        if num_labels is not None:
            self.encoding = LabelMapEncoding(
                num_labels, ignore_class, data_format=self.data_format, dtype=self.dtype_policy, name="encoding"
            )

    def build(self, inputs_shape: tuple[int | None, ...], label_map_shape: tuple[int | None, ...]) -> None:
        channels = inputs_shape[channel_axis(self.data_format)]
        if channels is None:
            raise ValueError(f"The channels of the features must be known. Received: inputs of shape {inputs_shape}")
        make = LayerFactory(self.data_format, self.dtype_policy, self.momentum, self.epsilon)
        self.norm = None
        if self.normalization == "batch":
            self.norm = make.batch_norm(center=False, scale=False, name="norm")
            self.norm.build(inputs_shape)
        self._groups = math.gcd(channels, 32) if self.normalization == "group" else channels
        settings = dict(kernel_size=self.kernel_size, kernel_initializer=self.kernel_initializer)
        self.shared = make.conv(self.hidden, activation="relu", name="shared", **settings)
        self.modulation = make.conv(2 * channels, name="modulation", **settings)
        for layer, depth in ((self.shared, self._num_planes(label_map_shape)), (self.modulation, self.hidden)):
            shape = list(replace_spatial(inputs_shape, (None, None), self.data_format))
            shape[channel_axis(self.data_format)] = depth
            layer.build(tuple(shape))

    def _num_planes(self, shape: tuple[int | None, ...]) -> int:
        """Of a label map of this shape."""
        depth = shape[channel_axis(self.data_format)] if len(shape) == 4 else None
        if self.encoding is None:
            if depth is None:
                raise ValueError(
                    "Without `num_labels` the label map must be planes (batch, rows, columns, planes), their number known: "
                    f"give `num_labels`, or planes as `LabelMapEncoding` makes. Received: label_map of shape {shape}"
                )
            return depth
        if len(shape) not in (3, 4) or (len(shape) == 4 and depth not in (1, self.encoding.num_planes)):
            raise ValueError(
                "The label map must be labels (batch, rows, columns) or (batch, rows, columns, 1), or "
                f"{self.encoding.num_planes} planes. Received: label_map of shape {shape} ({self.data_format})"
            )
        return self.encoding.num_planes

    def guide(self, label_map: Any, like: Any) -> Any:
        """The label map in the size of `like`, a map of features, as `modulate` takes it: its planes, or indices of them."""
        axis = channel_axis(self.data_format)
        if len(label_map.shape) == 3:
            label_map = ops.expand_dims(label_map, axis)
        label_map = nearest_top_left(label_map, spatial_size(like, self.data_format), self.data_format)
        if self.encoding is None or label_map.shape[axis] != 1:
            return ops.cast(label_map, self.compute_dtype)
        if self.encoding.num_planes < MANY_PLANES:
            return self.encoding(label_map)
        return label_indices(ops.squeeze(label_map, axis), self.encoding.num_labels, self.ignore_class)

    def normalize(self, inputs: Any, training: bool | None = None) -> Any:
        """The features before anything is learnt about the label map."""
        if self.norm is not None:
            return self.norm(inputs, training=training)
        return ops.cast(standardize(inputs, self._groups, self.epsilon, self.data_format), self.compute_dtype)

    def modulate(self, inputs: Any, guide: Any, training: bool | None = None) -> Any:
        """What `call` computes, for a label map that is `guide` of it already."""
        scale, shift = self._scale_and_shift(self.hide(guide))
        return self.normalize(inputs, training) * scale + shift

    def _scale_and_shift(self, hidden: Any) -> tuple[Any, Any]:
        """`1 + gamma` and `beta`."""
        kernel, bias = (ops.cast(weight, hidden.dtype) for weight in (self.modulation.kernel, self.modulation.bias))
        gamma, beta = ops.split(bias, 2)
        # The 1 goes with the bias: it is a number for each channel there, and one for each pixel behind it.
        return paired_convolution(hidden, kernel, (1.0 + gamma, beta), self.data_format)

    def hide(self, guide: Any) -> Any:
        """What the first convolution makes of the planes, or of those that indices stand for."""
        if len(guide.shape) == 4:
            return self.shared(guide)
        kernel, bias = (ops.cast(weight, self.compute_dtype) for weight in (self.shared.kernel, self.shared.bias))
        hidden = self.shared.activation(convolve_labels(guide, kernel) + bias)
        return ops.transpose(hidden, (0, 3, 1, 2)) if self.data_format == "channels_first" else hidden

    def call(self, inputs: Any, label_map: Any, training: bool | None = None) -> Any:
        return self.modulate(inputs, self.guide(label_map, inputs), training)

    def compute_output_spec(self, inputs: Any, label_map: Any, training: bool | None = None) -> keras.KerasTensor:
        return keras.KerasTensor(inputs.shape, dtype=self.compute_dtype)

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        config.update(
            num_labels=self.num_labels,
            ignore_class=self.ignore_class,
            normalization=self.normalization,
            hidden=self.hidden,
            kernel_size=self.kernel_size,
            momentum=self.momentum,
            epsilon=self.epsilon,
            kernel_initializer=initializers.serialize(self.kernel_initializer),
            data_format=self.data_format,
        )
        return config
