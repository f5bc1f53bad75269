"""Label maps as planes."""

from typing import Any

import keras
from keras import layers, ops

from keras_segpaint.ops.spatial import channel_axis, standardize_data_format


@keras.saving.register_keras_serializable(package="keras_segpaint")
class LabelMapEncoding(layers.Layer):
    """One plane of zeros and ones for each label of a label map, and one for what is ignored.

    A label that is neither in `[0, num_labels)` nor ignored is 0 in all planes: inside a graph there is no other answer
    that is the same on every backend. Check labels where they are read.

    Args:
        num_labels: Integer >= 1; labels are `0` to `num_labels - 1`.
        ignore_class: The label of pixels of which nothing is known, which have the last plane for themselves; outside of
            `[0, num_labels)`. `None` if there is none. Defaults to `255`.
        data_format: `"channels_last"`, `"channels_first"` or `None` for Keras's default.
        **kwargs: Base layer arguments.

    Input shape:
        Labels, integers or whole floats, `(batch, height, width)` or `(batch, height, width, 1)`.

    Output shape:
        `(batch, height, width, planes)`, with `num_labels + 1` planes if there is an ignored label, otherwise
        `num_labels`.

    Raises:
        ValueError: If a number is not one of the above, or the input has more than one channel.

    Example:
        >>> labels = keras.ops.convert_to_tensor([[[0, 1, 255, 7]]])
        >>> planes = LabelMapEncoding(2, data_format="channels_last")(labels)
        >>> keras.ops.convert_to_numpy(planes)[0, 0].tolist()
        [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0], [0.0, 0.0, 0.0]]
    """

    def __init__(self, num_labels: int, ignore_class: int | None = 255, data_format: str | None = None, **kwargs: Any):
        # Labels given as floats are not cast to half precision, which has no whole numbers of three digits.
        super().__init__(autocast=False, **kwargs)
        if not isinstance(num_labels, int) or num_labels < 1:
            raise ValueError(f"`num_labels` must be an integer >= 1. Received: num_labels={num_labels!r}")
        if ignore_class is not None and (not isinstance(ignore_class, int) or 0 <= ignore_class < num_labels):
            raise ValueError(
                f"`ignore_class` must be None or an integer outside of [0, {num_labels}), the labels that have a plane "
                f"anyway. Received: ignore_class={ignore_class!r}"
            )
        self.num_labels = num_labels
        self.ignore_class = ignore_class
        self.data_format = standardize_data_format(data_format)

    @property
    def num_planes(self) -> int:
        """How many planes the result has."""
        return self.num_labels + (self.ignore_class is not None)

    def call(self, inputs: Any) -> Any:
        labels = ops.cast(inputs, "int32")
        axis = channel_axis(self.data_format)
        if len(labels.shape) == 3:
            labels = ops.expand_dims(labels, axis)
        ids = ops.arange(self.num_labels, dtype="int32")
        if self.ignore_class is not None:
            ids = ops.concatenate([ids, ops.full((1,), self.ignore_class, dtype="int32")])
        if self.data_format == "channels_first":
            ids = ops.reshape(ids, (-1, 1, 1))
        return ops.cast(ops.equal(labels, ids), self.compute_dtype)

    def compute_output_spec(self, inputs: Any) -> keras.KerasTensor:
        shape = list(inputs.shape)
        axis = channel_axis(self.data_format)
        if len(shape) == 4 and shape[axis] == 1:
            del shape[axis]
        if len(shape) != 3:
            raise ValueError(
                "Labels must be of shape (batch, height, width) or have one channel. "
                f"Received: shape {tuple(inputs.shape)} ({self.data_format})"
            )
        shape.insert(axis if axis >= 0 else 3, self.num_planes)
        return keras.KerasTensor(tuple(shape), dtype=self.compute_dtype)

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        config.update(num_labels=self.num_labels, ignore_class=self.ignore_class, data_format=self.data_format)
        return config
