"""Keeping the messages of compiled libraries off the terminal."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["quiet"]


@contextmanager
def quiet() -> Iterator[None]:
    """Discards what is written to the process's standard error.

    The converter and the interpreter log from C++ past Python's `sys.stderr` and past every log level, so the file
    descriptor itself is redirected. Exceptions carry what matters.
    """
    sys.stderr.flush()
    saved = os.dup(2)
    try:
        with open(os.devnull, "wb") as nowhere:
            os.dup2(nowhere.fileno(), 2)
        yield
    finally:
        sys.stderr.flush()
        os.dup2(saved, 2)
        os.close(saved)
