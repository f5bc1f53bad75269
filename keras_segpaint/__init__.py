"""Semantic segmentation and image inpainting for Keras 3 on TensorFlow, JAX and PyTorch.

The rooms of the package are imported on first use, so `import keras_segpaint` costs nothing beyond Python itself.
"""

import importlib
from types import ModuleType

__version__ = "0.1.0"

_ROOMS = (
    "backbones",
    "convert",
    "data",
    "export",
    "inference",
    "layers",
    "losses",
    "metrics",
    "models",
    "ops",
    "training",
    "viz",
)

__all__ = ["__version__", *_ROOMS]


def __getattr__(name: str) -> ModuleType:
    if name in _ROOMS:
        return importlib.import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}. Rooms: {', '.join(_ROOMS)}")


def __dir__() -> list[str]:
    return sorted(__all__)
