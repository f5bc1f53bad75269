"""What the metrics of filled images share: means over images, by the share of their holes."""

from typing import Any, Literal

import keras
import numpy as np
from keras import metrics, ops

from keras_segpaint.ops.images import check_value_range, composite, hole_mask_like, to_unit
from keras_segpaint.ops.labels import channels_last
from keras_segpaint.ops.spatial import standardize_data_format

Region = Literal["image", "hole"]

HOLE_RATIO_EDGES = (0.01, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6)


class ImageMetric(metrics.Metric):
    """The mean over all images of a data set of a value of each image, and the mean in each bucket of hole ratios.

    A bucket `(low, high]` holds the images whose share of hole pixels is above `low` and at most `high`. A subclass
    implements `values`; its name in small letters is the metric's, with `hole_` in front for holes. Masks come where
    Keras passes sample weights: `compile(weighted_metrics=[...])`.
    """

    def __init__(
        self,
        region: Region = "image",
        composite: bool = True,
        value_range: tuple[float, float] = (-1.0, 1.0),
        data_format: str | None = None,
        name: str | None = None,
    ):
        if region not in ("image", "hole"):
            raise ValueError(f'`region` must be "image" or "hole". Received: region={region!r}')
        value_range = check_value_range(value_range)
        if name is None:
            name = type(self).__name__.lower() if region == "image" else f"hole_{type(self).__name__.lower()}"
        super().__init__(name=name, dtype="float32")
        self.region = region
        self.composite = composite
        self.value_range = value_range
        self.data_format = standardize_data_format(data_format)
        cells = len(HOLE_RATIO_EDGES) + 1
        self.sums = self.add_variable((cells,), keras.initializers.Zeros(), name="sums")
        self.counts = self.add_variable((cells,), keras.initializers.Zeros(), name="counts")

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Adds a batch.

        Args:
            y_true: Images `(batch, height, width, channels)` within `value_range`.
            y_pred: The same shape; values outside of the range are clipped.
            sample_weight: The mask `(batch, height, width, 1)` or `(batch, height, width)`, 1 is a hole. Without one
                the images have no hole.

        Raises:
            ValueError: If the shapes do not fit each other, or the region is `"hole"` and there is no mask.
        """
        truth, filled = (self._unit(images) for images in (y_true, y_pred))
        if len(truth.shape) != 4 or tuple(truth.shape[1:]) != tuple(filled.shape[1:]):
            raise ValueError(
                "Both images must have the same shape (batch, height, width, channels). "
                f"Received: y_true.shape={tuple(truth.shape)}, y_pred.shape={tuple(filled.shape)}"
            )
        if sample_weight is not None:
            mask = hole_mask_like(sample_weight, truth, self.data_format)
            if self.composite:
                filled = composite(truth, filled, mask)
        elif self.region == "hole":
            raise ValueError(
                f"`{self.name}` needs the mask of holes as `sample_weight`: pass it to `compile` among "
                "`weighted_metrics`, and give `fit` or `evaluate` batches (inputs, images, masks)."
            )
        else:
            mask = ops.zeros_like(truth[..., :1])
        values, counted = self.values(truth, filled, mask)
        ratio = ops.mean(mask, axis=(1, 2, 3))
        # A share that is an edge must not cross it by rounding.
        edges = ops.convert_to_tensor(np.array(HOLE_RATIO_EDGES, "float32") + 1e-6)
        cell = ops.sum(ops.cast(ops.expand_dims(ratio, -1) > edges, "int32"), axis=-1)
        counted = ops.cast(counted, "float32")
        where = ops.one_hot(cell, len(HOLE_RATIO_EDGES) + 1, dtype="float32") * ops.expand_dims(counted, -1)
        self.sums.assign(self.sums + ops.sum(where * ops.expand_dims(values, -1), axis=0))
        self.counts.assign(self.counts + ops.sum(where, axis=0))

    def values(self, truth: Any, filled: Any, mask: Any) -> tuple[Any, Any]:
        """One value for each image, and whether it counts, from images in [0, 1] and the mask, channels last."""
        raise NotImplementedError

    def weights(self, mask: Any) -> Any:
        """How much each pixel counts: those of the region as one."""
        return mask if self.region == "hole" else ops.ones_like(mask)

    def result(self) -> Any:
        return ops.sum(self.sums) / ops.maximum(ops.sum(self.counts), 1.0)

    def by_hole_ratio(self) -> dict[tuple[float, float], tuple[float, int]]:
        """`{(low, high): (mean, images)}` for the buckets that have images; not within a compiled function."""
        sums, counts = (ops.convert_to_numpy(variable) for variable in (self.sums, self.counts))
        edges = (0.0, *HOLE_RATIO_EDGES, 1.0)
        return {
            (edges[index], edges[index + 1]): (float(sums[index] / counts[index]), round(float(counts[index])))
            for index in range(len(counts))
            if counts[index] > 0
        }

    def get_config(self) -> dict[str, Any]:
        return {
            "region": self.region,
            "composite": self.composite,
            "value_range": self.value_range,
            "data_format": self.data_format,
            "name": self.name,
        }

    def _unit(self, images: Any) -> Any:
        images = channels_last(ops.cast(ops.convert_to_tensor(images), "float32"), self.data_format)
        return ops.clip(to_unit(images, self.value_range), 0.0, 1.0)


def region_mean(values: Any, weights: Any) -> tuple[Any, Any]:
    """The mean of each image over its weighted pixels, and whether it has any."""
    channels = values.shape[-1]
    total = ops.sum(weights, axis=(1, 2, 3)) * channels
    return ops.sum(values * weights, axis=(1, 2, 3)) / ops.maximum(total, 1.0), total > 0
