"""Learned perceptual image patch similarity."""

import importlib.util
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import keras
import numpy as np
from keras import ops

from keras_segpaint.extras import require
from keras_segpaint.metrics.image_base import ImageMetric, Region, region_mean
from keras_segpaint.ops.labels import channels_last


@keras.saving.register_keras_serializable(package="keras_segpaint")
class LPIPS(ImageMetric):
    """Weighted distance of the features of a trained network, of each image, averaged over the data set; lower is better.

    It is the LPIPS of the literature only with the layers and the weights of that paper: for VGG16 the layers
    `block1_conv2`, `block2_conv2`, `block3_conv3`, `block4_conv3` and `block5_conv3` of a network trained on ImageNet, and
    `lpips_weights("vgg")`.

    Args:
        features: A network from RGB images in [0, 1] to a list of feature maps, such as
            `keras_segpaint.losses.feature_network` makes.
        weights: For each map its weights, `(channels,)`; `None` for 1 everywhere, which is not LPIPS but its baseline.
        composite: As in `L1`. Defaults to `True`.
        value_range: As in `L1`. Defaults to `(-1.0, 1.0)`.
        data_format: As in `L1`, also that of the features.
        name: String. Defaults to `"lpips"`.

    Call arguments:
        y_true: Images `(batch, height, width, 3)` within `value_range`.
        y_pred: The same shape; values outside of the range are clipped.
        sample_weight: The mask `(batch, height, width, 1)` or `(batch, height, width)`, 1 is a hole.

    Raises:
        ValueError: If weights and features do not fit each other, or the metric was loaded from a file, which holds no
            network: assign `features` first.

    References:
        - [The Unreasonable Effectiveness of Deep Features](https://arxiv.org/abs/1801.03924).

    Example:
        >>> image = keras.Input((None, None, 3))
        >>> metric = LPIPS(keras.Model(image, [keras.layers.Rescaling(2.0)(image)]), data_format="channels_last")
        >>> images = np.random.default_rng(0).random((1, 8, 8, 3))
        >>> metric.update_state(images, images)
        >>> float(metric.result())
        0.0
    """

    def __init__(
        self,
        features: keras.Model | None,
        weights: Sequence[Any] | None = None,
        composite: bool = True,
        value_range: tuple[float, float] = (-1.0, 1.0),
        data_format: str | None = None,
        name: str = "lpips",
    ):
        region: Region = "image"
        super().__init__(region, composite, value_range, data_format, name)
        self.features = features
        self.channel_weights = None if weights is None else [np.asarray(part, np.float32).ravel() for part in weights]

    def values(self, truth: Any, filled: Any, mask: Any) -> tuple[Any, Any]:
        total = ops.zeros_like(truth[:, 0, 0, 0])
        maps = list(zip(self._maps(truth), self._maps(filled), strict=True))
        weights = self.channel_weights or [np.ones(a.shape[-1], np.float32) for a, _ in maps]
        if [len(part) for part in weights] != [a.shape[-1] for a, _ in maps]:
            raise ValueError(
                "`weights` must hold one weight for each channel of each feature map. Received: weights of "
                f"{[len(part) for part in weights]} channels for maps of {[a.shape[-1] for a, _ in maps]}"
            )
        for (a, b), weight in zip(maps, weights, strict=True):
            distance = ops.square(_unit_length(a) - _unit_length(b)) * ops.convert_to_tensor(weight)
            mean, _ = region_mean(ops.sum(distance, axis=-1, keepdims=True), ops.ones_like(distance[..., :1]))
            total = total + mean
        return total, ops.ones_like(total)

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        del config["region"]
        weights = None if self.channel_weights is None else [part.tolist() for part in self.channel_weights]
        return {"features": None, "weights": weights, **config}

    def _maps(self, images: Any) -> list[Any]:
        if self.features is None:
            raise ValueError(f"`{self.name}` has no feature network. Assign one to its attribute `features`.")
        if self.data_format == "channels_first":
            images = ops.transpose(images, (0, 3, 1, 2))
        outputs = self.features(images, training=False)
        outputs = outputs if isinstance(outputs, list | tuple) else [outputs]
        return [channels_last(ops.cast(output, "float32"), self.data_format) for output in outputs]


def lpips_weights(network: Literal["vgg", "alex", "squeeze"] = "vgg") -> list[np.ndarray]:
    """The channel weights that the package `lpips` carries (version 0.1 of the authors').

    Args:
        network: What they belong to. Defaults to `"vgg"`.

    Returns:
        For each feature map float32 `(channels,)`.

    Raises:
        ImportError: If `lpips` or PyTorch, which its files need, is not installed.
        ValueError: If it has no such network.
    """
    spec = importlib.util.find_spec("lpips")
    if spec is None or spec.origin is None:
        raise ImportError(
            "The weights of LPIPS need the package `lpips`, which is not installed. "
            'Install it with: pip install "keras_segpaint[lpips]"'
        )
    path = Path(spec.origin).parent / "weights" / "v0.1" / f"{network}.pth"
    if not path.is_file():
        raise ValueError(f'`network` must be "vgg", "alex" or "squeeze". Received: network={network!r}')
    torch = require("torch", "lpips", "Reading the weights of LPIPS")
    stored = torch.load(path, map_location="cpu", weights_only=True)
    return [stored[key].numpy().ravel() for key in sorted(stored)]


def _unit_length(features: Any) -> Any:
    return features / (ops.sqrt(ops.sum(ops.square(features), axis=-1, keepdims=True)) + 1e-10)
