"""Attention from holes to known positions of the same class."""

from typing import Any

import keras
from keras import layers, ops

from keras_segpaint.layers.factory import LayerFactory
from keras_segpaint.ops.attention_map import AttentionMap, checked_position
from keras_segpaint.ops.position_attention import (
    ATTENTION_AT_ONCE,
    energies,
    from_positions,
    softmax_mixture,
    standardize_limit,
    to_positions,
)
from keras_segpaint.ops.softmax import attention_weights
from keras_segpaint.ops.spatial import channel_axis, spatial_size, standardize_data_format, static_spatial_size


@keras.saving.register_keras_serializable(package="keras_segpaint")
class SemanticWiseAttention(layers.Layer):
    """Adds to each position of a hole a mixture of the known positions of the same class.

    Queries and keys are 1x1 convolutions of unit length, values one to all channels. The energy of a query and a key is
    `scale` times their cosine, plus `separation` if the key's position is known, plus `separation` once more if it is known
    and of the same class. So the softmax chooses among the known positions of the class; where there is none, among all
    known positions; and where nothing is known, among all positions. There is no NaN. Each image has its own mask and
    classes. The mixture is scaled by one trained number. Known positions are given back as they are.

    The paper says that the features of a hole attend to known positions of the class predicted for them; what is above
    beyond that is this package's own.

    Args:
        reduction: Integer >= 1; queries and keys have `max(channels // reduction, 1)` channels. Defaults to `2`.
        soft: Whether two positions are of the same class by the probability that they are, with a gradient for the class
            scores; `False`: by the class of the highest score. Defaults to `False`.
        scale: Number > 0. Defaults to `10.0`.
        separation: Number >= 0. From 20 above `2 * scale`, what positions of other classes weigh is below the rounding of
            float32; a soft choice wants less. Defaults to `40.0`.
        gamma_initializer: Initialiser of the mixture's scale. Defaults to `"ones"`.
        max_attention_elements: Integer >= 1, how many weights are held at once for each image (blocks of positions are
            worked on one after another), or `None` for all. Defaults to `2 ** 23`, 32 MB.
        data_format: `"channels_last"`, `"channels_first"` or `None` for Keras's default.
        **kwargs: Base layer arguments.

    Call arguments:
        inputs: Features `(batch, height, width, channels)`.
        scores: Class logits `(batch, height, width, num_classes)`.
        holes: `(batch, height, width, 1)`, above 0.5 is a hole.

    Output shape:
        That of the features.

    Raises:
        ValueError: If an argument is out of range, or features, scores and holes differ in size.

    References:
        - [Image Inpainting Guided by Coherence Priors of Semantics and Textures](https://arxiv.org/abs/2012.08054), the
          semantic-wise attention propagation.

    Example:
        >>> from keras import ops
        >>> layer = SemanticWiseAttention(data_format="channels_last")
        >>> features, scores, mask = ops.ones((1, 4, 5, 8)), ops.ones((1, 4, 5, 3)), ops.zeros((1, 4, 5, 1))
        >>> bool(ops.all(layer(features, scores, mask) == features))
        True
    """

    def __init__(
        self,
        reduction: int = 2,
        soft: bool = False,
        scale: float = 10.0,
        separation: float = 40.0,
        gamma_initializer: Any = "ones",
        max_attention_elements: int | None = ATTENTION_AT_ONCE,
        data_format: str | None = None,
        **kwargs: Any,
    ):
        # Scores and masks of half precision would round classes together.
        super().__init__(autocast=False, **kwargs)
        if not isinstance(reduction, int) or reduction < 1:
            raise ValueError(f"`reduction` must be an integer >= 1. Received: reduction={reduction!r}")
        if scale <= 0 or separation < 0:
            raise ValueError(
                f"`scale` must be > 0 and `separation` >= 0. Received: scale={scale}, separation={separation}"
            )
        self.reduction = reduction
        self.soft = soft
        self.scale = float(scale)
        self.separation = float(separation)
        self.gamma_initializer = keras.initializers.get(gamma_initializer)
        self.max_attention_elements = standardize_limit(max_attention_elements)
        self.data_format = standardize_data_format(data_format)

    def build(self, inputs_shape: tuple[Any, ...], scores_shape: tuple[Any, ...], holes_shape: tuple[Any, ...]) -> None:
        self._check_sizes(inputs_shape, scores_shape, holes_shape)
        channels = inputs_shape[channel_axis(self.data_format)]
        build = LayerFactory(self.data_format, self.dtype_policy)
        inner = max(channels // self.reduction, 1)
        self.query = build.conv(inner, 1, name="query")
        self.key = build.conv(inner, 1, name="key")
        self.value = build.conv(channels, 1, name="value")
        for layer in (self.query, self.key, self.value):
            layer.build(inputs_shape)
        self.gamma = self.add_weight(shape=(1,), initializer=self.gamma_initializer, name="gamma")

    def call(self, inputs: Any, scores: Any, holes: Any) -> Any:
        self._check_sizes(inputs.shape, scores.shape, holes.shape)
        query, key = self._queries_and_keys(inputs, scores, holes)
        value = to_positions(self.value(inputs), self.data_format)
        mixture = from_positions(
            softmax_mixture(query, key, value, self.max_attention_elements), inputs, self.data_format
        )
        inputs = ops.cast(inputs, self.compute_dtype)
        hole = ops.cast(holes > 0.5, self.compute_dtype)
        return inputs + hole * ops.cast(self.gamma, self.compute_dtype) * mixture

    def attention_map(
        self, inputs: Any, scores: Any, holes: Any, position: tuple[int, int] | None = None
    ) -> AttentionMap:
        """How much a position, row and column, takes from each position, for display.

        Args:
            inputs: As in the call.
            scores: As in the call.
            holes: As in the call.
            position: Row and column in the feature map.

        Returns:
            Weights `(batch, height, width)`, float32, 1 in total; those of a known position are not used in the call.

        Raises:
            ValueError: If there is no such position.
        """
        row, column = checked_position(position, inputs, self.data_format)
        height, width = spatial_size(inputs, self.data_format)
        query, key = self._queries_and_keys(inputs, scores, holes)
        number = row * width + column
        weights = attention_weights(energies(query[:, number : number + 1], key), "float32")
        return AttentionMap("weights", ops.reshape(weights, (-1, height, width)))

    def _queries_and_keys(self, inputs: Any, scores: Any, holes: Any) -> tuple[Any, Any]:
        """Vectors whose products are the energies, `(batch, positions, channels)` in float32."""
        query, key = (
            _unit_length(ops.cast(to_positions(layer(inputs), self.data_format), "float32"))
            for layer in (self.query, self.key)
        )
        logits = ops.cast(to_positions(scores, self.data_format), "float32")
        if self.soft:
            classes = ops.softmax(logits) if logits.shape[-1] > 1 else ops.ones_like(logits)
        else:
            classes = ops.one_hot(ops.argmax(logits, axis=-1), logits.shape[-1], dtype="float32")
        known = 1.0 - ops.cast(to_positions(holes, self.data_format) > 0.5, "float32")
        bonus = ops.concatenate([ops.ones_like(known), classes], axis=-1) * self.separation
        query = ops.concatenate([query * self.scale, bonus], axis=-1)
        return query, ops.concatenate([key, known, known * classes], axis=-1)

    def compute_output_spec(self, inputs: Any, scores: Any, holes: Any) -> keras.KerasTensor:
        self._check_sizes(inputs.shape, scores.shape, holes.shape)
        return keras.KerasTensor(inputs.shape, dtype=self.compute_dtype)

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        config.update(
            reduction=self.reduction,
            soft=self.soft,
            scale=self.scale,
            separation=self.separation,
            gamma_initializer=keras.initializers.serialize(self.gamma_initializer),
            max_attention_elements=self.max_attention_elements,
            data_format=self.data_format,
        )
        return config

    def _check_sizes(self, *shapes: Any) -> None:
        sizes = [static_spatial_size(tuple(shape), self.data_format) for shape in shapes]
        for size in sizes[1:]:
            if any(None not in pair and pair[0] != pair[1] for pair in zip(size, sizes[0], strict=True)):
                raise ValueError(
                    "Features, scores and holes must have the same height and width: resize scores and holes to those of "
                    f"the features. Received: sizes {sizes}"
                )
        one = tuple(shapes[-1])[channel_axis(self.data_format)]
        if one not in (None, 1):
            raise ValueError(f"`holes` must have one channel. Received: holes of shape {tuple(shapes[-1])}")


def _unit_length(x: Any) -> Any:
    """Each vector divided by its length; one of zeros stays zeros, with a finite gradient."""
    return x * ops.rsqrt(ops.sum(ops.square(x), axis=-1, keepdims=True) + 1e-8)
