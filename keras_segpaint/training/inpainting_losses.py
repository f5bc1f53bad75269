"""The loss of images in a recipe."""

import inspect
from collections.abc import Mapping
from typing import Any

import keras

from keras_segpaint import losses
from keras_segpaint.backbones import VGG16, VGG19
from keras_segpaint.losses.features import CAFFE_SCALE
from keras_segpaint.losses.partial_convolution import FEATURE_TERMS

__all__ = ["build_loss"]

_NAMES = (
    "HoleTotalVariation",
    "ImageLossSum",
    "MaskedL1",
    "PartialConvolutionLoss",
    "PerceptualLoss",
    "SpatiallyDiscountedL1",
    "StructuralSimilarityLoss",
    "StyleLoss",
)
_POOLS = ("pool1", "pool2", "pool3")
_BACKBONES = {"VGG16": VGG16, "VGG19": VGG19}
# The layer of a backbone that gives the image as the first convolution sees it.
_IMAGE = "normalize"


def build_loss(config: Mapping[str, Any], data_format: str | None = None) -> Any:
    """Builds a loss from its name and arguments.

    Args:
        config: As `InpaintingRecipe.loss` or `SynthesisRecipe.loss`. `network` and `layers` of a loss of features default to
            `"VGG16"` and its first three pools; with `value_range=None` images count as normalised already. `weight` of a term
            of an `ImageLossSum` defaults to 1; its terms of features are left out if their `features` are `None`.
        data_format: `"channels_last"`, `"channels_first"` or `None` for Keras's default.

    Raises:
        ValueError: If a name or an argument is unknown, or the weights of the features cannot be had; the message says
            what to do.

    Example:
        >>> build_loss({"name": "PartialConvolutionLoss", "features": None}).weights["style_output"]
        0.0
    """
    arguments = dict(config)
    name = arguments.pop("name", None)
    if name not in _NAMES:
        raise ValueError(f"`loss` must have a name out of {', '.join(_NAMES)}. Received: {dict(config)}")
    if name == "ImageLossSum":
        terms = [dict(term) for term in arguments.pop("terms", ())]
        terms = [term for term in terms if not (_is_bare_feature_loss(term))]
        arguments["weights"] = [term.pop("weight", 1.0) for term in terms]
        arguments["terms"] = [build_loss(term, data_format) for term in terms]
    cls = getattr(losses, name)
    if "features" in inspect.signature(cls).parameters:
        source = arguments.get("features", "imagenet")
        network, layer_names = arguments.pop("network", "VGG16"), tuple(arguments.pop("layers", _POOLS))
        if network not in _BACKBONES:
            raise ValueError(
                f"`loss.network` must be one of {', '.join(_BACKBONES)}. Received: loss.network={network!r}"
            )
        if source is not None:
            images = "none" if arguments.get("value_range", True) else "normalized"
            arguments["features"] = _features(network, str(source), data_format, layer_names, images)
        if source is None and name == "PartialConvolutionLoss":
            arguments["weights"] = {**arguments.get("weights", {}), **dict.fromkeys(FEATURE_TERMS, 0.0)}
        elif source is None:
            raise ValueError(f"`loss`: {name} is of features alone, it needs `features`. Received: {dict(config)}")
    try:
        return cls(data_format=data_format, **arguments)
    except TypeError as error:
        raise ValueError(f"`loss`: {name} cannot be built from {dict(config)}: {error}") from error


def _is_bare_feature_loss(term: Mapping[str, Any]) -> bool:
    return term.get("name") in ("PerceptualLoss", "StyleLoss") and term.get("features", "imagenet") is None


def _features(
    backbone: str, source: str, data_format: str | None, layer_names: tuple[str, ...], images: Any
) -> keras.Model:
    """Maps of a network on the scale of inputs of unit deviation, of images in [0, 1] or of such as count as normalised."""
    try:
        network = _BACKBONES[backbone](weights=source, data_format=data_format, dtype="float32")
    except (OSError, ValueError, ImportError) as error:
        raise ValueError(
            f"The loss needs {backbone} as ImageNet trained it, and features={source!r} cannot be had ({error}). Give a file "
            "of its weights, --set loss.features=FILE (.h5 of keras.applications, .pth of torchvision), or train without it, "
            "--set loss.features=none; in Python recipe={'loss': {'features': ...}}."
        ) from error
    features = losses.feature_network(network, layer_names, images, data_format)
    if source == "imagenet" or (source.endswith((".h5", ".hdf5")) and not source.endswith(".weights.h5")):
        # Weights of keras.applications are for grey levels that are not divided by their deviation.
        outputs = [
            output if name == _IMAGE else keras.layers.Rescaling(1 / CAFFE_SCALE)(output)
            for name, output in zip(layer_names, features.outputs, strict=True)
        ]
        features = keras.Model(features.inputs[0], outputs, name="features")
    return features
