"""Reading files of weights: of this package, of PyTorch, of `keras.applications`."""

import hashlib
import importlib
import os
import pickle
import re
import struct
import zipfile
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np

Arrays = dict[str, np.ndarray]

# Trained networks of which keras.applications has no weights: the last eight digits are the start of the SHA-256.
PYTORCH_FILES = {
    "resnet18": "https://download.pytorch.org/models/resnet18-f37072fd.pth",
    "resnet34": "https://download.pytorch.org/models/resnet34-b627a593.pth",
    "resnet50": "https://download.pytorch.org/models/resnet50-0676ba61.pth",
    "resnet101": "https://download.pytorch.org/models/resnet101-63fe2227.pth",
    "resnet152": "https://download.pytorch.org/models/resnet152-394f9c45.pth",
    "vgg16_bn": "https://download.pytorch.org/models/vgg16_bn-6c64b313.pth",
    **{
        f"xception{depth}": "https://github.com/rwightman/pytorch-image-models/releases/download/v0.1-weights/"
        f"tf_xception_{depth}-{digest}.pth"
        for depth, digest in ((41, "e6439c97"), (65, "c9ae96e8"), (71, "8eec7df1"))
    },
    **{
        f"efficientnet_lite{number}": "https://github.com/rwightman/pytorch-image-models/releases/download/v0.1-weights/"
        f"tf_efficientnet_lite{number}-{digest}.pth"
        for number, digest in enumerate(("0aa007d2", "bde8b488", "dcccb7df", "b733e338", "741542c3"))
    },
}
APPLICATIONS = {
    "mobilenet_v2": "MobileNetV2",
    "mobilenet_v3_large": "MobileNetV3Large",
    "resnet50_v1": "ResNet50",
    "resnet101_v1": "ResNet101",
    "resnet152_v1": "ResNet152",
    "vgg16": "VGG16",
    "vgg19": "VGG19",
}
_NAMES = {"weight": "gamma", "bias": "beta", "running_mean": "moving_mean", "running_var": "moving_variance"}


def read_own(path: Path) -> dict[str, list[np.ndarray]]:
    """The weights in a `.keras` or `.weights.h5` file, in order, by layer.

    Args:
        path: The file.

    Raises:
        ValueError: If it is no such file.
    """
    if path.suffix == ".keras":
        with zipfile.ZipFile(path) as archive:
            source: Any = BytesIO(archive.read("model.weights.h5"))
    else:
        source = path
    found: dict[str, list[np.ndarray]] = {}

    def visit(_: str, group: Any) -> None:
        variables = group.get("vars") if isinstance(group, h5py.Group) else None
        if variables and "name" in variables.attrs:
            found[str(variables.attrs["name"])] = [np.asarray(variables[key]) for key in sorted(variables, key=int)]

    with h5py.File(source, "r") as file:
        file.visititems(visit)
    if not found:
        raise ValueError(f"{path} names no layers: save the whole model as `.keras`.")
    return found


def read_torch(path: Path, part: str | None = None) -> Arrays:
    """The arrays in a PyTorch state dictionary, `.pth`, `.pt`, `.tar` or `.safetensors`.

    Args:
        path: The file.
        part: Which of the dictionaries in the file. `None` for `state_dict` where there is one, or else the file's own.

    Raises:
        ImportError: If the package that reads it is not installed.
        ValueError: If it holds anything but tensors, is damaged, or asks for code.
    """
    if path.suffix == ".safetensors":
        try:
            reader = importlib.import_module("safetensors.numpy")
        except ImportError as error:
            raise ImportError(f"Reading {path.name} needs `pip install safetensors`.") from error
        try:
            return dict(reader.load_file(path))
        except importlib.import_module("safetensors").SafetensorError as error:
            raise ValueError(f"{path} is damaged ({error}). Download it again.") from error
    try:
        torch = importlib.import_module("torch")
    except ImportError as error:
        raise ImportError(
            f"Reading {path.name} needs `pip install torch`; or convert it to `.safetensors` where PyTorch is."
        ) from error
    state = _load_pickle(torch, path)
    nested = "state_dict" if part is None else part
    if isinstance(state, dict) and isinstance(state.get(nested), dict):
        state = state[nested]
    if not isinstance(state, dict) or not all(isinstance(value, torch.Tensor) for value in state.values()):
        raise ValueError(f"{path} is no state dictionary: it must hold tensors by name.")
    return {key.removeprefix("module."): value.float().numpy() for key, value in state.items()}


def _load_pickle(torch: Any, path: Path) -> Any:
    """What PyTorch saved: tensors, numbers and containers of them, and nothing that has to be run."""
    # What makes a number of NumPy's; its module has another name in NumPy 1.
    scalar = np.float64(0).__reduce__()[0]
    # Scores are saved as NumPy's numbers, which PyTorch does not read unasked; older files have the former name.
    numbers = [np.dtype, *{type(np.dtype(kind)) for kind in ("float64", "float32", "int64", "int32", "bool")}]
    numbers += [(scalar, f"numpy.{room}.multiarray.scalar") for room in ("core", "_core")]
    try:
        with torch.serialization.safe_globals(numbers):
            return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        named = re.search(r"GLOBAL (\S+)", str(error))
        if named is None:
            raise ValueError(f"{path} is no file of PyTorch, or damaged. Download it again.") from error
        raise ValueError(
            f"{path} asks to run {named[1]}, which a file of weights has no need of: it was not loaded. If you trust "
            "it, open it with PyTorch and save its `state_dict()` alone."
        ) from error
    except (RuntimeError, EOFError, KeyError, ValueError, IndexError, struct.error) as error:
        raise ValueError(f"{path} is no file of PyTorch, or damaged. Download it again.") from error


