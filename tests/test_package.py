"""The package as a whole: what importing it costs, and that everything public is registered and documented."""

import importlib
import inspect
import os
import subprocess
import sys

import keras
import pytest

import keras_segpaint

FRAMEWORKS = {"tensorflow", "jax", "torch"}
LATE = {"cv2", "matplotlib", "nilearn", "tensorflow_datasets", "ai_edge_litert", "typer", "rich", "scipy.ndimage"}


def modules_after(code: str) -> set[str]:
    program = f"import sys\n{code}\nprint('|'.join(sys.modules))"
    result = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, env={**os.environ}
    )
    return set(result.stdout.strip().rpartition("\n")[2].split("|"))


def test_importing_the_package_imports_nothing_else():
    loaded = modules_after("import keras_segpaint")
    assert not loaded & (FRAMEWORKS | LATE | {"keras", "numpy"})


def test_importing_the_rooms_brings_no_second_framework():
    rooms = ", ".join(f"keras_segpaint.{room}" for room in keras_segpaint._ROOMS)
    loaded = modules_after(f"import {rooms}")
    base = modules_after("import keras")
    assert not (loaded - base) & (FRAMEWORKS | LATE)


def test_unknown_room():
    with pytest.raises(AttributeError, match="no attribute 'nothing'. Rooms: backbones"):
        keras_segpaint.nothing  # noqa: B018


@pytest.mark.parametrize("room", keras_segpaint._ROOMS)
def test_public_names_exist_and_are_documented(room):
    module = importlib.import_module(f"keras_segpaint.{room}")
    assert inspect.getdoc(module)
    for name in getattr(module, "__all__", ()):
        public = getattr(module, name)
        if inspect.isclass(public) or inspect.isfunction(public):
            assert inspect.getdoc(public), f"{room}.{name} has no docstring"


@pytest.mark.parametrize(
    "room", ["layers", "models", "models.inpainting", "models.synthesis", "backbones", "losses", "metrics"]
)
def test_public_keras_classes_are_registered(room):
    module = importlib.import_module(f"keras_segpaint.{room}")
    for name in module.__all__:
        public = getattr(module, name)
        if inspect.isclass(public) and hasattr(public, "get_config"):
            assert keras.saving.get_registered_name(public) == f"keras_segpaint>{name}"
            assert "Example:" in public.__doc__, f"{room}.{name} has no example"
