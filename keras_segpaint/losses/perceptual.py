"""Perceptual and style loss: distances of features, and of their Gram matrices."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from keras_segpaint.losses.features import as_list
from keras_segpaint.losses.image_base import ImageLoss
from keras_segpaint.ops.images import check_value_range, composite, to_unit
from keras_segpaint.ops.labels import channels_last

# Of the first rectified convolutions of VGG-19's five blocks, in pix2pixHD and SPADE.
SYNTHESIS_WEIGHTS = (1 / 32, 1 / 16, 1 / 8, 1 / 4, 1.0)


class FeatureLoss(ImageLoss):
    """A distance of the features of the output, and of the composed image, to those of the truth.

    A loss that was loaded from a file has no network, since a file of a model holds no weights of its losses: assign
    `features` before it is used.
    """

    def __init__(
        self, features: keras.Model | None, value_range: tuple[float, float] | None, data_format: str | None, name: str
    ):
        super().__init__(data_format, name)
        self.features = features
        self.value_range = None if value_range is None else check_value_range(value_range)

    def call(self, y_true: Any, y_pred: Any, mask: Any = None) -> Any:
        truth, filled = self.images(y_true, y_pred)
        candidates = [filled]
        if mask is not None:
            truth, filled, mask = self.prepare(y_true, y_pred, mask)
            candidates.append(composite(truth, filled, mask))
        of_truth, *others = self.features_of(*(self.scaled(images) for images in (truth, *candidates)))
        return sum((self.distance(of_truth, of_candidate) for of_candidate in others), start=ops.zeros(()))

    def scaled(self, images: Any) -> Any:
        """Images as the network takes them."""
        return images if self.value_range is None else to_unit(images, self.value_range)

    def features_of(self, *images: Any) -> list[list[Any]]:
        """For each batch of images, channels last, its feature maps, channels last; the first is a constant."""
        if self.features is None:
            raise ValueError(f"`{self.name}` has no feature network. Assign one: loss.features = feature_network(...)")
        count = len(images)
        batch = ops.concatenate(images, axis=0)
        if self.data_format == "channels_first":
            batch = ops.transpose(batch, (0, 3, 1, 2))
        maps = [channels_last(output, self.data_format) for output in as_list(self.features(batch, training=False))]
        parts = [ops.split(output, count, axis=0) for output in maps]
        return [
            [ops.stop_gradient(part[index]) if index == 0 else part[index] for part in parts] for index in range(count)
        ]

    def distance(self, truth: list[Any], candidate: list[Any]) -> Any:
        raise NotImplementedError

    def get_config(self) -> dict[str, Any]:
        return {"features": None, "value_range": self.value_range, **super().get_config()}


@keras.saving.register_keras_serializable(package="keras_segpaint")
class PerceptualLoss(FeatureLoss):
    """Mean absolute difference of feature maps, summed over the maps.

    Args:
        features: A network from RGB images in [0, 1] to one or several feature maps; see `feature_network`.
        value_range: Lowest and highest value of the images, which are scaled to [0, 1]; `None` gives them to the network as
            they are, as SPADE gives images in [-1, 1] to VGG-19. Defaults to `(-1.0, 1.0)`.
        weights: One number for each feature map, or `None` for 1 each. Defaults to `None`.
        data_format: `"channels_last"`, `"channels_first"` or `None` for Keras's default: of images and features.
        name: String. Defaults to `"perceptual_loss"`.

    Call arguments:
        y_true: Images `(batch, height, width, 3)`.
        y_pred: The same shape.
        mask: Optional `(batch, height, width, 1)`, 1 is a hole. With it the loss is the sum for the output and for the
            output composed with the known pixels, as in the paper; without it, for the output alone.

    Raises:
        ValueError: If the shapes do not fit each other, there is no network, or the weights are not as many as its maps.

    References:
        - [Image Inpainting for Irregular Holes](https://arxiv.org/abs/1804.07723), section 3.3.
        - [High-Resolution Image Synthesis and Semantic Manipulation with Conditional GANs](https://arxiv.org/abs/1711.11585),
          whose code weights five maps of VGG-19 by `SYNTHESIS_WEIGHTS`.

    Example:
        >>> import numpy as np
        >>> image = keras.Input((None, None, 3))
        >>> doubled = keras.Model(image, keras.layers.Rescaling(2.0)(image))
        >>> loss = PerceptualLoss(doubled, data_format="channels_last")
        >>> float(loss(-np.ones((1, 2, 2, 3)), np.ones((1, 2, 2, 3))))
        2.0
    """

    def __init__(
        self,
        features: keras.Model | None,
        value_range: tuple[float, float] | None = (-1.0, 1.0),
        data_format: str | None = None,
        name: str = "perceptual_loss",
        weights: Sequence[float] | None = None,
    ):
        super().__init__(features, value_range, data_format, name)
        self.weights = None if weights is None else [float(weight) for weight in weights]
        if features is not None:
            self._check_weights(len(features.outputs))

    def distance(self, truth: list[Any], candidate: list[Any]) -> Any:
        self._check_weights(len(truth))
        return feature_distance(truth, candidate, self.weights)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "weights": self.weights}

    def _check_weights(self, maps: int) -> None:
        if self.weights is not None and len(self.weights) != maps:
            raise ValueError(
                f"`weights` must hold one number for each of the {maps} feature maps. Received: weights={self.weights}"
            )


@keras.saving.register_keras_serializable(package="keras_segpaint")
class StyleLoss(FeatureLoss):
    """Mean absolute difference of the Gram matrices of feature maps, summed over the maps.

    Arguments, call arguments and errors are those of `PerceptualLoss`, which alone has weights; the default name is
    `"style_loss"`.

    References:
        - [Image Inpainting for Irregular Holes](https://arxiv.org/abs/1804.07723), section 3.3.

    Example:
        >>> import numpy as np
        >>> image = keras.Input((None, None, 3))
        >>> same = keras.Model(image, keras.layers.Rescaling(1.0)(image))
        >>> loss = StyleLoss(same, data_format="channels_last")
        >>> round(float(loss(-np.ones((1, 2, 2, 3)), np.ones((1, 2, 2, 3)))), 4)
        0.3333
    """

    def __init__(
        self,
        features: keras.Model | None,
        value_range: tuple[float, float] | None = (-1.0, 1.0),
        data_format: str | None = None,
        name: str = "style_loss",
    ):
        super().__init__(features, value_range, data_format, name)

    def distance(self, truth: list[Any], candidate: list[Any]) -> Any:
        return style_distance(truth, candidate)


def gram_matrix(features: Any) -> Any:
    """Products of all pairs of channels, summed over the pixels and divided by height, width and channels.

    Args:
        features: `(batch, height, width, channels)`.

    Returns:
        float32 `(batch, channels, channels)`.

    Example:
        >>> import numpy as np
        >>> np.round(np.asarray(gram_matrix(np.ones((1, 4, 4, 2)))), 4).tolist()
        [[[0.5, 0.5], [0.5, 0.5]]]
    """
    features = ops.cast(ops.convert_to_tensor(features), "float32")
    _, height, width, channels = ops.shape(features)
    flat = ops.reshape(features, (-1, height * width, channels))
    # Divided first, so that large sums stay small.
    flat = flat / ops.sqrt(ops.cast(height * width * channels, "float32"))
    return ops.matmul(ops.transpose(flat, (0, 2, 1)), flat)


def feature_distance(truth: list[Any], candidate: list[Any], weights: Sequence[float] | None = None) -> Any:
    """Mean absolute difference of feature maps, summed with a weight for each."""
    differences = (ops.mean(ops.abs(a - b)) for a, b in zip(truth, candidate, strict=True))
    return sum((w * d for w, d in zip(weights or [1.0] * len(truth), differences, strict=True)), start=ops.zeros(()))


def style_distance(truth: list[Any], candidate: list[Any]) -> Any:
    """Mean absolute difference of Gram matrices, summed."""
    return feature_distance([gram_matrix(a) for a in truth], [gram_matrix(b) for b in candidate])
