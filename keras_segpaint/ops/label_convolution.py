"""Convolution of label maps."""

from typing import Any

import keras
from keras import ops

__all__ = ["convolve_labels", "label_indices"]


def label_indices(labels: Any, num_labels: int, ignore_class: int | None) -> Any:
    """Which plane each pixel's label has, as `LabelMapEncoding` counts them; the number of planes where it has none.

    Args:
        labels: Integers or whole floats of any shape.
        num_labels: Integer; labels `0` to `num_labels - 1` have a plane each.
        ignore_class: The label of the plane after them, or `None`.

    Returns:
        int32, of the shape of `labels`.
    """
    labels = ops.cast(labels, "int32")
    known = ops.logical_and(labels >= 0, labels < num_labels)
    if ignore_class is None:
        return ops.where(known, labels, num_labels)
    beyond = ops.where(ops.equal(labels, ignore_class), num_labels, num_labels + 1)
    return ops.where(known, labels, beyond)


def convolve_labels(indices: Any, kernel: Any) -> Any:
    """The convolution of one-hot planes without the planes: for each of the kernel's places a row is looked up and added.

    That is `k * k` additions for each output, where the convolution has `k * k * planes` multiplications.

    Args:
        indices: int32 `(batch, height, width)`, the plane that is 1 at each pixel; `planes` where none is.
        kernel: `(k, k, planes, filters)`, k odd.

    Returns:
        `(batch, height, width, filters)`, zeros around the map, in the kernel's type.

    Example:
        >>> import numpy as np
        >>> kernel = np.arange(9.0, dtype="float32").reshape(3, 3, 1, 1)
        >>> ops.convert_to_numpy(convolve_labels(np.array([[[1, 0, 1]]]), kernel))[0, 0, :, 0].tolist()
        [5.0, 4.0, 3.0]
    """
    size, _, planes, filters = kernel.shape
    # A variable of TensorFlow becomes its value, which a gradient of one's own can be given for.
    kernel = ops.reshape(kernel, (size, size, planes, filters))
    border = size // 2
    indices = ops.pad(ops.cast(indices, "int32"), [[0, 0], [border, border], [border, border]], constant_values=planes)
    places = [(y, x) for y in range(size) for x in range(size)]

    def at(maps: Any, place: tuple[int, int]) -> Any:
        """What the kernel's place sees of maps with a border, from every pixel."""
        rows, columns = (slice(start, (start - 2 * border) or None) for start in place)
        return maps[:, rows, columns]

    @ops.custom_gradient
    def convolve(kernel: Any) -> Any:
        nothing = ops.zeros_like(kernel[0, 0, :1])
        total = None
        for y, x in places:
            seen = ops.take(ops.concatenate([kernel[y, x], nothing]), at(indices, (y, x)), axis=0)
            total = seen if total is None else total + seen

        def gradient(*arguments: Any, upstream: Any = None) -> Any:
            # The sum of what comes back to the pixels of each plane; adding rows up one by one is slow on a processor
            # and slower on a GPU, where few planes are many collisions.
            upstream = ops.reshape(arguments[0] if upstream is None else upstream, (-1, filters))
            found = ops.equal(ops.expand_dims(indices, -1), ops.arange(planes, dtype="int32"))
            one_hot = ops.cast(found, keras.backend.standardize_dtype(kernel.dtype))
            parts = [
                ops.matmul(ops.transpose(ops.reshape(at(one_hot, place), (-1, planes))), upstream) for place in places
            ]
            return ops.reshape(ops.stack(parts), kernel.shape)

        return total, gradient

    return convolve(kernel)
