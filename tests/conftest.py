"""What every test shares: the backend's import order, the folder of reference tensors, seeded randomness."""

import gc
import importlib.util
import json
import os
import random
import sys
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

# TensorFlow imported before triton aborts the process, and PyTorch's compiler imports triton late.
if importlib.util.find_spec("triton") is not None:
    import triton  # noqa: F401

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("MPLBACKEND", "Agg")
# Most of what JAX does here is to compile what runs once or twice; less optimised, that takes half the time.
if os.environ.get("KERAS_BACKEND") == "jax":
    os.environ.setdefault("XLA_FLAGS", "--xla_backend_optimization_level=0 --xla_llvm_disable_expensive_passes=true")

import numpy as np
import pytest

if os.environ.get("KERAS_BACKEND") == "jax":
    from tests.jax_drawing import draw_by_numpy

    draw_by_numpy()

# A process may have 65,530 on Linux.
MANY_MAPPINGS = 20_000

REPOSITORY = Path(__file__).resolve().parent.parent


# What does nothing of its own on a backend, and what is put together from parts that are tested on each, is tested on one:
# on PyTorch, which compiles nothing.
ON_ONE = (
    "keras_segpaint/",
    "tests/benchmarks/",
    "tests/cli/",
    "tests/convert/",
    "tests/training/test_guided_run.py",
    "tests/training/test_synthesis_run.py",
    "tests/viz/",
)
# But for files that TensorFlow writes and reads, which PyTorch hands over to it.
ON_TENSORFLOW = (
    "tests/cli/test_benchmark.py",
    "tests/cli/test_demo.py",
    "tests/cli/test_export.py",
    "tests/convert/test_tensorflow.py",
    "keras_segpaint/export/",
)
# JAX compiles these for half a minute to three, and what is trained there in other tests has all of their parts.
NOT_ON_JAX = (
    "tests/models/test_attention_and_refinement.py::test_training_heads",
    "tests/models/test_attention_argument.py::test_all_of_a_network_trains",
    "tests/models/test_dilated_and_deeplab.py::test_deeplab_v2_trains_every_scale_and_the_fusion",
    "tests/models/test_guided_inpainting.py::test_a_step_against_a_critic",
    "tests/models/test_guided_inpainting.py::test_the_loss_of_all_scales",
    "tests/training/test_inpainting_run.py::test_a_network_of_two_stages_and_its_critics",
)
EVERYWHERE = ("tests/cli/test_train.py", "tests/cli/test_predict.py")


@dataclass(frozen=True)
class Reference:
    """One reference fixture: arrays, PyTorch weights (empty if none) and what the JSON says."""

    arrays: dict[str, np.ndarray]
    weights: dict[str, np.ndarray]
    info: dict


def shared_folder() -> Path:
    """The folder of reference tensors and real images, from `KSP_SHARED` or beside the checkout."""
    return Path(os.environ.get("KSP_SHARED", REPOSITORY.parent / "shared"))


@pytest.fixture(scope="session")
def shared() -> Path:
    folder = shared_folder()
    if not (folder / "fixtures").is_dir():
        pytest.skip(f"no reference tensors: {folder} is not there (set KSP_SHARED)")
    return folder


@pytest.fixture(scope="session")
def fixture_arrays(shared: Path) -> Callable[[str], Reference]:
    from safetensors.numpy import load_file

    def load(name: str) -> Reference:
        folder = shared / "fixtures"
        with np.load(folder / f"{name}.io.npz") as archive:
            arrays = {key: archive[key] for key in archive.files}
        weights_file = folder / f"{name}.weights.safetensors"
        weights = load_file(weights_file) if weights_file.exists() else {}
        return Reference(arrays, weights, json.loads((folder / f"{name}.json").read_text()))

    return load


@pytest.fixture
def rng(request: pytest.FixtureRequest) -> np.random.Generator:
    return np.random.default_rng(zlib.crc32(request.node.name.encode()))


def seed(name: str) -> None:
    """Makes what Keras and NumPy draw without a seed depend on the test alone, not on those before it."""
    number = zlib.crc32(name.encode())
    random.seed(number)
    np.random.seed(number)


@pytest.fixture
def undrawn_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    """Kernels start as zeros: a hundred million random numbers take half a minute, and whoever counts needs none."""
    import keras

    def zeros(_self: keras.initializers.VarianceScaling, shape: tuple[int, ...], dtype: str | None = None) -> object:
        return keras.ops.zeros(shape, dtype)

    monkeypatch.setattr(keras.initializers.VarianceScaling, "__call__", zeros)


@pytest.hookimpl(wrapper=True)
def pytest_fixture_setup(fixturedef: pytest.FixtureDef, request: pytest.FixtureRequest) -> Iterator[None]:
    seed(f"{fixturedef.baseid}::{fixturedef.argname}")
    return (yield)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_call(item: pytest.Item) -> None:
    seed(item.nodeid)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    backend = os.environ.get("KERAS_BACKEND", "tensorflow")
    elsewhere = pytest.mark.skip(reason="tested on another backend: it is the same on each")
    long = pytest.mark.skip(reason="takes JAX too long to compile: tested on the other backends")
    for item in items:
        path = item.path.relative_to(REPOSITORY).as_posix()
        if backend == "jax" and item.nodeid.partition("[")[0] in NOT_ON_JAX:
            item.add_marker(long)
        if not path.startswith(ON_ONE) or path.startswith(EVERYWHERE):
            continue
        if backend != ("tensorflow" if path.startswith(ON_TENSORFLOW) else "torch"):
            item.add_marker(elsewhere)


def pytest_collection_finish() -> None:
    """What is imported stays: whoever looks for garbage need not look at it again and again."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True, scope="module")
def no_garbage():
    """Networks refer to themselves: those of a module go before the next one builds its own."""
    yield
    gc.collect()


@pytest.fixture(autouse=True)
def room_for_compiled_programs():
    """JAX keeps each program that it compiled, in ten memory mappings or so, and dies when there are no more to be had."""
    yield
    mappings = Path("/proc/self/maps")
    if "jax" in sys.modules and mappings.exists():
        with mappings.open() as lines:
            crowded = sum(1 for _ in lines) > MANY_MAPPINGS
        if crowded:
            sys.modules["jax"].clear_caches()
