"""How far a network looks, found by trying."""

import numpy as np

from keras_segpaint.inference.passes import Passes

__all__ = ["estimated_margin"]

_SIDE = 256
_VISIBLE = 1e-3


def estimated_margin(passes: Passes, size: tuple[int, int] | None = None) -> int:
    """Pixels from the edge of a tile up to which what lies beyond it changes a probability by more than 0.001.

    Noise is seen twice by the network, with different left halves; how far into the right half the results differ is the
    answer. It depends on the weights, and for most networks is far less than the receptive field that their layers could
    have.

    Args:
        passes: Runs the network.
        size: Height and width of the noise. Defaults to 256 x 256.

    Returns:
        At most an eighth of the width, so that the tile keeps most of its area.
    """
    height, width = size or (_SIDE, _SIDE)
    noise = np.random.default_rng(0).random((2, height, width, passes.channels), np.float32)
    middle = width // 2
    noise[1, :, middle:] = noise[0, :, middle:]
    passes.restart()
    one, other = (result.planes(slice(None), slice(None)) for result in passes(noise, normalize=True, variance=False))
    changed = np.flatnonzero(np.abs(one - other).max(axis=(0, 1)) > _VISIBLE)
    reach = int(changed[-1]) + 1 + passes.border - middle if len(changed) else 0
    return min(max(reach, 0), width // 8)
