"""Attention to scale."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import keras
import numpy as np
from keras import layers

from keras_segpaint.layers import Resize, ScaleAttention, WeightedSum
from keras_segpaint.layers.factory import LayerFactory
from keras_segpaint.models.segmentation.base import SegmentationModel, image_input, standardize_arguments

FUSIONS = ("attention", "average", "max")


@keras.saving.register_keras_serializable(package="keras_segpaint")
class AttentionToScale(SegmentationModel):
    """One network looks at an image in several sizes; attention says pixel by pixel which size counts how much.

    The network is the same for all sizes, with the same weights. Its scores are brought to the size of the image and
    summed with weights that a small network computes from the features of all sizes.

    Args:
        num_classes: Integer >= 1.
        input_shape: `(height, width, channels)`; height and width may be `None`. Defaults to `(None, None, 3)`.
        model: The network: the name of a class in `keras_segpaint.models.segmentation`, or a model, which is copied
            with its weights. Defaults to `"DeepLabV1"`, the paper's.
        model_arguments: Arguments of the class beside those that are arguments here. Defaults to none.
        scales: Factors of the image's size. Defaults to `(1.0, 0.75, 0.5)`.
        fusion: `"attention"`, or what the paper compares it with: `"average"` or `"max"` of the scores. Defaults to
            `"attention"`.
        features: Name of the network's layer whose output the attention sees; `None` for the features that go into
            its last convolution. Defaults to `None`.
        attention_filters: Integer >= 1, channels inside the attention. Defaults to `512`.
        dropout: Float in [0, 1), rate inside the attention. Defaults to `0.5`.
        weights: The argument `weights` of the class, or `None`. Defaults to `None`.
        supervised: Whether the scores of each scale are judged in training: the output is a dictionary of `"logits"`
            and `"scale_1.0"` and so on, of the size of the image in that scale, and `fit` adds their losses with weight
            1. Defaults to `False`.
        data_format: `"channels_last"`, `"channels_first"` or `None` for Keras's default.
        dtype: Dtype or policy of the layers; the logits are float32. `None` for Keras's default.
        name: String. Defaults to `"attention_to_scale"`.

    Input shape:
        float32 images in [0, 1], `(batch, height, width, channels)`, any height and width >= 1.

    Output shape:
        float32 logits `(batch, height, width, num_classes)`.

    34,663,256 parameters at 21 classes: 20,505,429 of DeepLab v1 and 14,157,827 of the attention.

    Raises:
        ValueError: If an argument is not one of the above, the model has other classes or another data format, has
            training heads, or has no convolution whose features could be taken.

    References:
        - [Attention to Scale: Scale-aware Semantic Image Segmentation](https://arxiv.org/abs/1511.03339)

    Example:
        >>> import numpy as np
        >>> model = AttentionToScale(
        ...     3, model="UNet", model_arguments={"base_filters": 2}, attention_filters=4, data_format="channels_last"
        ... )
        >>> images = np.zeros((1, 45, 60, 3), "float32")
        >>> tuple(model(images).shape)
        (1, 45, 60, 3)
        >>> model.scale_weights(images).shape
        (1, 45, 60, 3)
    """

    paper: ClassVar[str] = "Chen, Yang, Wang, Xu, Yuille 2015, Attention to Scale, arXiv:1511.03339"
    good_for: ClassVar[str] = "Objects of very different sizes, on top of any network"
    reference_parameters: ClassVar[tuple[tuple[dict[str, Any], int], ...]] = (({"num_classes": 21}, 34_663_256),)

    def __init__(
        self,
        num_classes: int,
        *,
        input_shape: tuple[int | None, int | None, int] = (None, None, 3),
        model: Any = "DeepLabV1",
        model_arguments: Mapping[str, Any] | None = None,
        scales: Sequence[float] = (1.0, 0.75, 0.5),
        fusion: str = "attention",
        features: str | None = None,
        attention_filters: int = 512,
        dropout: float = 0.5,
        weights: str | None = None,
        supervised: bool = False,
        data_format: str | None = None,
        dtype: Any = None,
        name: str = "attention_to_scale",
    ):
        input_shape, data_format, policy = standardize_arguments(num_classes, input_shape, data_format, dtype)
        scales = tuple(float(scale) for scale in scales)
        if len(scales) < 2 or len(set(scales)) < len(scales) or min(scales) <= 0:
            raise ValueError(f"`scales` must be two or more different positive numbers. Received: scales={scales!r}")
        if fusion not in FUSIONS:
            raise ValueError(f"`fusion` must be one of {FUSIONS}. Received: fusion={fusion!r}")
        model_arguments = dict(model_arguments or {})

        # === Layers ===
        shared = dict(num_classes=num_classes, input_shape=input_shape, data_format=data_format, dtype=policy)
        if isinstance(model, str):
            initial = {} if weights is None else {"weights": weights}
            wrapped = _model_class(model)(**shared, **model_arguments, **initial)
        else:
            if model_arguments or weights is not None:
                raise ValueError("`model_arguments` and `weights` go with the name of a class as `model` only.")
            wrapped, model = _copy(model)
        _check(wrapped, num_classes, data_format)
        build = LayerFactory(data_format, policy)
        settings: dict[str, Any] = dict(data_format=data_format, dtype=policy)

        # === Functional graph ===
        inputs = image_input(input_shape, data_format)
        # Called for each scale, it puts the same layers into this graph again.
        network = keras.Model(wrapped.input, [_features(wrapped, features), wrapped.outputs[0]])
        seen, scores = [], []
        for index, scale in enumerate(scales, start=1):
            image = inputs
            if scale != 1.0:
                image = Resize(scale=scale, data_format=data_format, dtype="float32", name=f"scale_{index}_image")(
                    inputs
                )
            maps, score = network.call(image)
            seen.append(maps)
            scores.append(score)

        def resize(x: Any, like: Any, name: str, dtype: Any = "float32") -> Any:
            return Resize(data_format=data_format, dtype=dtype, name=name)(x, like=like)

        fitting = [resize(x, inputs, f"scale_{index}_scores") for index, x in enumerate(scores, start=1)]
        if fusion == "attention":
            first, *others = seen
            others = [resize(x, first, f"scale_{index}_features", policy) for index, x in enumerate(others, start=2)]
            x = build.concatenate(name="scale_features")([first, *others])
            x = ScaleAttention(len(scales), attention_filters, dropout, name="scale_attention", **settings)(x)
            x = resize(x, inputs, "scale_weights")
            outputs = WeightedSum(data_format=data_format, dtype="float32", name="scale_fusion")(fitting, x)
        else:
            fuse = layers.Average if fusion == "average" else layers.Maximum
            outputs = fuse(dtype="float32", name="scale_fusion")(fitting)
        heads = {f"scale_{scale}": score for scale, score in zip(scales, scores, strict=True)}
        if supervised:
            outputs = {"logits": outputs, **heads}

        # === Config ===
        arguments = dict(
            num_classes=num_classes,
            input_shape=input_shape,
            model=model,
            model_arguments=model_arguments,
            scales=scales,
            fusion=fusion,
            features=features,
            attention_filters=attention_filters,
            dropout=dropout,
            supervised=supervised,
            data_format=data_format,
            dtype=policy.name,
        )
        super().__init__(
            inputs,
            outputs,
            arguments=arguments,
            name=name,
            supervision=dict.fromkeys(heads, 1.0) if supervised else None,
        )
        self.scales = scales
        self.fusion = fusion

    def scale_weights(self, images: Any) -> np.ndarray:
        """How much each scale counts at each pixel of some images, for display.

        Args:
            images: As `predict` takes them.

        Returns:
            float32 array `(batch, height, width, number of scales)`, or channels second, 1 in total at each pixel.

        Raises:
            ValueError: If the scales are not fused by attention.
        """
        if self.fusion != "attention":
            raise ValueError(f'`scale_weights` needs a model with fusion="attention". This one: {self.fusion!r}')
        return keras.Model(self.inputs, self.get_layer("scale_weights").output).predict(images, verbose=0)


def _model_class(name: str) -> Any:
    """The class of segmentation networks of that name."""
    from keras_segpaint.models import segmentation

    known = [known for known in segmentation.__all__ if known != AttentionToScale.__name__]
    if name not in known:
        raise ValueError(f"`model` must be a segmentation model or one of {', '.join(known)}. Received: model={name!r}")
    return getattr(segmentation, name)


def _copy(model: Any) -> tuple[keras.Model, dict[str, Any]]:
    """A copy of a network, and its class and configuration as JSON holds them; or the network of such a description."""
    if isinstance(model, dict):
        return keras.saving.get_registered_object(model["class_name"]).from_config(model["config"]), model
    if not isinstance(model, SegmentationModel):
        raise ValueError(f"`model` must be a segmentation model or a class name. Received: {type(model).__name__}")
    name = keras.saving.get_registered_name(type(model))
    description = {"class_name": name, "config": json.loads(json.dumps(model.get_config()))}
    copy = type(model).from_config(description["config"])
    copy.set_weights(model.get_weights())
    return copy, description


def _check(model: Any, num_classes: int, data_format: str) -> None:
    """Raises `ValueError` for a network that cannot be wrapped."""
    if model.supervision:
        raise ValueError("`model` must have no training heads: give its `predictor()`.")
    for name, want in (("num_classes", num_classes), ("data_format", data_format)):
        if getattr(model, name) != want:
            raise ValueError(f"`model` must have {name}={want!r}. Received: {name}={getattr(model, name)!r}")


def _features(model: keras.Model, name: str | None) -> Any:
    """What the attention sees of a network."""
    if name is not None:
        return model.get_layer(name).output
    convolutions = [layer for layer in model.layers if isinstance(layer, layers.Conv2D | layers.Conv2DTranspose)]
    if not convolutions:
        raise ValueError(f"{type(model).__name__} has no convolution of its own: name a layer as `features`.")
    return convolutions[-1].input
