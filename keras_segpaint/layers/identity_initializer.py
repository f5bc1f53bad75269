"""Kernels of convolutions that start by handing their input on."""

import math
from typing import Any

import keras
import numpy as np
from keras import initializers, ops


@keras.saving.register_keras_serializable(package="keras_segpaint")
class IdentityInitializer(initializers.Initializer):
    """Initialises a convolution to the identity, with a little noise.

    The centre tap hands each channel on, the other taps are noise. Where a layer has more channels than its input,
    each channel is handed to several at its share; where it has fewer, several are added up: in a stack of layers that
    ends as wide as it began, the last one gives what the first one got.

    Args:
        stddev: Float >= 0, standard deviation of the noise as a part of the centre tap. Defaults to `0.01`.
        seed: Integer or `None`. Defaults to `None`.

    Output shape:
        Kernels `(height, width, input channels, output channels)`, height and width odd.

    Raises:
        ValueError: If `stddev` is negative or the shape is not of this kind.

    References:
        - [Multi-Scale Context Aggregation by Dilated Convolutions](https://arxiv.org/abs/1511.07122), section 3,
          equations 4 and 5.

    Example:
        >>> kernel = IdentityInitializer(stddev=0.0)((3, 3, 2, 2))
        >>> [[float(tap) for tap in row] for row in kernel[1, 1]]
        [[1.0, 0.0], [0.0, 1.0]]
    """

    def __init__(self, stddev: float = 0.01, seed: int | None = None):
        if stddev < 0:
            raise ValueError(f"`stddev` must be >= 0. Received: stddev={stddev}")
        self.stddev = stddev
        self.seed = seed

    def __call__(self, shape: tuple[int, ...], dtype: Any = None) -> Any:
        if len(shape) != 4 or shape[0] % 2 == 0 or shape[1] % 2 == 0:
            raise ValueError(
                "`shape` must be (height, width, input channels, output channels) with odd height and width. "
                f"Received: shape={tuple(shape)}"
            )
        dtype = dtype or keras.config.floatx()
        rows, columns, inputs, outputs = shape
        common = math.gcd(inputs, outputs)
        share = common / outputs
        same_group = np.equal.outer(np.arange(inputs) * common // inputs, np.arange(outputs) * common // outputs)
        kernel = np.zeros(shape)
        kernel[rows // 2, columns // 2] = share * same_group
        noise = initializers.RandomNormal(stddev=1.0, seed=self.seed)(shape, dtype=dtype)
        return ops.convert_to_tensor(kernel, dtype=dtype) + noise * (self.stddev * share)

    def get_config(self) -> dict[str, Any]:
        return {"stddev": self.stddev, "seed": self.seed}
