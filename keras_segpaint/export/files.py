"""What the writers and runners of files have in common."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

__all__ = ["replacing", "to_dtype"]


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A file to write beside `path`, which takes its place at the end; after an error the former file stays."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        yield temporary
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def to_dtype(images: np.ndarray, dtype: Any = np.float32) -> np.ndarray:
    """Images, bytes or floating in [0, 1], as bytes or as float32 in [0, 1], whichever a file takes.

    Example:
        >>> to_dtype(np.array([0, 51], np.uint8)).tolist(), to_dtype(np.array([0.0, 0.2]), np.uint8).tolist()
        ([0.0, 0.20000000298023224], [0, 51])
    """
    if images.dtype == dtype:
        return images
    if dtype == np.uint8:
        return np.rint(np.clip(images, 0, 1) * 255).astype(np.uint8)
    return images.astype(np.float32) / np.float32(255 if images.dtype == np.uint8 else 1)
