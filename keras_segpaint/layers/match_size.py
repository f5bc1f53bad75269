"""Cutting or padding one feature map to the size of another."""

from typing import Any

import keras
from keras import layers, ops

from keras_segpaint.ops.spatial import (
    pad_spatial,
    replace_spatial,
    slice_spatial,
    spatial_size,
    standardize_data_format,
    static_spatial_size,
)


@keras.saving.register_keras_serializable(package="keras_segpaint")
class MatchSize2D(layers.Layer):
    """Cuts a feature map, or fills it up with zeros, to the height and width of another one.

    Decoders need it where an odd size was halved and doubled again, and U-Net where valid convolutions made the
    decoder's map smaller than the encoder's. It costs nothing where the sizes are known to be equal.

    Args:
        alignment: `"start"` keeps the top left corners together; `"center"` the centres (of an odd difference, the
            smaller half is at the top and left). Defaults to `"start"`.
        data_format: `"channels_last"`, `"channels_first"` or `None` for Keras's default.
        **kwargs: Base layer arguments.

    Call arguments:
        inputs: Feature maps `(batch, height, width, channels)`.
        like: Tensor whose height and width the result takes.

    Output shape:
        `(batch, height of like, width of like, channels)`.

    Raises:
        ValueError: If `alignment` is not one of the above.

    Example:
        >>> from keras import ops
        >>> match = MatchSize2D(data_format="channels_last")
        >>> tuple(match(ops.ones((1, 8, 6, 3)), like=ops.ones((1, 7, 7, 1))).shape)
        (1, 7, 7, 3)
    """

    def __init__(self, alignment: str = "start", data_format: str | None = None, **kwargs: Any):
        super().__init__(**kwargs)
        if alignment not in ("start", "center"):
            raise ValueError(f'`alignment` must be "start" or "center". Received: alignment={alignment!r}')
        self.alignment = alignment
        self.data_format = standardize_data_format(data_format)

    def call(self, inputs: Any, like: Any) -> Any:
        have = spatial_size(inputs, self.data_format)
        want = spatial_size(like, self.data_format)
        cuts, pads = zip(*(self._cut_and_pad(h, w) for h, w in zip(have, want, strict=True)), strict=True)
        if any(not _is_nothing(cut) for cut in cuts):
            rows, columns = (slice(cut[0], h - cut[1]) for cut, h in zip(cuts, have, strict=True))
            inputs = slice_spatial(inputs, rows, columns, self.data_format)
        if any(not _is_nothing(pad) for pad in pads):
            inputs = pad_spatial(inputs, pads[0], pads[1], self.data_format)
        return inputs

    def _cut_and_pad(self, have: Any, want: Any) -> tuple[tuple[Any, Any], tuple[Any, Any]]:
        if isinstance(have, int) and isinstance(want, int):
            extra, missing = max(have - want, 0), max(want - have, 0)
        else:
            extra, missing = ops.maximum(have - want, 0), ops.maximum(want - have, 0)
        if self.alignment == "start":
            return (0, extra), (0, missing)
        return (extra // 2, extra - extra // 2), (missing // 2, missing - missing // 2)

    def compute_output_spec(self, inputs: Any, like: Any) -> keras.KerasTensor:
        size = static_spatial_size(like.shape, self.data_format)
        return keras.KerasTensor(replace_spatial(inputs.shape, size, self.data_format), dtype=self.compute_dtype)

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        config.update(alignment=self.alignment, data_format=self.data_format)
        return config


def _is_nothing(margins: tuple[Any, Any]) -> bool:
    return all(isinstance(margin, int) and margin == 0 for margin in margins)
