"""G-FRNet."""

from typing import Any, ClassVar

import keras
from keras import layers

from keras_segpaint.backbones.base import build_features
from keras_segpaint.layers import GateUnit, Resize
from keras_segpaint.layers.factory import LayerFactory
from keras_segpaint.layers.named_attention import Attention, attend, standardize_attention
from keras_segpaint.models.segmentation.base import (
    SegmentationModel,
    float32_logits,
    image_input,
    standardize_arguments,
)

# How the predictions of the stages are compared with the labels.
SUPERVISE = ("labels", "predictions")


@keras.saving.register_keras_serializable(package="keras_segpaint")
class GFRNet(SegmentationModel):
    """G-FRNet: a coarse prediction, refined stage by stage with encoder features that pass a gate.

    The gate of a stage multiplies its encoder features by those of the stage below, both made as many channels as there
    are classes; the product is joined with the prediction so far and makes the next one, of twice the size.

    Args:
        num_classes: Integer >= 1.
        input_shape: `(height, width, channels)`; height and width may be `None`. Defaults to `(None, None, 3)`.
        backbone: `"vgg16_bn"` (the paper's) or `"vgg16"`. Defaults to `"vgg16_bn"`.
        normalization: `"batch"`, `"frozen_batch"` or `"group"`. Defaults to `"batch"`.
        dropout: Float in [0, 1), rate behind the last three pools and the two convolutions behind them. Defaults to
            `0.5`.
        base_filters: Integer >= 1, width of the backbone's first block. Defaults to `64`.
        weights: `None`, `"imagenet"` or the path of a weights file for the backbone. Defaults to `None`.
        supervised: Whether all six predictions are judged in training: the output is a dictionary of `"logits"` and
            `"stage1"` (the coarsest) to `"stage5"`, and `fit` adds the losses of the latter with weight 1. Defaults to
            `False`.
        supervise: How they are judged: `"labels"` shrinks the labels to each prediction, as the paper says;
            `"predictions"` enlarges each prediction to the labels, as the authors' code does. Defaults to `"labels"`.
        attention: `None`, or attention between encoder and decoder, behind the last convolution: a layer, or one of
            `"se"`, `"eca"`, `"cbam"`, `"sk"`, `"non_local"`, `"self"`, `"position"`, `"channel"`, `"criss_cross"`,
            `"residual"`; see `keras_segpaint.layers`. Of a layer the configuration is taken, with weights of its own.
            Defaults to `None`.
        data_format: `"channels_last"`, `"channels_first"` or `None` for Keras's default.
        dtype: Dtype or policy of the layers; the logits are float32. `None` for Keras's default.
        name: String. Defaults to `"gfr_net"`.

    Input shape:
        float32 images in [0, 1], `(batch, height, width, channels)`, any height and width >= 1. Images of three
        channels are normalised by ImageNet's mean and standard deviation inside the model.

    Output shape:
        float32 logits `(batch, height, width, num_classes)`.

    29,194,090 parameters at 11 classes.

    Raises:
        ValueError: If `supervise` is not one of the above.

    References:
        - [Gated Feedback Refinement Network for Dense Image Labeling](https://arxiv.org/abs/1806.11266), CVPR 2017 and
          its longer version

    Example:
        >>> import numpy as np
        >>> model = GFRNet(11, base_filters=2, data_format="channels_last")
        >>> tuple(model(np.zeros((1, 45, 60, 3), "float32")).shape)
        (1, 45, 60, 11)
    """

    paper: ClassVar[str] = "Islam, Rochan, Bruce, Wang 2017, G-FRNet, arXiv:1806.11266"
    good_for: ClassVar[str] = "Street scenes from few images, outlines refined step by step"
    reference_parameters: ClassVar[tuple[tuple[dict[str, Any], int], ...]] = (
        ({"num_classes": 11}, 29_194_090),
        ({"num_classes": 11, "supervised": True}, 29_194_090),
    )

    def __init__(
        self,
        num_classes: int,
        *,
        input_shape: tuple[int | None, int | None, int] = (None, None, 3),
        backbone: str = "vgg16_bn",
        normalization: str = "batch",
        dropout: float = 0.5,
        base_filters: int = 64,
        weights: str | None = None,
        supervised: bool = False,
        supervise: str = "labels",
        attention: Attention = None,
        data_format: str | None = None,
        dtype: Any = None,
        name: str = "gfr_net",
    ):
        input_shape, data_format, policy = standardize_arguments(num_classes, input_shape, data_format, dtype)
        attention = standardize_attention(attention)
        if supervise not in SUPERVISE:
            raise ValueError(f"`supervise` must be one of {SUPERVISE}. Received: supervise={supervise!r}")

        # === Layers ===
        build = LayerFactory(data_format, policy, epsilon=1e-5, normalization=normalization)
        settings: dict[str, Any] = dict(data_format=data_format, dtype=policy)

        def unit(x: Any, name: str) -> Any:
            x = build.norm(build.conv(16 * base_filters, 3, name=name)(x), f"{name}_bn")
            return layers.Dropout(dropout, dtype=policy, name=f"{name}_dropout")(build.relu(name=f"{name}_relu")(x))

        def resize(x: Any, like: Any, name: str) -> Any:
            return Resize(align_corners=True, name=name, **settings)(x, like=like)

        # === Functional graph ===
        inputs = image_input(input_shape, data_format)
        features = build_features(backbone, inputs, build, base_filters=base_filters, pool_dropout=dropout)
        x = unit(unit(features["pool5"], "conv6"), "conv7")
        x = attend(x, attention, build, "attention")
        x = build.conv(num_classes, 3, name="stage1_prediction")(x)
        predictions = [x]
        gate = build.conv(num_classes, 3, name="pool5_features")(features["pool5"])
        for stage, block in enumerate((5, 4, 3, 2, 1), start=2):
            name = f"stage{stage}"
            own = build.conv(num_classes, 3, name=f"{name}_features")(features[f"conv{block}"])
            own = build.norm(own, f"{name}_features_bn")
            gated = build.norm(GateUnit(name=f"{name}_gate", **settings)(own, gate), f"{name}_gate_bn")
            before = resize(x, own, f"{name}_before")
            x = build.concatenate(name=f"{name}_join")([gated, before])
            x = build.conv(num_classes, 3, name=f"{name}_prediction")(x)
            predictions.append(x)
            gate = own
        outputs = float32_logits(x)
        heads = {f"stage{stage}": prediction for stage, prediction in enumerate(predictions[:-1], start=1)}
        if supervised:
            if supervise == "predictions":
                heads = {key: resize(x, inputs, f"{key}_upsample") for key, x in heads.items()}
            outputs = {
                "logits": outputs,
                **{key: layers.Activation("linear", dtype="float32", name=key)(x) for key, x in heads.items()},
            }

        # === Config ===
        arguments = dict(
            num_classes=num_classes,
            input_shape=input_shape,
            backbone=backbone,
            normalization=normalization,
            dropout=dropout,
            base_filters=base_filters,
            supervised=supervised,
            supervise=supervise,
            attention=attention,
            data_format=data_format,
            dtype=policy.name,
        )
        super().__init__(
            inputs,
            outputs,
            arguments=arguments,
            name=name,
            supervision=dict.fromkeys(heads, 1.0) if supervised else None,
            weights=weights,
        )
