"""Heads that several networks share."""

from typing import Any

from keras import layers

from keras_segpaint.layers import Resize
from keras_segpaint.layers.factory import LayerFactory


def fcn_head(
    x: Any, num_classes: int, build: LayerFactory, *, dropout: float, name: str, filters: int | None = None
) -> Any:
    """A 3x3 convolution (to a quarter of the channels by default), normalised and rectified, dropout, the classifier."""
    x = build.conv(filters or max(build.channels(x) // 4, 1), 3, use_bias=False, name=f"{name}_conv")(x)
    x = build.relu(name=f"{name}_relu")(build.norm(x, f"{name}_bn"))
    if dropout:
        x = layers.Dropout(dropout, dtype=build.dtype, name=f"{name}_dropout")(x)
    return build.conv(num_classes, 1, name=f"{name}_classifier")(x)


def upsample_logits(x: Any, like: Any, build: LayerFactory, *, align_corners: bool = False, name: str) -> Any:
    """Bilinear resizing to the size of `like`, in float32."""
    return Resize(align_corners=align_corners, data_format=build.data_format, dtype="float32", name=name)(x, like=like)


def with_auxiliary_head(
    logits: Any, features: Any, like: Any, build: LayerFactory, *, num_classes: int, dropout: float, align_corners: bool
) -> dict[str, Any]:
    """The outputs of a network with a second classifier, `"aux"`, on earlier features."""
    x = fcn_head(features, num_classes, build, dropout=dropout, name="aux")
    return {"logits": logits, "aux": upsample_logits(x, like, build, align_corners=align_corners, name="aux")}
