"""Shift-Net's shift layer."""

from typing import Any

import keras
from keras import layers, ops

from keras_segpaint.ops.labels import channels_last
from keras_segpaint.ops.spatial import standardize_data_format


@keras.saving.register_keras_serializable(package="keras_segpaint")
class FeatureShift(layers.Layer):
    """Copies to every hole position of a decoder's features the encoder's features of the most similar known position.

    The contrast to `ContextualAttention`: each position takes all from one other, where attention mixes many. Similar
    is what has the largest cosine. The choice has no gradient; the copied features have. Cosines are float32 under
    every dtype policy. Memory grows with the square of `height * width`.

    Args:
        data_format: `"channels_last"`, `"channels_first"` or `None` for Keras's default.
        **kwargs: Base layer arguments.

    Call arguments:
        decoder: Feature maps `(batch, height, width, channels)`, whose hole positions are to be filled.
        encoder: Feature maps of the same shape, to copy from.
        hole_mask: Hole mask `(batch, height, width, 1)`, 1 for a hole.

    Output shape:
        That of the features: copies in the hole, 0 elsewhere, and 0 everywhere if nothing is known.

    References:
        - [Shift-Net: Image Inpainting via Deep Feature Rearrangement](https://arxiv.org/abs/1801.09392), section 3.2.

    Example:
        >>> from keras import ops
        >>> x = ops.reshape(ops.convert_to_tensor([[1.0, 0.0], [0.0, 2.0], [3.0, 1.0]]), (1, 1, 3, 2))
        >>> hole = ops.reshape(ops.convert_to_tensor([0.0, 0.0, 1.0]), (1, 1, 3, 1))
        >>> ops.convert_to_numpy(FeatureShift(data_format="channels_last")(x, x, hole))[0, 0].tolist()
        [[0.0, 0.0], [0.0, 0.0], [1.0, 0.0]]
    """

    def __init__(self, data_format: str | None = None, **kwargs: Any):
        super().__init__(**kwargs)
        self.data_format = standardize_data_format(data_format)

    def call(self, decoder: Any, encoder: Any, hole_mask: Any) -> Any:
        decoder, encoder, hole = (channels_last(x, self.data_format) for x in (decoder, encoder, hole_mask))
        batch, height, width, channels = ops.shape(decoder)
        positions = height * width
        query, key = (
            ops.normalize(ops.reshape(ops.cast(x, "float32"), (batch, positions, channels)), axis=-1)
            for x in (decoder, encoder)
        )
        hole = ops.reshape(ops.cast(hole, "float32"), (batch, 1, positions))
        cosine = ops.matmul(query, ops.transpose(key, (0, 2, 1)))
        # Cosines are in [-1, 1]: a hole is never the most similar unless all is one.
        best = ops.top_k(ops.where(hole > 0, -2.0, cosine), 1)[1][..., 0]
        choice = ops.cast(ops.one_hot(best, positions), encoder.dtype) * ops.cast(1.0 - hole, encoder.dtype)
        copied = ops.matmul(choice, ops.reshape(encoder, (batch, positions, channels)))
        copied = copied * ops.cast(ops.transpose(hole, (0, 2, 1)), copied.dtype)
        copied = ops.reshape(copied, (batch, height, width, channels))
        return copied if self.data_format == "channels_last" else ops.transpose(copied, (0, 3, 1, 2))

    def compute_output_spec(self, decoder: Any, encoder: Any, hole_mask: Any) -> keras.KerasTensor:
        return keras.KerasTensor(encoder.shape, dtype=self.compute_dtype)

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        config.update(data_format=self.data_format)
        return config
