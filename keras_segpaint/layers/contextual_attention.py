"""DeepFill's contextual attention."""

import math
from typing import Any

import keras
from keras import layers, ops

from keras_segpaint.ops.attention_map import AttentionMap, checked_position
from keras_segpaint.ops.box_sum import box_sum
from keras_segpaint.ops.labels import channels_last
from keras_segpaint.ops.ordering import after
from keras_segpaint.ops.patch_matching import (
    DiagonalSums,
    blocks,
    fuse_along_columns,
    fuse_along_rows,
    match,
    paste,
    unblock,
    wrapped_rows,
)
from keras_segpaint.ops.resizing import nearest_point
from keras_segpaint.ops.spatial import spatial_axes, spatial_size, standardize_data_format

# Scores that are held at once unless the user says otherwise: 32 MB, of which a handful of copies live.
SCORES_AT_ONCE = 2**23


@keras.saving.register_keras_serializable(package="keras_segpaint")
class ContextualAttention(layers.Layer):
    """Rebuilds features from patches of the known surroundings, each weighted by how alike it is.

    Both maps are made smaller by `rate`. Every patch of the foreground is compared with every patch of the background
    by their product over the background patch's norm. "Fusing" favours neighbours that match neighbours: scores are
    summed along the diagonal of the matrix of pairs, first row by row, then column by column, and, as in the original,
    from the end of one row (column) to the start of the next. A softmax over the background patches weighs patches of
    `2 * rate` rows and columns of the full-size background, which are added where they overlap and divided by 4.

    The result is that of the original's convolutions with patches as kernels, at a fifth of their arithmetic and with a
    mask for each sample. Scores and softmax are float32 under every dtype policy. Memory grows with the square of the
    number of positions; large maps of known size are worked on in blocks of rows.

    Args:
        kernel_size: Odd integer >= 1, of the patches that are compared. Defaults to `3`.
        stride: Integer >= 1, step between background patches; above 1 only without `fuse`. Defaults to `1`.
        rate: Integer >= 1, by how much the maps are made smaller. Defaults to `2`.
        fuse: Whether scores are fused. Defaults to `True`.
        fuse_kernel: Odd integer >= 1, scores in a sum of the fusing. Defaults to `3`.
        scale: Float, what scores are multiplied by before the softmax. Defaults to `10.0`.
        masking: Of patches that touch a hole: `"zero"` sets their scores to 0 before the softmax and their weights to 0
            behind it, as published, so that weights add up to less than 1; `"exclude"` leaves them out. Where there is
            no other patch both give 0. Defaults to `"zero"`.
        patch_norm: `"clip"`, the norm or 1e-4 if that is larger; `"add"`, the root of the sum of squares to each of
            which 1e-4 is added, as a PyTorch port of DeepFill v1 has it. Defaults to `"clip"`.
        downsampling: Which pixels the smaller maps are made of: `"top_left"`, every `rate`-th; `"corners"`, as in the
            original's TensorFlow code, those next to as many points spread evenly from the first pixel to the last. The
            mask is then made as small as the background first, in the same way. Defaults to `"top_left"`.
        return_offsets: Whether to give, for display, the way to the best patch too. LiteRT has no such operator.
            Defaults to `False`.
        block_rows: Integer >= 1, rows of foreground positions at once; `None` for as many as 8 million scores allow (all
            if the size is unknown). Defaults to `None`.
        data_format: `"channels_last"`, `"channels_first"` or `None` for Keras's default.
        **kwargs: Base layer arguments.

    Call arguments:
        foreground: Feature maps `(batch, height, width, channels)`.
        background: Feature maps of as many channels and of any size, whose patches are used.
        hole_mask: Hole mask of the background, `(batch, rows, columns, 1)`, 1 for a hole; of its size or a multiple of
            it, such as the image's. Each position takes the mask's pixel at its top left, but for
            `downsampling="corners"`. `None` if all is known.

    Output shape:
        That of the foreground. With `return_offsets` a pair, with `(batch, ceil(height / rate), ceil(width / rate), 2)`
        int32: rows and columns from each position to the background patch of the largest weight.

    Raises:
        ValueError: If an argument is not one of the above.

    References:
        - [Generative Image Inpainting with Contextual Attention](https://arxiv.org/abs/1801.07892), section 4.1.

    Example:
        >>> from keras import ops
        >>> x, hole = ops.ones((1, 16, 16, 8)), ops.zeros((1, 64, 64, 1))
        >>> tuple(ContextualAttention(data_format="channels_last")(x, x, hole).shape)
        (1, 16, 16, 8)
    """

    def __init__(
        self,
        kernel_size: int = 3,
        stride: int = 1,
        rate: int = 2,
        fuse: bool = True,
        fuse_kernel: int = 3,
        scale: float = 10.0,
        masking: str = "zero",
        patch_norm: str = "clip",
        downsampling: str = "top_left",
        return_offsets: bool = False,
        block_rows: int | None = None,
        data_format: str | None = None,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        for name, value in (("kernel_size", kernel_size), ("fuse_kernel", fuse_kernel)):
            if not isinstance(value, int) or value < 1 or value % 2 == 0:
                raise ValueError(f"`{name}` must be an odd integer >= 1. Received: {name}={value!r}")
        for name, number in (("stride", stride), ("rate", rate), ("block_rows", block_rows or 1)):
            if not isinstance(number, int) or number < 1:
                raise ValueError(f"`{name}` must be an integer >= 1. Received: {name}={number!r}")
        if fuse and stride > 1:
            raise ValueError(f"`stride` above 1 goes with `fuse=False` only. Received: stride={stride}")
        if masking not in ("zero", "exclude"):
            raise ValueError(f'`masking` must be "zero" or "exclude". Received: masking={masking!r}')
        if patch_norm not in ("clip", "add"):
            raise ValueError(f'`patch_norm` must be "clip" or "add". Received: patch_norm={patch_norm!r}')
        if downsampling not in ("top_left", "corners"):
            raise ValueError(f'`downsampling` must be "top_left" or "corners". Received: downsampling={downsampling!r}')
        self.kernel_size = kernel_size
        self.stride = stride
        self.rate = rate
        self.fuse = fuse
        self.fuse_kernel = fuse_kernel
        self.scale = float(scale)
        self.masking = masking
        self.patch_norm = patch_norm
        self.downsampling = downsampling
        self.return_offsets = return_offsets
        self.block_rows = block_rows
        self.data_format = standardize_data_format(data_format)

    def call(self, foreground: Any, background: Any, hole_mask: Any = None) -> Any:
        output, offsets = self._rebuilt(foreground, background, hole_mask, self.return_offsets)
        return (output, offsets) if self.return_offsets else output

    def attention_map(
        self, foreground: Any, background: Any, hole_mask: Any = None, position: tuple[int, int] | None = None
    ) -> AttentionMap:
        """Where the foreground takes its patches from, for display.

        Args:
            foreground: As in the call.
            background: As in the call.
            hole_mask: As in the call.
            position: Row and column in the foreground. `None` for the way from each position to the patch of the largest
                weight.

        Returns:
            Weights of the background's patches, `(batch, rows, columns)`, for one position; offsets `(batch,
            ceil(height / rate), ceil(width / rate), 2)` without one.

        Raises:
            ValueError: If there is no such position.
        """
        if position is None:
            return AttentionMap("offsets", self._rebuilt(foreground, background, hole_mask, True)[1])
        row, column = (place // self.rate for place in checked_position(position, foreground, self.data_format))
        foreground, background = (channels_last(x, self.data_format) for x in (foreground, background))
        queries, keys, valid = self._compared(foreground, background, hole_mask)
        bounds = self._bounds(queries, keys)
        # The strip of rows in which the position lies.
        number = next(index for index, last in enumerate(bounds[1:]) if row < last)
        first, last = bounds[number : number + 2]
        sums = DiagonalSums(self.kernel_size, self.fuse_kernel)
        scores = self._scores(queries, keys, self._inverse_norm(keys), sums, first, last, bounds[-1])
        attention = self._attention(scores[:, :, :, :: self.stride, :: self.stride], valid)
        return AttentionMap("weights", attention[:, row - first, column])

    def _compared(self, foreground: Any, background: Any, hole_mask: Any) -> tuple[Any, Any, Any]:
        """Queries, keys, and which keys are known, of maps with their channels at the end."""
        queries, keys = (ops.cast(self._smaller(x), "float32") for x in (foreground, background))
        if hole_mask is None:
            return queries, keys, None
        mask = channels_last(hole_mask, self.data_format)
        if self.downsampling == "corners":
            mask = self._smaller(nearest_point(mask, spatial_size(background, "channels_last"), True, "channels_last"))
        return queries, keys, self._valid(mask, keys)

    def _smaller(self, x: Any) -> Any:
        """A map with its channels at the end, smaller by the rate."""
        if self.downsampling == "top_left" or self.rate == 1:
            return x[:, :: self.rate, :: self.rate]
        height, width = ((extent + self.rate - 1) // self.rate for extent in spatial_size(x, "channels_last"))
        return nearest_point(x, (height, width), True, "channels_last")

    def _rebuilt(self, foreground: Any, background: Any, hole_mask: Any, with_offsets: bool) -> tuple[Any, Any]:
        """The foreground rebuilt, and the offsets or `None`."""
        foreground, background = (channels_last(x, self.data_format) for x in (foreground, background))
        queries, keys, valid = self._compared(foreground, background, hole_mask)
        inverse_norm = self._inverse_norm(keys)
        values = blocks(background, self.rate, spatial_size(keys, "channels_last")) / 4.0
        sums = DiagonalSums(self.kernel_size, self.fuse_kernel)
        canvases: list[Any] = []
        offsets: list[Any] = []
        bounds = self._bounds(queries, keys)
        height = bounds[-1]
        for first, last in zip(bounds[:-1], bounds[1:], strict=True):
            if canvases:
                queries = after(queries, canvases[-1])
            scores = self._scores(queries, keys, inverse_norm, sums, first, last, height)
            attention = self._attention(scores[:, :, :, :: self.stride, :: self.stride], valid)
            if with_offsets:
                offsets.append(self._offsets(attention, first))
            canvas = paste(ops.cast(attention, self.compute_dtype), values, sums, self.stride)
            if canvases:
                # The last blocks of one strip of rows are the first of the next.
                canvas = ops.concatenate([canvas[:, :1] + canvases[-1][:, -1:], canvas[:, 1:]], axis=1)
                canvases[-1] = canvases[-1][:, :-1]
            canvases.append(canvas)
        canvas = canvases[0] if len(canvases) == 1 else ops.concatenate(canvases, axis=1)
        output = unblock(canvas, self.rate, spatial_size(foreground, "channels_last"))
        if self.data_format == "channels_first":
            output = ops.transpose(output, (0, 3, 1, 2))
        if not with_offsets:
            return output, None
        return output, (offsets[0] if len(offsets) == 1 else ops.concatenate(offsets, axis=1))

    def _bounds(self, queries: Any, keys: Any) -> list[Any]:
        """Where strips of query rows begin, and the end of the last."""
        batch, height, width, _ = ops.shape(queries)
        key_height, key_width = spatial_size(keys, "channels_last")
        known = all(isinstance(extent, int) for extent in (height, width, key_height, key_width))
        if self.fuse and known:
            radius = self.fuse_kernel // 2
            if min(height, width, key_height, key_width) < max(radius, 1):
                raise ValueError(
                    f"A map of {height}x{width} positions, of {key_height}x{key_width} in the background, is too small "
                    f"for `fuse_kernel={self.fuse_kernel}`: use a larger image or `fuse=False`."
                )
        if not known:
            return [0, height]
        rows = self.block_rows
        if rows is None:
            row = (batch if isinstance(batch, int) else 1) * width * key_height * key_width
            rows = max(SCORES_AT_ONCE // row, 1)
        count = math.ceil(height / max(rows, self.fuse_kernel // 2))
        return [index * height // count for index in range(count + 1)]

    def _scores(
        self, queries: Any, keys: Any, inverse_norm: Any, sums: DiagonalSums, first: Any, last: Any, height: Any
    ) -> Any:
        """Scores of the queries in rows `first` to `last`; where the height is unknown these are all rows."""
        radius = self.fuse_kernel // 2
        if not self.fuse or radius == 0:
            return self._matched(queries, keys, inverse_norm, sums, first, last, height)

        def fused(first: Any, last: Any) -> Any:
            if first == 0 and last is height:
                return fuse_along_rows(self._matched(queries, keys, inverse_norm, sums, 0, height, height), sums)
            halo = math.ceil(radius / queries.shape[2])
            low, high = max(first - halo, 0), min(last + halo, height)
            scores = fuse_along_rows(self._matched(queries, keys, inverse_norm, sums, low, high, height), sums)
            return scores[:, first - low : last - low]

        if first == 0 and last is height:
            scores = fused(0, height)
            before, after = wrapped_rows(scores, 1, radius)
            return fuse_along_columns(scores, before, after, sums)
        low, high = max(first - radius, 0), min(last + radius, height)
        scores = fused(low, high)
        if first == 0:
            before = wrapped_rows(fused(height - radius, height), 1, radius)[0]
        else:
            before, scores = scores[:, :radius], scores[:, radius:]
        if last == height:
            after = wrapped_rows(fused(0, radius), 1, radius)[1]
        else:
            scores, after = scores[:, :-radius], scores[:, -radius:]
        return fuse_along_columns(scores, before, after, sums)

    def _matched(
        self, queries: Any, keys: Any, inverse_norm: Any, sums: DiagonalSums, first: Any, last: Any, height: Any
    ) -> Any:
        """Scores of single patches, in rows `first` to `last`."""
        radius = self.kernel_size // 2
        if first == 0 and last is height:
            return match(queries, keys, inverse_norm, sums, radius, radius)
        low, high = max(first - radius, 0), min(last + radius, height)
        above, below = low - first + radius, last + radius - high
        return match(queries[:, low:high], keys, inverse_norm, sums, above, below)

    def _inverse_norm(self, keys: Any) -> Any:
        """One over the norm of the patch around each key."""
        window = (self.kernel_size, self.kernel_size)
        squares = box_sum(ops.sum(ops.square(keys), axis=-1, keepdims=True), window, "channels_last")
        if self.patch_norm == "add":
            return ops.rsqrt(squares + 1e-4 * self.kernel_size**2 * keys.shape[-1])
        # The bound is inside of the root, whose gradient at 0 is infinite.
        return ops.rsqrt(ops.maximum(squares, 1e-8))

    def _valid(self, hole_mask: Any, keys: Any) -> Any:
        """1 for keys whose whole patch is known, otherwise 0: `(batch, 1, 1, key_rows, key_columns)`."""
        mask = ops.cast(hole_mask, "float32")
        for axis, wanted, have in zip(
            spatial_axes("channels_last"),
            spatial_size(keys, "channels_last"),
            spatial_size(mask, "channels_last"),
            strict=True,
        ):
            if isinstance(wanted, int) and isinstance(have, int) and have % wanted == 0:
                mask = mask[:, :: have // wanted] if axis == 1 else mask[:, :, :: have // wanted]
            else:
                mask = ops.take(mask, ops.arange(wanted, dtype="int32") * have // wanted, axis=axis)
        holes = box_sum(mask, (self.kernel_size, self.kernel_size), "channels_last")
        known = ops.cast(ops.equal(holes, 0.0), "float32")[:, :: self.stride, :: self.stride, 0]
        return ops.expand_dims(known, (1, 2))

    def _attention(self, scores: Any, valid: Any) -> Any:
        """Weights of the keys."""
        if valid is not None and self.masking == "zero":
            scores = scores * (valid * self.scale)
        elif valid is not None:
            scores = ops.where(valid > 0, scores * self.scale, -1e9)
        else:
            scores = scores * self.scale
        shape = ops.shape(scores)
        flat = ops.reshape(scores, (*shape[:3], shape[3] * shape[4]))
        # Keras warns of a softmax over one entry, which is 1.
        flat = ops.ones_like(flat) if flat.shape[-1] == 1 else ops.softmax(flat, axis=-1)
        attention = ops.reshape(flat, shape)
        return attention if valid is None else attention * valid

    def _offsets(self, attention: Any, first: Any) -> Any:
        """Rows and columns from each query to its best key."""
        batch, rows, columns, key_rows, key_columns = ops.shape(attention)
        best = ops.argmax(ops.reshape(attention, (batch, rows, columns, key_rows * key_columns)), axis=-1)
        best = ops.cast(best, "int32")
        y = ops.reshape(ops.arange(rows, dtype="int32"), (1, -1, 1)) + first
        x = ops.reshape(ops.arange(columns, dtype="int32"), (1, 1, -1))
        return ops.stack([best // key_columns * self.stride - y, best % key_columns * self.stride - x], axis=-1)

    def compute_output_spec(self, foreground: Any, background: Any, hole_mask: Any = None) -> Any:
        output = keras.KerasTensor(foreground.shape, dtype=self.compute_dtype)
        if not self.return_offsets:
            return output
        rows, columns = (
            None if foreground.shape[axis] is None else -(-foreground.shape[axis] // self.rate)
            for axis in spatial_axes(self.data_format)
        )
        return output, keras.KerasTensor((foreground.shape[0], rows, columns, 2), dtype="int32")

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        config.update(
            kernel_size=self.kernel_size,
            stride=self.stride,
            rate=self.rate,
            fuse=self.fuse,
            fuse_kernel=self.fuse_kernel,
            scale=self.scale,
            masking=self.masking,
            patch_norm=self.patch_norm,
            downsampling=self.downsampling,
            return_offsets=self.return_offsets,
            block_rows=self.block_rows,
            data_format=self.data_format,
        )
        return config
