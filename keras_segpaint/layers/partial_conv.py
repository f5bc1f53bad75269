"""The partial convolution."""

from typing import Any

import keras
from keras import activations, initializers, layers, ops

from keras_segpaint.ops.box_sum import box_sum
from keras_segpaint.ops.pooling import standardize_window
from keras_segpaint.ops.precision import dilated_policy
from keras_segpaint.ops.spatial import channel_axis, pad_spatial, standardize_data_format
from keras_segpaint.ops.windows import convolved_shape, symmetric_pads


@keras.saving.register_keras_serializable(package="keras_segpaint")
class PartialConv2D(layers.Layer):
    """A convolution that sees only known pixels and tells which pixels are known behind it.

    Hole pixels, and the zeros beyond the border, are left out of each window, and the sum is scaled by the window's
    size over the number of its known entries. The bias is not scaled. Where a window has no known entry the result is 0
    and the pixel stays a hole; everywhere else it becomes known. As in PyTorch, `dilation_rate * (kernel_size - 1) //
    2` rows and columns of zeros are on every side, for strides above 1 too.

    Maps that are to be concatenated are given as lists, features and masks: a mask of one channel speaks for all
    channels of its features. Masks are summed over the channels before the one box sum, so that the layer costs hardly
    more than the plain convolution.

    Args:
        filters: Integer >= 1, output channels.
        kernel_size: Integer or pair of integers >= 1.
        strides: Integer or pair of integers >= 1. Defaults to `1`.
        dilation_rate: Integer or pair of integers >= 1. Defaults to `1`.
        use_bias: Boolean. Defaults to `True`.
        activation: Name or function behind the convolution. Defaults to `None`.
        kernel_initializer: Defaults to `"he_normal"`.
        data_format: `"channels_last"`, `"channels_first"` or `None` for Keras's default.
        **kwargs: Base layer arguments.

    Call arguments:
        inputs: Feature maps `(batch, height, width, channels)`, or a list of them of the same height and width.
        hole_mask: Their hole masks, 1 for a hole and 0 for a known pixel, with one channel or as many as the features.
            `None` if all is known.

    Output shape:
        Two tensors: `(batch, new_height, new_width, filters)` and the hole mask `(batch, new_height, new_width, 1)`.

    Raises:
        ValueError: If a number is out of range, or the masks are not as many as the feature maps.

    References:
        - [Image Inpainting for Irregular Holes Using Partial Convolutions](https://arxiv.org/abs/1804.07723), section
          3.1, where a mask is 1 for known pixels.

    Example:
        >>> from keras import ops
        >>> hole = ops.ones((1, 5, 5, 1))
        >>> features, hole = PartialConv2D(4, 3, data_format="channels_last")(ops.zeros((1, 5, 5, 3)), hole)
        >>> tuple(features.shape), float(ops.sum(hole))
        ((1, 5, 5, 4), 25.0)
    """

    def __init__(
        self,
        filters: int,
        kernel_size: int | tuple[int, int],
        strides: int | tuple[int, int] = 1,
        dilation_rate: int | tuple[int, int] = 1,
        use_bias: bool = True,
        activation: Any = None,
        kernel_initializer: Any = "he_normal",
        data_format: str | None = None,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        if not isinstance(filters, int) or filters < 1:
            raise ValueError(f"`filters` must be an integer >= 1. Received: filters={filters!r}")
        self.filters = filters
        self.kernel_size = standardize_window(kernel_size, "kernel_size")
        self.strides = standardize_window(strides, "strides")
        self.dilation_rate = standardize_window(dilation_rate, "dilation_rate")
        self.use_bias = use_bias
        self.activation = activations.get(activation)
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.data_format = standardize_data_format(data_format)

    def build(self, inputs_shape: Any, hole_mask_shape: Any = None) -> None:
        axis = channel_axis(self.data_format)
        widths = [shape[axis] for shape in _shapes(inputs_shape)]
        if hole_mask_shape is not None:
            self._check_masks(widths, [shape[axis] for shape in _shapes(hole_mask_shape)])
        self.kernel = self.add_weight(
            name="kernel",
            shape=(*self.kernel_size, sum(widths), self.filters),
            initializer=self.kernel_initializer,
        )
        self.bias = self.add_weight(name="bias", shape=(self.filters,), initializer="zeros") if self.use_bias else None

    def _check_masks(self, widths: list[int], mask_widths: list[int]) -> None:
        fits = len(widths) == len(mask_widths) and all(
            mask_width in (1, width) for width, mask_width in zip(widths, mask_widths, strict=True)
        )
        if not fits:
            raise ValueError(
                "`hole_mask` must hold one hole mask for each feature map, with one channel or as many as the features. "
                f"Received: features of {widths} channels, masks of {mask_widths} channels"
            )

    def call(self, inputs: Any, hole_mask: Any = None) -> tuple[Any, Any]:
        features = _listed(inputs)
        axis = channel_axis(self.data_format)
        if hole_mask is None:
            masked = features
            first = features[0]
            known = ops.ones_like(first[..., :1] if axis == -1 else first[:, :1], dtype="float32")
            known = known * sum(x.shape[axis] for x in features)
        else:
            valid = [1.0 - ops.cast(hole, "float32") for hole in _listed(hole_mask)]
            masked = [x * ops.cast(v, x.dtype) for x, v in zip(features, valid, strict=True)]
            known = 0.0
            for x, v in zip(features, valid, strict=True):
                shared = v.shape[axis] == 1
                known = known + (v * float(x.shape[axis]) if shared else ops.sum(v, axis=axis, keepdims=True))
        x = masked[0] if len(masked) == 1 else ops.concatenate(masked, axis=axis)
        x, known, padding = self._padded(x, known)
        settings: dict[str, Any] = dict(
            strides=self.strides, padding=padding, dilation_rate=self.dilation_rate, data_format=self.data_format
        )
        count = box_sum(known, self.kernel_size, **settings)
        window = float(self.kernel_size[0] * self.kernel_size[1] * self.kernel.shape[2])
        updated = ops.clip(count, 0.0, 1.0)
        # The bound keeps 1 / count finite where it is multiplied by 0; counts of binary masks are integers.
        ratio = window * updated / ops.maximum(count, 1e-6)
        policy = self.dtype_policy if max(self.dilation_rate) == 1 else dilated_policy(self.dtype_policy)
        operands = (ops.cast(operand, policy.compute_dtype) for operand in (x, self.kernel))
        x = ops.cast(ops.conv(*operands, **settings), x.dtype) * ops.cast(ratio, x.dtype)
        if self.bias is not None:
            bias = self.bias if axis == -1 else ops.reshape(self.bias, (1, -1, 1, 1))
            x = x + bias * ops.cast(updated, x.dtype)
        if self.activation is not None:
            x = self.activation(x)
        return x, ops.cast(1.0 - updated, self.compute_dtype)

    def _padded(self, x: Any, known: Any) -> tuple[Any, Any, str]:
        """Pads by hand where a convolution's own padding would not be the same on every side."""
        even = any(extent % 2 == 0 for extent in self.kernel_size)
        if self.strides == (1, 1) and not even:
            return x, known, "same"
        rows, columns = ((pad, pad) for pad in symmetric_pads(self.kernel_size, self.dilation_rate))
        x, known = (pad_spatial(value, rows, columns, self.data_format) for value in (x, known))
        return x, known, "valid"

    def compute_output_spec(self, inputs: Any, hole_mask: Any = None) -> tuple[keras.KerasTensor, keras.KerasTensor]:
        outputs = [
            keras.KerasTensor(
                convolved_shape(
                    _listed(inputs)[0].shape,
                    channels,
                    kernel_size=self.kernel_size,
                    strides=self.strides,
                    dilation_rate=self.dilation_rate,
                    data_format=self.data_format,
                ),
                dtype=self.compute_dtype,
            )
            for channels in (self.filters, 1)
        ]
        return outputs[0], outputs[1]

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        config.update(
            filters=self.filters,
            kernel_size=self.kernel_size,
            strides=self.strides,
            dilation_rate=self.dilation_rate,
            use_bias=self.use_bias,
            activation=activations.serialize(self.activation),
            kernel_initializer=initializers.serialize(self.kernel_initializer),
            data_format=self.data_format,
        )
        return config


def _listed(value: Any) -> list[Any]:
    """One tensor or several as a list."""
    return list(value) if isinstance(value, list | tuple) else [value]


def _shapes(value: Any) -> list[Any]:
    """One shape or several as a list."""
    return list(value) if isinstance(value[0], list | tuple) else [value]
