"""Where the weights of a backbone come from, and what their network was given of images."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras

from keras_segpaint.backbones.layouts import STEMS, application_layer, timm_module, torch_module
from keras_segpaint.backbones.weight_files import (
    APPLICATIONS,
    Arrays,
    download,
    read_application,
    read_own,
    read_torch,
    torch_values,
)

__all__ = ["ImageSource", "open_source"]

IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
SIGNED = ((0.5,) * 3, (0.5,) * 3)
LITE = ((127 / 255,) * 3, (128 / 255,) * 3)
# Blue, green, red grey levels less their mean.
CAFFE = ((103.939 / 255, 116.779 / 255, 123.68 / 255), (1 / 255,) * 3)


@dataclass(frozen=True)
class ImageSource:
    """Weights of a trained network.

    Args:
        values: Gives those of a layer of the trunk, or `None`.
        mean: What its images were normalised by.
        deviation: And divided by.
        epsilon: Of its batch normalisation; `None` for the model's own.
        reversed_channels: Whether it takes blue first.
    """

    values: Callable[[Any], Arrays | None]
    mean: tuple[float, ...]
    deviation: tuple[float, ...]
    epsilon: float | None = None
    reversed_channels: bool = False


def open_source(trunk: dict[str, Any], backbone: str, weights: str) -> ImageSource:
    """The weights in a file, or in a download.

    Args:
        trunk: The layers of the backbone, by name.
        backbone: Name of its architecture.
        weights: As `load_backbone_weights` takes it.

    Raises:
        ValueError: If the file is of no known kind, or not of that backbone.
        FileNotFoundError: If there is no such file.
        ImportError: If a package that reads it is not installed.
        OSError: If a download fails.
    """
    path: Path | None = Path(weights)
    if weights == "imagenet":
        path = None if backbone in APPLICATIONS else download(backbone)
    elif not Path(weights).is_file():
        raise FileNotFoundError(
            f'`weights` must be None, "imagenet" or the path of a file. Received: weights={weights!r}, '
            "and there is no such file."
        )
    own = path is not None and (path.suffix == ".keras" or path.name.endswith(".weights.h5"))
    if not own and any(isinstance(layer, keras.layers.GroupNormalization) for layer in trunk.values()):
        raise ValueError(
            f"weights={weights!r} holds statistics of batch normalisation, which group normalisation has no use for. "
            'Give normalization="frozen_batch" for small batches.'
        )
    if own and path is not None:
        return _own(path, backbone, trunk)
    if path is None or path.suffix in (".h5", ".hdf5"):
        arrays = read_application(backbone, _alpha(backbone, trunk), path, classifier=_published_fully_connected(trunk))
        mean, deviation = SIGNED if backbone.startswith("mobilenet") else CAFFE
        return ImageSource(
            lambda layer: _application_values(arrays, backbone, layer.name),
            mean,
            deviation,
            epsilon=1e-3 if backbone.startswith("mobilenet") else 1.001e-5,
            reversed_channels=not backbone.startswith("mobilenet"),
        )
    return _torch(trunk, backbone, path)


def _torch(trunk: dict[str, Any], backbone: str, path: Path) -> ImageSource:
    """A state dictionary of PyTorch."""
    if path.suffix not in (".pth", ".pt", ".safetensors"):
        raise ValueError(
            "The file must be `.keras`, `.weights.h5`, `.h5`, `.pth`, `.pt` or `.safetensors`. "
            f"Received: weights={str(path)!r}"
        )
    state = read_torch(path)
    if backbone.endswith("_v1"):
        raise ValueError(
            f"backbone={backbone!r} strides in the first convolution of a block, networks of PyTorch in the second. "
            f"Give backbone={backbone.removesuffix('_v1')!r} for weights={str(path)!r}."
        )
    if backbone.startswith("efficientnet_lite"):
        return _efficientnet_lite(trunk, backbone, state)
    mean, deviation = SIGNED if backbone.startswith("xception") else IMAGENET
    precise = backbone.startswith(("resnet", "vgg")) or backbone == "mobilenet_v2"
    return ImageSource(
        lambda layer: torch_values(state, torch_module(backbone, layer.name)),
        mean,
        deviation,
        epsilon=1e-5 if precise else 1e-3,
    )


def _efficientnet_lite(trunk: dict[str, Any], backbone: str, state: Arrays) -> ImageSource:
    """The authors' weights in PyTorch's names or in timm's; or those that timm trained, with padding on every side."""
    if "conv_stem.weight" not in state:
        return ImageSource(lambda layer: torch_values(state, torch_module(backbone, layer.name)), *LITE, epsilon=1e-3)
    ported = trunk["stem_conv"].padding == "same"
    return ImageSource(
        lambda layer: torch_values(state, timm_module(backbone, layer.name)),
        *(SIGNED if ported else IMAGENET),
        epsilon=1e-3 if ported else 1e-5,
    )


def _published_fully_connected(trunk: dict[str, Any]) -> bool:
    """Whether the trunk has VGG-16's fully connected layers, unchanged."""
    return "fc6" in trunk and tuple(trunk["fc6"].kernel.shape) == (7, 7, 512, 4096)


def _own(path: Path, backbone: str, trunk: dict[str, Any]) -> ImageSource:
    from keras_segpaint.backbones.base import FAMILIES

    found = read_own(path)

    def values(layer: Any) -> Arrays | None:
        arrays = found.get(layer.name)
        return None if arrays is None else dict(zip((w.name for w in layer.weights), arrays, strict=False))

    stem = next((name for name in STEMS if name in found), None)
    if stem is not None and found[stem][0].shape[2] == 3:
        return ImageSource(values, FAMILIES[backbone].mean, FAMILIES[backbone].deviation)
    channels = 1 if stem is None else found[stem][0].shape[2]
    return ImageSource(values, (0.0,) * channels, (1.0,) * channels)


def _application_values(arrays: dict[str, Arrays], backbone: str, name: str) -> Arrays | None:
    values = arrays.get(application_layer(backbone, name))
    if values is None:
        return None
    values = dict(values)
    if name in ("fc6", "fc7"):
        kernel = values["kernel"]
        extent = 7 if name == "fc6" else 1
        values["kernel"] = kernel.reshape(extent, extent, -1, kernel.shape[-1])
    return values


def _alpha(backbone: str, trunk: dict[str, Any]) -> float:
    """The width multiplier of a mobile trunk, of those that have published weights."""
    from keras_segpaint.backbones.inverted_residual import make_divisible

    if not backbone.startswith("mobilenet"):
        return 1.0
    widths = {
        "mobilenet_v2": ((16, 24, 32, 64, 160), (0.35, 0.5, 0.75, 1.0, 1.3, 1.4)),
        "mobilenet_v3_large": ((16, 24, 40, 80, 160), (0.75, 1.0)),
    }[backbone]
    found = [trunk[f"stage{stage}_block1_project_conv"].kernel.shape[3] for stage in range(1, 6)]
    for alpha in widths[1]:
        if found == [make_divisible(width * alpha) for width in widths[0]]:
            return alpha
    raise ValueError(f"Published weights of {backbone} have alpha of {widths[1]}; this trunk is {found} wide.")
