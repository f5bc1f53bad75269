"""Classes, probabilities and uncertainty of images of any size."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import keras
import numpy as np

from keras_segpaint.inference.canvas import Canvas, ClassCanvas
from keras_segpaint.inference.flips import check_flips
from keras_segpaint.inference.grid import Grid, classes_of, enlarged
from keras_segpaint.inference.images import to_bytes
from keras_segpaint.inference.memory import Needs, activation_bytes, mebibytes, tile_within
from keras_segpaint.inference.passes import Passes
from keras_segpaint.inference.planes import class_map, class_type
from keras_segpaint.inference.receptive import estimated_margin
from keras_segpaint.inference.run_tiles import run_tiles
from keras_segpaint.inference.tiles import ALIGNMENT, Axis, blended_axis, trimmed_axis

__all__ = ["Segmentation", "Segmenter"]

_TINY = np.finfo(np.float32).tiny

Crf = Callable[[np.ndarray, np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Segmentation:
    """What was predicted for one image.

    Args:
        classes: `(height, width)`, the class of every pixel; uint8, or uint16 beyond 256 classes.
        probabilities: float32 `(height, width, num_classes)`, or `None` if not asked for.
        uncertainty: float32 `(height, width)` in [0, 0.25], the variance of the probabilities over all passes, averaged
            over the classes; `None` if not asked for.
    """

    classes: np.ndarray
    probabilities: np.ndarray | None = None
    uncertainty: np.ndarray | None = None


class Segmenter:
    """Segments images of any size and type: whole or in tiles, in one pass or as the mean of many.

    Tiles are put together band by band, so the probabilities of a large image are never held as a whole unless they are
    asked for.

    Two ways to tile: `mode="blend"` covers the image with tiles that fade into each other. `mode="overlap_tile"` is that of
    U-Net's paper: the image is mirrored beyond its border, and a margin of each tile is thrown away. Where the margin is at
    least as wide as the network's receptive field reaches, the result is that of the image as a whole, in either mode.

    Args:
        model: A functional segmentation model that gives logits. A `UNet` of unpadded convolutions sees the image mirrored
            beyond its border in either mode.
        size: `(height, width)` to which images are resized for the network. Defaults to their own size; for a model
            built for one size and without `tile`, to that.
        tile: `(height, width)` of what the network sees at a time; `None` for the whole image, or what `max_memory`
            allows. Tiles may get up to 31 rows and columns smaller, so that all begin at multiples of 32, the
            largest output stride. A model that was built for one size takes no other.
        mode: `"blend"` or `"overlap_tile"`. Defaults to `"blend"`.
        overlap: How much neighbouring tiles share at least when they are blended: pixels, or a float in [0, 1) for a share
            of the tile. Defaults to `0.25`, or twice the margin where that is more.
        margin: Integer >= 0, pixels at the edges of tiles without weight. Defaults to `0` for blended tiles and for
            unpadded networks, else to how far the network is found to look on noise, at most an eighth of the tile.
        window: `"linear"` or `"gaussian"`: how blended tiles fade. Defaults to `"linear"`.
        scales: Factors > 0 by which tiles are also resized for the network: the probabilities are the mean over
            all. Defaults to `(1.0,)`.
        flips: `False`, `"horizontal"`, `"vertical"` or `"both"`: images are also seen turned round. Defaults to `False`.
        samples: Integer >= 0, passes with dropout on, as in `mc_dropout`, for each scale and flip. Defaults to `0`,
            one pass without.
        seed: Integer, of the dropout: the same image gives the same result. Defaults to `None`.
        crf: A function that refines the probabilities: takes float32 `(height, width, num_classes)` and the uint8 image
            `(height, width, 3)`, and gives probabilities of the same shape. Defaults to `None`.
        argmax: Where the image was resized for the network: `"after"` resizes its logits back and then takes the class of
            the highest, `"before"` takes it at the network's size, faster and with coarser edges. Defaults to `"after"`.
        batch_size: Integer >= 1, tiles that go through the network together. Defaults to `4`.
        max_memory: MiB that a call may take beside the image and the network's weights: chooses `tile` if that is `None`, and
            fewer tiles at a time. The network's part is estimated as all outputs of its layers together; what `crf`
            takes for itself is not counted. Defaults to `None`, no bound.

    Call arguments:
        image: uint8, uint16, or floating in [0, 1]; `(height, width)` or `(height, width, channels)` with 1, 3 or 4
            channels. Grey and RGB are converted to what the model takes, transparency is dropped.
        probabilities: Boolean, also give the probabilities. Defaults to `False`.
        uncertainty: Boolean, also give the uncertainty; needs more than one pass. Defaults to `False`.
        progress: Called with `(done, total)` tiles. Defaults to `None`.

    Returns:
        A `Segmentation` of the image's size.

    Raises:
        ValueError: If an argument is out of range or does not fit the model, the image is not as above, or what is asked for
            exceeds `max_memory`.

    References:
        - [U-Net](https://arxiv.org/abs/1505.04597), section 2 (overlap-tile)
        - [Bayesian SegNet](https://arxiv.org/abs/1511.02680), section 4 (samples of dropout)

    Example:
        >>> from keras_segpaint.models import UNet
        >>> segmenter = Segmenter(UNet(3, base_filters=2), tile=(16, 16), flips="horizontal")
        >>> result = segmenter(np.zeros((21, 30, 3), "uint8"), uncertainty=True)
        >>> result.classes.shape, result.uncertainty.shape, result.probabilities
        ((21, 30), (21, 30), None)
    """

    def __init__(
        self,
        model: keras.Model,
        *,
        size: tuple[int, int] | None = None,
        tile: tuple[int, int] | None = None,
        mode: str = "blend",
        overlap: int | float | None = None,
        margin: int | None = None,
        window: str = "linear",
        scales: Sequence[float] = (1.0,),
        flips: str | bool = False,
        samples: int = 0,
        seed: int | None = None,
        crf: Crf | None = None,
        argmax: str = "after",
        batch_size: int = 4,
        max_memory: float | None = None,
    ):
        check_flips(flips)
        for name, value, allowed in (
            ("mode", mode, ("blend", "overlap_tile")),
            ("window", window, ("linear", "gaussian")),
            ("argmax", argmax, ("after", "before")),
        ):
            if value not in allowed:
                raise ValueError(f"`{name}` must be one of {allowed}. Received: {name}={value!r}")
        for name, number, least in (("samples", samples, 0), ("batch_size", batch_size, 1), ("margin", margin or 0, 0)):
            if int(number) != number or number < least:
                raise ValueError(f"`{name}` must be an integer >= {least}. Received: {name}={number}")
        for name, pair in (("size", size), ("tile", tile)):
            if pair is not None and (len(pair) != 2 or min(pair) < 1):
                raise ValueError(f"`{name}` must be (height, width), both >= 1. Received: {name}={pair}")
        if not scales or min(scales) <= 0:
            raise ValueError(f"`scales` must be one or more factors > 0. Received: scales={tuple(scales)}")
        if overlap is not None and mode == "overlap_tile":
            raise ValueError(
                f"`overlap` is for blended tiles; with mode='overlap_tile' give `margin`. Received: overlap={overlap}"
            )
        if overlap is not None and (overlap < 0 or (isinstance(overlap, float) and overlap >= 1)):
            raise ValueError(
                f"`overlap` must be an integer >= 0 (pixels) or a float in [0, 1). Received: overlap={overlap}"
            )
        if max_memory is not None and max_memory <= 0:
            raise ValueError(f"`max_memory` must be MiB > 0. Received: max_memory={max_memory}")
        self.model = model
        self.mode = mode
        self.overlap = overlap
        self.window = window
        self.crf = crf
        self.argmax = argmax
        self.batch_size = int(batch_size)
        self.max_memory = max_memory
        self._passes = Passes(model, tuple(scales), flips, int(samples), seed)
        self._given_margin = margin
        self.tile = self._checked_tile(tile)
        self.size = self._checked_size(size)

    def __call__(
        self,
        image: Any,
        *,
        probabilities: bool = False,
        uncertainty: bool = False,
        progress: Callable[[int, int], None] | None = None,
    ) -> Segmentation:
        if uncertainty and self._passes.count == 1:
            raise ValueError(
                "`uncertainty` is the variance over several passes, and there is one. Give the segmenter `samples`, `flips` "
                "or `scales`."
            )
        grid = Grid(image, self._passes.channels, self.size)
        rows, columns, batch_size = self._layout(grid, probabilities, uncertainty)
        self._passes.restart()
        # One pass whose logits nothing is mixed with needs no softmax to know the highest.
        plain = self._passes.count == 1 and not probabilities and self.crf is None
        plain = plain and (self.mode == "overlap_tile" or len(rows.spans) * len(columns.spans) == 1)
        keeps = probabilities or grid.resized or self.crf is not None
        classes = self._passes.classes
        result = np.empty((*grid.size, classes), np.float32) if keeps else np.empty(grid.size, class_type(classes))
        spread = np.empty(grid.size, np.float32) if uncertainty else None

        def take(top: int, planes: np.ndarray, variance: np.ndarray | None) -> None:
            result[top : top + planes.shape[1]] = planes.transpose(1, 2, 0) if keeps else class_map(planes)
            if spread is not None and variance is not None:
                spread[top : top + len(variance)] = variance

        direct = plain and not keeps
        canvas = ClassCanvas(result) if direct else Canvas(rows, grid.size[1], classes, uncertainty, take)
        run_tiles(self._passes, canvas, grid, rows, columns, batch_size, not plain, uncertainty, progress)
        if not keeps:
            return Segmentation(result, None, spread)
        return self._from_maps(result, spread, grid, probabilities, plain)

    def _from_maps(
        self, maps: np.ndarray, spread: np.ndarray | None, grid: Grid, probabilities: bool, plain: bool
    ) -> Segmentation:
        before = self.argmax == "before" or not grid.resized
        if self.crf is not None and before:
            maps = self._refined(maps, grid.picture())
        if not grid.resized:
            return Segmentation(classes_of(maps), maps if probabilities else None, spread)
        import cv2

        height, width = grid.original
        if spread is not None:
            spread = cv2.resize(spread, (width, height), interpolation=cv2.INTER_LINEAR)
        classes = None
        if before:
            classes = cv2.resize(classes_of(maps), (width, height), interpolation=cv2.INTER_NEAREST_EXACT)
            if not probabilities:
                return Segmentation(classes, None, spread)
        if not plain:
            # Logarithms of probabilities are logits: interpolated, they give what the network's own would.
            np.log(np.maximum(maps, _TINY, out=maps), out=maps)
        refines = self.crf is not None and not before
        after, found = enlarged(maps, (height, width), probabilities or refines)
        if refines and found is not None:
            found = self._refined(found, to_bytes(grid.image))
            after = classes_of(found)
        return Segmentation(after if classes is None else classes, found if probabilities else None, spread)

    def _refined(self, probabilities: np.ndarray, picture: np.ndarray) -> np.ndarray:
        refined = np.asarray(self.crf(probabilities, picture) if self.crf else probabilities, np.float32)
        if refined.shape != probabilities.shape:
            raise ValueError(
                f"`crf` must give probabilities of the shape that it takes, {probabilities.shape}. Received: {refined.shape}"
            )
        return refined

    def _layout(self, grid: Grid, probabilities: bool, uncertainty: bool) -> tuple[Axis, Axis, int]:
        """Rows and columns of tiles, and how many go through the network together."""
        tile, batch_size = self.tile, self.batch_size
        if self.max_memory is not None:
            tile, batch_size = self._within_memory(grid, probabilities, uncertainty)
        rows, columns = (
            self._axis(extent, None if tile is None else tile[axis], self._passes.fixed[axis] is None)
            for axis, extent in enumerate(grid.size)
        )
        return rows, columns, batch_size

    def _axis(self, extent: int, tile: int | None, free: bool) -> Axis:
        border, margin = self._passes.border, self._outer_margin
        if tile is None:
            length = self._passes.legal(extent + 2 * (margin + border)) - 2 * border
            return trimmed_axis(extent, length, margin, adjustable=False, alignment=max(length, 1))
        length = self._passes.legal(tile) - 2 * border
        alignment = self._passes.stride or ALIGNMENT
        adjustable = free and not border
        if self.mode == "overlap_tile":
            if length <= 2 * margin:
                raise ValueError(
                    f"`tile` must be larger than twice the margin of {margin + border} pixels. Received: a side of {tile}"
                )
            return trimmed_axis(extent, length, margin, adjustable=adjustable, alignment=alignment)
        overlap = self._overlap(length)
        return blended_axis(
            extent,
            length,
            overlap,
            self._given_margin or 0,
            self.window,
            adjustable=adjustable,
            mirrored=border > 0,
            alignment=alignment,
        )

    def _overlap(self, length: int) -> int:
        """Pixels that tiles share whose output has `length` rows."""
        least = 2 * (self._given_margin or 0)
        if self.overlap is None:
            pixels = max(length // 4, least)
        else:
            pixels = int(self.overlap * length) if isinstance(self.overlap, float) else self.overlap
        if not least <= pixels < length:
            raise ValueError(
                f"`overlap` must be at least twice the margin ({least} pixels) and less than the tile's output ({length}). "
                f"Received: overlap={self.overlap}, {pixels} pixels. Take larger tiles, or another overlap."
            )
        return pixels

    def _within_memory(self, grid: Grid, probabilities: bool, uncertainty: bool) -> tuple[tuple[int, int] | None, int]:
        """The tile and the batch size that `max_memory` allows."""
        classes, channels = self._passes.classes, self._passes.channels
        original, seen = (int(np.prod(size)) for size in (grid.original, grid.size))
        kept = original * class_type(classes)().itemsize + (original + seen) * 4 * uncertainty
        if grid.resized:
            kept += seen * 4 * (classes + channels)
        if probabilities or self.crf is not None:
            kept += original * 4 * classes * (1 if self.crf is None else 2)
        work = classes * (3 if self._passes.count == 1 else 8) + 2 * channels
        needs = Needs(kept, 4 * (classes + uncertainty), self._activations + 4 * work)
        bound = int(self.max_memory * 2**20) if self.max_memory is not None else 0
        if self.tile is None and None in self._passes.fixed:
            around = self._passes.border + self._outer_margin
            smallest = 2 * around + ALIGNMENT if around else 0
            batch_size, side = tile_within(bound, needs, grid.size, self.batch_size, smallest, around)
            return None if side is None else (side, side), batch_size
        tile = tuple(extent + 2 * self._passes.border for extent in grid.size)
        if self.tile is not None:
            alone = self.mode == "overlap_tile" or self._passes.border or None not in self._passes.fixed
            tile = self.tile if alone else tuple(min(pair) for pair in zip(self.tile, tile, strict=True))
        for batch_size in range(self.batch_size, 0, -1):
            if needs.total(grid.size, tile, batch_size) <= bound:
                return self.tile, batch_size
        raise ValueError(
            f"`max_memory` is too small for an image of {grid.original[0]} x {grid.original[1]} pixels in tiles of {tile[0]} x "
            f"{tile[1]}. Received: max_memory={self.max_memory:g} MiB. It takes "
            f"{mebibytes(needs.total(grid.size, tile, 1))} MiB, of which {mebibytes(kept)} are maps of the whole image. "
            "Raise it, take smaller tiles, or ask for classes alone."
        )

    @cached_property
    def _activations(self) -> float:
        return activation_bytes(self.model) * max(1.0, *(scale**2 for scale in self._passes.scales))

    @cached_property
    def _outer_margin(self) -> int:
        """Pixels around each tile that are thrown away, beside the border of an unpadded network."""
        if self.mode == "blend":
            return 0
        if self._given_margin is not None or self._passes.border:
            return self._given_margin or 0
        return estimated_margin(self._passes, self.tile)

    def _checked_tile(self, tile: tuple[int, int] | None) -> tuple[int, int] | None:
        if tile is None:
            return None
        for side, fixed in zip(tile, self._passes.fixed, strict=True):
            if fixed is not None and side != fixed:
                raise ValueError(
                    f"`tile` must be {self._passes.fixed}, the size that the model was built for. Received: tile={tile}"
                )
        return int(tile[0]), int(tile[1])

    def _checked_size(self, size: tuple[int, int] | None) -> tuple[int, int] | None:
        rows, columns = self._passes.fixed
        if self.tile is not None or rows is None or columns is None:
            return None if size is None else (int(size[0]), int(size[1]))
        around = 2 * (self._passes.border + self._outer_margin)
        wanted = rows - around, columns - around
        if size is not None and tuple(size) != wanted:
            raise ValueError(
                f"`size` must be {wanted}, since the model was built for {rows} x {columns} pixels. Received: size={size}. "
                "Leave it away, or give `tile`."
            )
        return wanted
