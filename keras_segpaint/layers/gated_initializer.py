"""Kernels of gated convolutions whose outputs start as large as their inputs."""

from typing import Any

import keras
import numpy as np
from keras import initializers, ops


@keras.saving.register_keras_serializable(package="keras_segpaint")
class GatedInitializer(initializers.Initializer):
    """Initialises the convolution of a `GatedConv2D` so that a deep network of them neither fades nor bursts.

    A gate starts at about a half, and an exponential linear unit keeps about two thirds of the power: with He's variance,
    2 / fan-in, each layer has less than a half of the last one's power, and the sixteenth a hundredth of its deviation.
    Here features, the first half of the outputs, have a variance of `scale / fan-in`, gates of `1 / fan-in`.

    Args:
        scale: Float > 0, of the features. Defaults to `6.0`.
        seed: Integer or `None`. Defaults to `None`.

    Output shape:
        Kernels `(height, width, input channels, output channels)`, an even number of output channels.

    Raises:
        ValueError: If `scale` is not positive or the shape is not of this kind.

    References:
        - [Delving Deep into Rectifiers](https://arxiv.org/abs/1502.01852), section 2.2, has the argument for rectifiers.

    Example:
        >>> kernel = ops.convert_to_numpy(GatedInitializer(seed=1)((3, 3, 64, 128)))
        >>> round(float(kernel[..., :64].var()) * 576, 1), round(float(kernel[..., 64:].var()) * 576, 1)
        (6.0, 1.0)
    """

    def __init__(self, scale: float = 6.0, seed: int | None = None):
        if scale <= 0:
            raise ValueError(f"`scale` must be > 0. Received: scale={scale}")
        self.scale = scale
        self.seed = seed

    def __call__(self, shape: tuple[int, ...], dtype: Any = None) -> Any:
        if len(shape) != 4 or shape[3] % 2:
            raise ValueError(
                "`shape` must be (height, width, input channels, output channels) with an even number of output channels. "
                f"Received: shape={tuple(shape)}"
            )
        dtype = dtype or keras.config.floatx()
        fan_in = np.prod(shape[:3])
        deviations = np.sqrt(np.repeat([self.scale / fan_in, 1 / fan_in], shape[3] // 2))
        noise = initializers.RandomNormal(stddev=1.0, seed=self.seed)(shape, dtype=dtype)
        return noise * ops.convert_to_tensor(deviations, dtype=dtype)

    def get_config(self) -> dict[str, Any]:
        return {"scale": self.scale, "seed": self.seed}
