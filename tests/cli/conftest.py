"""A folder, a run trained on it, and the runner that types commands."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from typer.testing import Result

from tests.cli.folders import TINY, run_segpaint, write_folder


@pytest.fixture
def folder(tmp_path: Path, rng: np.random.Generator) -> Path:
    return write_folder(tmp_path / "shapes", 6, rng)


@pytest.fixture(scope="session")
def shapes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that no test changes."""
    return write_folder(tmp_path_factory.mktemp("cli") / "shapes", 10, np.random.default_rng(0))


@pytest.fixture(scope="session")
def trained(shapes: Path) -> tuple[Path, Result]:
    """A run's folder, and what the command that made it printed."""
    out = shapes.parent / "run"
    result = run_segpaint("train", "SegNetBasic", "--data", shapes, "--out", out, *TINY)
    assert result.exit_code == 0, result.output
    return out, result


@pytest.fixture
def segpaint() -> Callable[..., Result]:
    return run_segpaint


@pytest.fixture(autouse=True)
def environment() -> Iterator[None]:
    """A command chooses the backend through the environment; no test sees another's choice."""
    before = os.environ.copy()
    yield
    os.environ.clear()
    os.environ.update(before)
