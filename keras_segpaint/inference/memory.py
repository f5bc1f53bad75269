"""What a prediction takes in memory, and tiles that keep it below a bound."""

from typing import NamedTuple

import keras

from keras_segpaint.inference.images import channels_first, input_channels, input_size

__all__ = ["Needs", "activation_bytes", "mebibytes", "tile_within"]

_SIDES = (1024, 768, 512, 384, 256, 192, 128, 96, 64)
_FLOAT = 4
_PROBE = 252  # a size that unpadded U-Nets take too


class Needs(NamedTuple):
    """Bytes that a prediction takes beside the image.

    Args:
        kept: What does not depend on the tiles: the result, and maps of the whole image.
        per_band_pixel: For each pixel of a row of tiles.
        per_pixel: For each pixel that goes through the network at a time.
    """

    kept: int
    per_band_pixel: int
    per_pixel: float

    def total(self, size: tuple[int, ...], tile: tuple[int, ...], batch_size: int) -> int:
        """All of it, with tiles of a size over an image of a size."""
        height, width = size
        band = 0 if tile[0] >= height and tile[1] >= width else tile[0] * max(width, tile[1]) * self.per_band_pixel
        return self.kept + band + int(tile[0] * tile[1] * batch_size * self.per_pixel)


def tile_within(
    bound: int, needs: Needs, size: tuple[int, ...], batch_size: int, smallest: int, border: int = 0
) -> tuple[int, int | None]:
    """The largest batch of the largest tiles that a bound allows.

    Args:
        bound: Bytes.
        needs: What the prediction takes.
        size: Height and width of the image.
        batch_size: Tiles that go through the network together, at most.
        smallest: Pixels that a tile must be larger than on each side.
        border: Pixels that the network sees around its output.

    Returns:
        The batch size and the height and width of a tile, `None` if the whole image fits.

    Raises:
        ValueError: If nothing fits; the message says what would.

    Example:
        >>> needs = Needs(kept=10**6, per_band_pixel=40, per_pixel=1000)
        >>> tile_within(2 * 10**9, needs, (1000, 1000), 4, smallest=0)
        (1, None)
        >>> tile_within(5 * 10**8, needs, (1000, 1000), 4, smallest=0)
        (1, 512)
    """
    whole = size[0] + 2 * border, size[1] + 2 * border
    if needs.total(size, whole, 1) <= bound:
        return 1, None
    sides = [side for side in _SIDES if side > smallest]
    for side in sides:
        for batch in range(batch_size, 0, -1):
            if needs.total(size, (side, side), batch) <= bound:
                return batch, side
    least = needs.total(size, (sides[-1], sides[-1]), 1) if sides else needs.total(size, whole, 1)
    raise ValueError(
        f"`max_memory` is too small for an image of {size[0]} x {size[1]} pixels. Received: "
        f"max_memory={mebibytes(bound)} MiB. It takes {mebibytes(least)} MiB, of which {mebibytes(needs.kept)} are maps of the "
        "whole image. Raise it, ask for classes alone, or have the image made smaller by `size`."
    )


def activation_bytes(model: keras.Model) -> float:
    """Bytes of all outputs of a network's layers for each pixel of its input, more than are alive at one time.

    A network inside of it is taken to see the whole image.

    Example:
        >>> from keras import layers
        >>> image = keras.Input((None, None, 3))
        >>> activation_bytes(keras.Model(image, layers.Conv2D(2, 1, data_format="channels_last")(image)))
        20.0
    """
    rows, columns = (extent or _PROBE for extent in input_size(model))
    channels = input_channels(model)
    shape = (1, channels, rows, columns) if channels_first(model) else (1, rows, columns, channels)
    nested = [layer for layer in model.layers if isinstance(layer, keras.Model)]
    plain = [layer for layer in model.layers if not isinstance(layer, keras.Model)]
    inside = [tensor for layer in plain for tensor in keras.tree.flatten(layer.output)]
    function = keras.Function(model.inputs, inside)
    specs = function.compute_output_spec([keras.KerasTensor(shape, dtype=model.inputs[0].dtype)])
    elements = 0
    for spec in specs:
        count = 1
        for extent in spec.shape:
            count *= extent
        elements += count
    return _FLOAT * elements / (rows * columns) + sum(map(activation_bytes, nested))


def mebibytes(count: int) -> int:
    """Bytes in MiB, rounded up."""
    return -(-count // 2**20)
