"""The six terms that partial convolution is trained with."""

from typing import Any

import keras
from keras import ops

from keras_segpaint.losses.perceptual import FeatureLoss, feature_distance, style_distance
from keras_segpaint.losses.total_variation import total_variation
from keras_segpaint.ops.images import composite, dilate

WEIGHTS = {
    "valid": 1.0,
    "hole": 6.0,
    "perceptual": 0.05,
    "style_output": 120.0,
    "style_composite": 120.0,
    "total_variation": 0.1,
}
FEATURE_TERMS = ("perceptual", "style_output", "style_composite")


@keras.saving.register_keras_serializable(package="keras_segpaint")
class PartialConvolutionLoss(FeatureLoss):
    """L1 of known pixels and of holes, perceptual loss, style loss of output and composition, and total variation.

    All terms are of images in [0, 1] and averaged over their size. The features are computed once for all terms.

    Args:
        features: A network from RGB images in [0, 1] to feature maps; see `feature_network`.
        weights: Weights by term, laid over those of the paper: `valid` 1, `hole` 6, `perceptual` 0.05, `style_output`
            120, `style_composite` 120, `total_variation` 0.1. Where those of perceptual and style loss are all 0, no
            features are computed, and there need not be a network.
        value_range: Lowest and highest value of the images. Defaults to `(-1.0, 1.0)`.
        data_format: `"channels_last"`, `"channels_first"` or `None` for Keras's default: of images and features.
        name: String. Defaults to `"partial_convolution_loss"`.

    Call arguments:
        y_true: Images `(batch, height, width, 3)`.
        y_pred: The same shape.
        mask: `(batch, height, width, 1)` or `(batch, height, width)`, 1 is a hole.

    Raises:
        ValueError: If a weight has an unknown name, the shapes do not fit each other, or there is no network.

    References:
        - [Image Inpainting for Irregular Holes](https://arxiv.org/abs/1804.07723), section 3.3.

    Example:
        >>> import numpy as np
        >>> image = keras.Input((None, None, 3))
        >>> same = keras.Model(image, keras.layers.Rescaling(1.0)(image))
        >>> loss = PartialConvolutionLoss(same, data_format="channels_last")
        >>> images, mask = np.ones((1, 4, 4, 3)), np.ones((1, 4, 4, 1))
        >>> {name: round(float(term), 2) for name, term in loss.terms(images, -images, mask).items()}
        {'valid': 0.0, 'hole': 1.0, 'perceptual': 2.0, 'style_output': 0.33, 'style_composite': 0.33, 'total_variation': 0.0}
    """

    def __init__(
        self,
        features: keras.Model | None,
        weights: dict[str, float] | None = None,
        value_range: tuple[float, float] = (-1.0, 1.0),
        data_format: str | None = None,
        name: str = "partial_convolution_loss",
    ):
        unknown = set(weights or ()) - set(WEIGHTS)
        if unknown:
            raise ValueError(f"`weights` may name {', '.join(WEIGHTS)}. Received: {', '.join(sorted(unknown))}")
        super().__init__(features, value_range, data_format, name)
        self.weights = {**WEIGHTS, **(weights or {})}

    def call(self, y_true: Any, y_pred: Any, mask: Any = None) -> Any:
        terms = self.terms(y_true, y_pred, mask)
        return sum((self.weights[name] * term for name, term in terms.items()), start=ops.zeros(()))

    def terms(self, y_true: Any, y_pred: Any, mask: Any) -> dict[str, Any]:
        """The terms by name, each before its weight; those of features are left out if none has a weight."""
        truth, output, mask = self.prepare(y_true, y_pred, mask)
        truth, output = self.scaled(truth), self.scaled(output)
        composed = composite(truth, output, mask)
        errors = ops.abs(output - truth)
        terms = {
            "valid": ops.mean((1.0 - mask) * errors),
            "hole": ops.mean(mask * errors),
            "total_variation": total_variation(composed, dilate(mask)),
        }
        if any(self.weights[name] for name in FEATURE_TERMS):
            of_truth, of_output, of_composed = self.features_of(truth, output, composed)
            terms |= {
                "perceptual": feature_distance(of_truth, of_output) + feature_distance(of_truth, of_composed),
                "style_output": style_distance(of_truth, of_output),
                "style_composite": style_distance(of_truth, of_composed),
            }
        return {name: terms[name] for name in WEIGHTS if name in terms}

    def get_config(self) -> dict[str, Any]:
        return {"weights": self.weights, **super().get_config()}
