"""Runs a network over all tiles of an image."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np

from keras_segpaint.inference.canvas import Canvas, ClassCanvas
from keras_segpaint.inference.grid import Grid
from keras_segpaint.inference.passes import Passes, Result
from keras_segpaint.inference.tiles import Axis, Span

__all__ = ["run_tiles"]


def run_tiles(
    passes: Passes,
    canvas: Canvas | ClassCanvas,
    grid: Grid,
    rows: Axis,
    columns: Axis,
    batch_size: int,
    normalize: bool,
    variance: bool,
    progress: Callable[[int, int], None] | None = None,
) -> None:
    """Fills a canvas; while the network is at a batch of tiles, a thread puts the last one together.

    Args:
        passes: Runs the network.
        canvas: Takes the results.
        grid: The image.
        rows: Rows of tiles.
        columns: Columns of tiles.
        batch_size: Tiles that go through the network together, at most.
        normalize: As in `Passes`.
        variance: As in `Passes`.
        progress: Called with `(done, total)` tiles.
    """
    border = passes.border
    height, width = rows.length + 2 * border, columns.length + 2 * border
    places = [(row, column) for row in rows.spans for column in columns.spans]

    def add(batch: list[tuple[Span, Span]], results: list[Result]) -> None:
        for (row, column), result in zip(batch, results, strict=False):
            canvas.add(row, column, result)

    # Batches of equal size, the last one filled up: a network is compiled once.
    count = -(-len(places) // batch_size)
    batch_size = -(-len(places) // count)
    with ThreadPoolExecutor(1, thread_name_prefix="tiles") as thread:
        last: Future[None] | None = None
        for start in range(0, len(places), batch_size):
            batch = places[start : start + batch_size]
            windows = np.empty((batch_size, height, width, passes.channels), np.float32)
            for index in range(batch_size):
                row, column = batch[min(index, len(batch) - 1)]
                windows[index] = grid.part(row.start - border, column.start - border, height, width)
            results = passes(windows, normalize=normalize, variance=variance)
            if last is not None:
                last.result()
            last = thread.submit(add, batch, results)
            if progress is not None:
                progress(min(start + batch_size, len(places)), len(places))
        if last is not None:
            last.result()
    canvas.finish()