def torch_values(state: Arrays, module: str) -> Arrays | None:
    """The weights of a PyTorch module as a Keras layer has them; `None` if the file has none."""
    weight = state.get(f"{module}.weight")
    if weight is None:
        return None
    if f"{module}.running_mean" in state:
        return {ours: state[f"{module}.{theirs}"] for theirs, ours in _NAMES.items()}
    if weight.ndim == 2:
        # VGG's first fully connected layer sees 512 maps of 7x7.
        extent = 7 if weight.shape[1] == 512 * 49 else 1
        weight = weight.reshape(len(weight), -1, extent, extent)
    values = {"kernel": weight.transpose(2, 3, 1, 0)}
    if f"{module}.bias" in state:
        values["bias"] = state[f"{module}.bias"]
    return values


def read_application(backbone: str, alpha: float, path: Path | None, classifier: bool = False) -> dict[str, Arrays]:
    """The weights of a network of `keras.applications`, by layer.

    Args:
        backbone: Name of the architecture.
        alpha: Width multiplier, of the mobile families.
        path: An `.h5` file; `None` for the ImageNet weights that Keras downloads.
        classifier: Whether the layers of the classifier are wanted of the download.

    Raises:
        ValueError: If the file is not one of this network.
        OSError: If the download fails.
    """
    if backbone not in APPLICATIONS:
        hint = f'; keras.applications has {backbone}_v1, so give backbone="{backbone}_v1"'
        raise ValueError(
            f"keras.applications has no network that is {backbone!r}{hint if f'{backbone}_v1' in APPLICATIONS else ''}."
        )
    build: Callable[..., keras.Model] = getattr(keras.applications, APPLICATIONS[backbone])
    settings: dict[str, Any] = {"alpha": alpha} if backbone.startswith("mobilenet") else {}
    side: int | None = 224 if backbone.startswith("mobilenet") or classifier else None
    shape = (side, side, 3) if keras.config.image_data_format() == "channels_last" else (3, side, side)
    settings["input_shape"] = shape
    if path is None:
        network = _downloaded(
            f"the weights of keras.applications.{APPLICATIONS[backbone]}",
            lambda: build(include_top=classifier, weights="imagenet", **settings),
        )
    else:
        network = build(include_top=False, weights=None, **settings)
        if _weighted_layers(path) != sum(bool(layer.weights) for layer in network.layers):
            shape = (224, 224, 3) if keras.config.image_data_format() == "channels_last" else (3, 224, 224)
            network = build(include_top=True, weights=None, **{**settings, "input_shape": shape})
        try:
            network.load_weights(path)
        except ValueError as error:
            raise ValueError(f"{path} does not hold the weights of {backbone}: {error}") from error
    return {
        layer.name: {weight.name: np.asarray(keras.ops.convert_to_numpy(weight), "float32") for weight in layer.weights}
        for layer in network.layers
    }


def download(backbone: str) -> Path:
    """The file of ImageNet weights of a network that keras.applications does not have, from Keras's cache.

    Args:
        backbone: Name of the architecture.

    Raises:
        ValueError: If nobody publishes one in a form that can be downloaded, or the file is not the published one.
        OSError: If the download fails.
    """
    if backbone not in PYTORCH_FILES:
        raise ValueError(
            f"There is no download of ImageNet weights for backbone={backbone!r}. Train it, or find a file, and give its "
            "path: weights=<path>."
        )
    url = PYTORCH_FILES[backbone]
    name = url.rsplit("/", 1)[1]
    path = Path(_downloaded(name, lambda: keras.utils.get_file(name, url, cache_subdir="models")))
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    expected = path.stem.rsplit("-", 1)[1]
    if not digest.startswith(expected):
        raise ValueError(f"{path} is not the published file: its SHA-256 is {digest}, not {expected}... Delete it.")
    return path


def _downloaded(what: str, fetch: Callable[[], Any]) -> Any:
    """What `fetch` gives, or an error that says what to do without a network."""
    try:
        return fetch()
    except Exception as error:
        cache = Path(os.environ.get("KERAS_HOME", "~/.keras")).expanduser() / "models"
        raise OSError(
            f"Cannot download {what} ({error}). Download it where there is a network, and put it into {cache} "
            "or give its path: weights=<path>."
        ) from error


def _weighted_layers(path: Path) -> int:
    """How many layers with weights a legacy `.h5` file has."""
    with h5py.File(path, "r") as file:
        groups = file["model_weights"] if "model_weights" in file else file
        if "layer_names" not in groups.attrs:
            raise ValueError(f"{path} is no `.h5` file of keras.applications: it does not name its layers.")
        names = [name.decode() if isinstance(name, bytes) else name for name in groups.attrs["layer_names"]]
        return sum(len(groups[name].attrs["weight_names"]) > 0 for name in names)
