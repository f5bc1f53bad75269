"""All passes of a network over windows of an image: scales, flips and samples of dropout."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

from keras_segpaint.inference.flips import FLIPS
from keras_segpaint.inference.images import channels_first, forward, input_channels, input_size, resize_map
from keras_segpaint.inference.monte_carlo import AlwaysOn, Moments, with_dropout_on
from keras_segpaint.inference.planes import to_planes
from keras_segpaint.models import UNet

__all__ = ["Passes", "Result"]

_VALID_UNET_BORDER = 92
_VALID_UNET_STRIDE = 16


class Result:
    """What the passes over one window gave, in parts as they are needed.

    Args:
        values: Logits `(height, width, classes)`, or probabilities `(classes, height, width)` if `normalize` is `None`.
        normalize: Whether probabilities are to be made of logits.
        variance: float32 `(height, width)` or `None`.

    Attributes:
        size: Height and width.
    """

    def __init__(self, values: np.ndarray, normalize: bool | None, variance: np.ndarray | None = None):
        self._values = values
        self._normalize = normalize
        self.variance = variance
        self.size = values.shape[1:] if normalize is None else values.shape[:2]

    def planes(self, rows: slice, columns: slice) -> np.ndarray:
        """A part of the planes `(classes, height, width)`; may be a view."""
        if self._normalize is None:
            return self._values[:, rows, columns]
        return to_planes(self._values[rows, columns], self._normalize)


class Passes:
    """Runs a network over windows, once or for every combination of scale, flip and sample.

    Args:
        model: A segmentation model that gives logits.
        scales: Factors by which windows are resized before the network; its probabilities are resized back.
        flips: `False`, `"horizontal"`, `"vertical"` or `"both"`.
        samples: Passes with dropout on for each scale and flip; `0` is one pass without.
        seed: Of the dropout.

    Attributes:
        border: Pixels by which the logits are smaller than a window, on each side.
        classes: Number of classes.
        count: Passes over each window.
        fixed: Height and width of the windows that the network takes, `None` where any will do.
        channels: Channels of the windows.
        scales: As given.
    """

    def __init__(
        self,
        model: keras.Model,
        scales: Sequence[float] = (1.0,),
        flips: str | bool = False,
        samples: int = 0,
        seed: int | None = None,
    ):
        self._unpadded = isinstance(model, UNet) and model.get_config()["padding"] == "valid"
        self.border = _VALID_UNET_BORDER if self._unpadded else 0
        self.fixed = input_size(model)
        self.channels = input_channels(model)
        output = model.output["logits"] if isinstance(model.output, dict) else model.output
        self.classes = int(output.shape[1 if channels_first(model) else -1])
        self._check_scales(scales)
        self.scales = tuple(scales)
        self._variants = [(scale, axes) for scale in scales for axes in FLIPS[flips]]
        self._samples = max(samples, 1)
        self.count = len(self._variants) * self._samples
        self.network = with_dropout_on(model, seed) if samples else model
        self._states = _seed_states(self.network) if samples and seed is not None else []

    def legal(self, extent: int) -> int:
        """The smallest height or width of a window >= `extent` that a network without fixed size takes."""
        return UNet.valid_size(extent)[0] if self._unpadded else extent

    @property
    def stride(self) -> int | None:
        """The output stride where it is known."""
        return _VALID_UNET_STRIDE if self._unpadded else None

    def restart(self) -> None:
        """Dropout begins anew, if it has a seed."""
        for variable, state in self._states:
            variable.assign(state)

    def __call__(self, windows: np.ndarray, *, normalize: bool, variance: bool) -> list["Result"]:
        """Runs the network over a batch of windows.

        Args:
            windows: float32 `(batch, height, width, channels)`.
            normalize: Give probabilities; else logits, which is enough if `count` is 1.
            variance: Also give the variance of the probabilities over the passes.

        Returns:
            A result for each window, smaller than it by the border.
        """
        scale, axes = self._variants[0]
        if self.count == 1 and scale == 1:
            return [Result(logits, normalize) for logits in self._of_full_size(forward(self.network, windows), windows)]
        moments = [Moments(variance) for _ in windows]
        for scale, axes in self._variants:
            for _ in range(self._samples):
                for moment, logits in zip(moments, self._logits(windows, scale, axes), strict=True):
                    moment.add(self._planes(logits, windows.shape, axes))
        spreads = [moment.variance.mean(axis=0) if variance else None for moment in moments]
        return [Result(moment.mean, None, spread) for moment, spread in zip(moments, spreads, strict=True)]

    def _of_full_size(self, logits: np.ndarray, windows: np.ndarray) -> np.ndarray:
        """Logits of the windows' size without the border; an encoder alone gives smaller ones."""
        size = windows.shape[1] - 2 * self.border, windows.shape[2] - 2 * self.border
        return logits if logits.shape[1:3] == size else np.stack([resize_map(one, size) for one in logits])

    def _logits(self, windows: np.ndarray, scale: float, axes: tuple[int, ...]) -> np.ndarray:
        if scale != 1:
            size = tuple(max(1, round(scale * extent)) for extent in windows.shape[1:3])
            windows = np.stack([resize_map(window, size) for window in windows])
        if axes:
            windows = np.ascontiguousarray(np.flip(windows, tuple(axis + 1 for axis in axes)))
        return forward(self.network, windows)

    def _planes(self, logits: np.ndarray, shape: tuple[int, ...], axes: tuple[int, ...]) -> np.ndarray:
        planes = to_planes(np.flip(logits, axes) if axes else logits, normalize=True)
        size = shape[1] - 2 * self.border, shape[2] - 2 * self.border
        if planes.shape[1:] != size:
            planes = np.stack([resize_map(plane[..., None], size)[..., 0] for plane in planes])
        return planes

    def _check_scales(self, scales: Sequence[float]) -> None:
        if all(scale == 1 for scale in scales):
            return
        if self._unpadded or None not in self.fixed:
            why = (
                "an unpadded U-Net" if self._unpadded else f"a model built for {self.fixed[0]} x {self.fixed[1]} pixels"
            )
            raise ValueError(
                f"`scales` must be (1.0,) for {why}. Received: scales={tuple(scales)}. Use flips, or build the model with "
                "input_shape=(None, None, 3) and padding that keeps the size."
            )


def _seed_states(network: keras.Model) -> list[tuple[Any, np.ndarray]]:
    """The variables that dropout draws from, with what they hold."""
    states = [layer.layer.seed_generator.state for layer in network.layers if isinstance(layer, AlwaysOn)]
    return [(state, keras.ops.convert_to_numpy(state).copy()) for state in states]
