"""Coherence of what fills a hole with the structure and the textures of the rest, class by class."""

from typing import Any

import keras
from keras import ops

from keras_segpaint.losses.image_base import ImageLoss
from keras_segpaint.ops.labels import sparse_labels

# Cells of one image beyond which affinities of all pairs would take more than 64 MB.
_MOST_CELLS = 4096


class CoherenceLoss(ImageLoss):
    """A loss over pairs of cells, squares of pixels, of an image."""

    def __init__(self, cell: int, data_format: str | None, name: str):
        if not isinstance(cell, int) or cell < 1:
            raise ValueError(f"`cell` must be an integer >= 1. Received: cell={cell!r}")
        super().__init__(data_format, name)
        self.cell = cell

    def __call__(self, y_true: Any, y_pred: Any, mask: Any = None, labels: Any = None) -> Any:
        with keras.name_scope(self.name):
            return self.call(y_true, y_pred, mask, labels)

    def call(self, y_true: Any, y_pred: Any, mask: Any = None, labels: Any = None) -> Any:
        y_true, y_pred, mask = self.prepare(y_true, y_pred, mask)
        mask = ops.cast(mask > 0.5, "float32")
        # Known pixels are kept anyway: what is to cohere with them is what fills the holes.
        filled = y_true * (1.0 - mask) + y_pred * mask
        hole = ops.squeeze(self._positions(ops.max_pool(mask, self.cell, self.cell, "valid", "channels_last")), -1)
        same = None
        if labels is not None:
            if self.data_format == "channels_first" and len(labels.shape) == 4:
                labels = ops.squeeze(labels, 1)
            labels = sparse_labels(labels, (*y_true.shape[:-1], 1))
            middle = self.cell // 2
            classes = labels[:, middle :: self.cell, middle :: self.cell]
            rows, columns = (extent // self.cell for extent in y_true.shape[1:3])
            classes = ops.reshape(classes[:, :rows, :columns], (-1, rows * columns))
            same = ops.cast(ops.equal(ops.expand_dims(classes, 2), ops.expand_dims(classes, 1)), "float32")
        return self.compare(self.describe(y_true), self.describe(filled), hole, same)

    def describe(self, images: Any) -> Any:
        """A vector for each cell, `(batch, cells, values)`."""
        raise NotImplementedError

    def compare(self, true: Any, filled: Any, hole: Any, same: Any) -> Any:
        """The loss, of the vectors of both images.

        Args:
            true: Vectors of the true image.
            filled: Vectors of the filled one.
            hole: `(batch, cells)`, 1 where a cell touches a hole.
            same: `(batch, cells, cells)`, 1 where two cells are of one class; `None` if that is not known.
        """
        raise NotImplementedError

    def _positions(self, maps: Any) -> Any:
        """`(batch, rows, columns, values)` as `(batch, cells, values)`; a size that is not a multiple is cut off."""
        _, rows, columns, values = maps.shape
        if rows is None or columns is None or rows * columns > _MOST_CELLS:
            raise ValueError(
                f"`{self.name}` compares all pairs of cells of {self.cell} x {self.cell} pixels, of images of known size "
                f"with at most {_MOST_CELLS} of them. Received: {rows} x {columns} cells. Give a larger `cell`."
            )
        return ops.reshape(maps, (-1, rows * columns, values))

    def get_config(self) -> dict[str, Any]:
        return {"cell": self.cell, **super().get_config()}


@keras.saving.register_keras_serializable(package="keras_segpaint")
class StructureCoherence(CoherenceLoss):
    """Whether the parts of a filled image are as alike, and as unlike, as those of the true one.

    The affinity of two cells is `exp(-sharpness * d)` of the mean squared distance `d` of their mean colours. The loss is the
    mean absolute difference of the affinities in the filled and the true image, of each cell that touches a hole with
    all cells. With labels, pairs within a class and pairs across classes weigh the same, however few there are: within, so
    that a region is of one piece, and across, so that it ends where its class ends.

    This package's own: the paper names a loss of the coherence of semantics and overall structure, of which no formula is
    public here.

    Args:
        cell: Integer >= 1, height and width of a cell in pixels. Defaults to `8`.
        sharpness: Number > 0, for images in [-1, 1]. Defaults to `8.0`.
        data_format: `"channels_last"`, `"channels_first"` or `None` for Keras's default.
        name: String. Defaults to `"structure_coherence"`.

    Call arguments:
        y_true: Images `(batch, height, width, channels)` of known size, at most 4096 cells.
        y_pred: The same shape.
        mask: `(batch, height, width, 1)` or `(batch, height, width)`, 1 is a hole.
        labels: Optional integers `(batch, height, width)` or `(batch, height, width, 1)`.

    Raises:
        ValueError: If an argument is out of range, or the shapes do not fit each other.

    References:
        - [Image Inpainting Guided by Coherence Priors of Semantics and Textures](https://arxiv.org/abs/2012.08054)

    Example:
        >>> import numpy as np
        >>> image, mask = np.zeros((1, 16, 16, 3), "float32"), np.zeros((1, 16, 16, 1), "float32")
        >>> mask[:, :8, :8] = 1
        >>> loss = StructureCoherence(data_format="channels_last")
        >>> round(float(loss(image, image, mask)), 4), round(float(loss(image, image + 1, mask)), 4)
        (0.0, 0.7497)
    """

    def __init__(
        self,
        cell: int = 8,
        sharpness: float = 8.0,
        data_format: str | None = None,
        name: str = "structure_coherence",
    ):
        if not sharpness > 0:
            raise ValueError(f"`sharpness` must be > 0. Received: sharpness={sharpness}")
        super().__init__(cell, data_format, name)
        self.sharpness = float(sharpness)

    def describe(self, images: Any) -> Any:
        return self._positions(ops.average_pool(images, self.cell, self.cell, "valid", "channels_last"))

    def compare(self, true: Any, filled: Any, hole: Any, same: Any) -> Any:
        difference = ops.abs(self._affinity(filled) - self._affinity(true))
        rows = ops.expand_dims(hole, 2) * ops.ones_like(difference)
        if same is None:
            return _mean(difference, rows)
        return 0.5 * (_mean(difference, rows * same) + _mean(difference, rows * (1.0 - same)))

    def _affinity(self, vectors: Any) -> Any:
        return ops.exp(-self.sharpness / vectors.shape[-1] * _squared_distances(vectors, vectors))

    def get_config(self) -> dict[str, Any]:
        return {"sharpness": self.sharpness, **super().get_config()}


@keras.saving.register_keras_serializable(package="keras_segpaint")
class TextureCoherence(CoherenceLoss):
    """Whether the textures in the holes occur elsewhere in the image, in the same class.

    The texture of a cell is the vector of its pixels. For each cell that touches a hole, the loss is the soft minimum of
    its mean squared distances to the cells without a hole, with labels to those of its class: `-log(mean(exp(-sharpness *
    d))) / sharpness`. Cells that have none to compare with do not count.

    This package's own: the paper names a loss of the coherence of semantics and detailed textures, of which no formula is
    public here.

    Args:
        cell: Integer >= 1, height and width of a cell in pixels. Defaults to `4`.
        sharpness: Number > 0, for images in [-1, 1]. Defaults to `16.0`.
        data_format: `"channels_last"`, `"channels_first"` or `None` for Keras's default.
        name: String. Defaults to `"texture_coherence"`.

    Call arguments:
        y_true: Images `(batch, height, width, channels)` of known size, at most 4096 cells.
        y_pred: The same shape.
        mask: `(batch, height, width, 1)` or `(batch, height, width)`, 1 is a hole.
        labels: Optional integers `(batch, height, width)` or `(batch, height, width, 1)`.

    Raises:
        ValueError: If an argument is out of range, or the shapes do not fit each other.

    References:
        - [Image Inpainting Guided by Coherence Priors of Semantics and Textures](https://arxiv.org/abs/2012.08054)

    Example:
        >>> import numpy as np
        >>> image, mask = np.zeros((1, 8, 8, 3), "float32"), np.zeros((1, 8, 8, 1), "float32")
        >>> mask[:, :4, :4] = 1
        >>> loss = TextureCoherence(data_format="channels_last")
        >>> abs(round(float(loss(image, image, mask)), 4)), round(float(loss(image, image + 0.5, mask)), 4)
        (0.0, 0.25)
    """

    def __init__(
        self,
        cell: int = 4,
        sharpness: float = 16.0,
        data_format: str | None = None,
        name: str = "texture_coherence",
    ):
        if not sharpness > 0:
            raise ValueError(f"`sharpness` must be > 0. Received: sharpness={sharpness}")
        super().__init__(cell, data_format, name)
        self.sharpness = float(sharpness)

    def describe(self, images: Any) -> Any:
        rows, columns = (extent // self.cell for extent in images.shape[1:3])
        images = images[:, : rows * self.cell, : columns * self.cell]
        cells = ops.reshape(images, (-1, rows, self.cell, columns, self.cell * images.shape[-1]))
        cells = ops.transpose(cells, (0, 1, 3, 2, 4))
        return self._positions(ops.reshape(cells, (-1, rows, columns, self.cell**2 * images.shape[-1])))

    def compare(self, true: Any, filled: Any, hole: Any, same: Any) -> Any:
        distance = _squared_distances(filled, true) / true.shape[-1]
        allowed = ops.expand_dims(1.0 - hole, 1) * ops.ones_like(distance)
        if same is not None:
            allowed = allowed * same
        energy = -self.sharpness * distance
        # Subtracted from all, it makes the largest term that counts 1.
        best = ops.stop_gradient(ops.max(ops.where(allowed > 0, energy, -1e9), axis=-1, keepdims=True))
        count = ops.sum(allowed, axis=-1)
        terms = ops.sum(ops.exp(ops.where(allowed > 0, energy - best, -1e4)), axis=-1)
        soft = ops.squeeze(best, -1) + ops.log(ops.maximum(terms, 1e-20) / ops.maximum(count, 1.0))
        return _mean(-soft / self.sharpness, hole * ops.cast(count > 0, "float32"))

    def get_config(self) -> dict[str, Any]:
        return {"sharpness": self.sharpness, **super().get_config()}


def _squared_distances(first: Any, second: Any) -> Any:
    """Of each vector to each, `(batch, cells, cells)`."""
    squares = [ops.sum(ops.square(vectors), axis=-1) for vectors in (first, second)]
    products = ops.matmul(first, ops.transpose(second, (0, 2, 1)))
    return ops.maximum(ops.expand_dims(squares[0], 2) + ops.expand_dims(squares[1], 1) - 2.0 * products, 0.0)


def _mean(values: Any, weights: Any) -> Any:
    """The weighted mean; 0 where nothing counts."""
    return ops.sum(values * weights) / ops.maximum(ops.sum(weights), 1.0)
