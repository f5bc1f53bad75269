"""Monte Carlo dropout: prediction and uncertainty from many stochastic passes."""

from typing import Any

import keras
import numpy as np

from keras_segpaint.inference.images import forward
from keras_segpaint.inference.planes import softmax

__all__ = ["AlwaysOn", "Moments", "mc_dropout", "with_dropout_on"]

_DROPOUT = (
    keras.layers.AlphaDropout,
    keras.layers.Dropout,
    keras.layers.GaussianDropout,
    keras.layers.SpatialDropout1D,
    keras.layers.SpatialDropout2D,
    keras.layers.SpatialDropout3D,
)


def mc_dropout(
    model: keras.Model,
    images: np.ndarray,
    samples: int = 50,
    batch_size: int = 8,
    seed: int | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Mean and variance of the class probabilities over stochastic passes with dropout on.

    Calling a model with `training=True` would switch its batch normalisation to the statistics of the batch and
    change the moving ones. This works on a copy in which only the dropout layers are in training mode; `model` is not
    touched.

    Args:
        model: A functional model that gives logits and has dropout, such as `SegNet(11, bayesian=True)`.
        images: uint8, or floating in [0, 1], `(batch, height, width, channels)`.
        samples: Integer >= 1, number of passes. Defaults to `50`; the authors of Bayesian SegNet report gains over
            deterministic prediction from about six on.
        batch_size: Integer >= 1, images per pass. Defaults to `8`.
        seed: Integer; the same seed (and `batch_size`) gives the same result. `None` draws a new one.

    Returns:
        float32 mean `(batch, height, width, num_classes)`, whose `argmax` is the prediction, and variance of the same
        shape; the mean of the variance over the classes is one number of uncertainty per pixel.

    Raises:
        ValueError: If the model is not functional or has no dropout, or an argument is out of range.

    References:
        - [Bayesian SegNet](https://arxiv.org/abs/1511.02680), section 4

    Example:
        >>> from keras_segpaint.models import SegNetBasic
        >>> model = SegNetBasic(3, base_filters=2, bayesian=True)
        >>> mean, variance = mc_dropout(model, np.full((1, 16, 16, 3), 0.5, "float32"), samples=2, seed=0)
        >>> mean.shape, variance.shape
        ((1, 16, 16, 3), (1, 16, 16, 3))
    """
    for name, value in (("samples", samples), ("batch_size", batch_size)):
        if value < 1:
            raise ValueError(f"`{name}` must be an integer >= 1. Received: {name}={value}")
    images = np.asarray(images)
    if images.ndim != 4:
        raise ValueError(
            f"`images` must have the shape (batch, height, width, channels). Received: shape {images.shape}"
        )
    if images.dtype == np.uint8:
        images = images.astype(np.float32) / np.float32(255)
    stochastic = with_dropout_on(model, seed)
    means, variances = [], []
    for start in range(0, len(images), batch_size):
        batch = images[start : start + batch_size].astype(np.float32, copy=False)
        moments = Moments()
        for _ in range(samples):
            moments.add(softmax(forward(stochastic, batch)))
        means.append(moments.mean)
        variances.append(moments.variance)
    return np.concatenate(means), np.concatenate(variances)


class Moments:
    """Mean and variance of arrays of one shape, which are shown one after the other.

    Args:
        variance: Whether the variance is wanted too. Defaults to `True`.

    Example:
        >>> moments = Moments()
        >>> for value in (1.0, 3.0):
        ...     moments.add(np.array([value]))
        >>> moments.mean.tolist(), moments.variance.tolist()
        ([2.0], [1.0])
    """

    def __init__(self, variance: bool = True):
        self._wanted = variance
        self._count = 0
        self.mean: Any = 0.0
        self._squares: Any = 0.0

    def add(self, values: np.ndarray) -> None:
        # Welford's update: one pass, no difference of large sums.
        self._count += 1
        delta = values - self.mean
        self.mean = self.mean + delta / self._count
        if self._wanted:
            self._squares = self._squares + delta * (values - self.mean)

    @property
    def variance(self) -> np.ndarray:
        return self._squares / self._count


class AlwaysOn(keras.layers.Layer):
    """Runs a layer in training mode, whatever the mode of the model.

    Args:
        layer: The layer.
        **kwargs: Base layer arguments.
    """

    def __init__(self, layer: keras.layers.Layer, **kwargs: Any):
        super().__init__(**kwargs)
        self.layer = layer

    def build(self, input_shape: Any) -> None:
        if not self.layer.built:
            self.layer.build(input_shape)

    def call(self, inputs: Any) -> Any:
        return self.layer(inputs, training=True)

    def compute_output_spec(self, inputs: Any) -> keras.KerasTensor:
        return keras.KerasTensor(inputs.shape, dtype=self.compute_dtype)


def with_dropout_on(model: keras.Model, seed: int | None) -> keras.Model:
    """A copy of a model, weights included, whose dropout layers are always on."""
    generator = np.random.default_rng(seed)
    active = []

    def clone(layer: keras.layers.Layer) -> keras.layers.Layer:
        config = layer.get_config()
        if isinstance(layer, _DROPOUT) and layer.rate > 0:
            config["seed"] = int(generator.integers(2**31))
            active.append(layer.name)
            return AlwaysOn(type(layer).from_config(config), name=layer.name, dtype=layer.dtype_policy)
        return type(layer).from_config(config)

    try:
        copy = keras.models.clone_model(model, clone_function=clone)
    except ValueError as error:
        raise ValueError(f"`model` must be a functional model. Received: {model.name}, {error}") from error
    if not active:
        raise ValueError(
            f"`model` must have a dropout layer with a rate above 0; {model.name} has none. Build it with "
            "bayesian=True or a "
            "dropout argument."
        )
    copy.data_format = getattr(model, "data_format", keras.config.image_data_format())
    copy.set_weights(model.get_weights())
    return copy
