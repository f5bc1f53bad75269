"""What all segmentation models share: their arguments, the input and the head."""

from collections.abc import Mapping
from typing import Any

import keras
from keras import layers

from keras_segpaint.backbones.pretrained import load_backbone_weights
from keras_segpaint.models import arguments as common
from keras_segpaint.models.arguments import Shape
from keras_segpaint.models.remembered import RememberedModel
from keras_segpaint.ops.named_losses import as_loss
from keras_segpaint.ops.resizing import nearest
from keras_segpaint.ops.spatial import spatial_size


class SegmentationModel(RememberedModel):
    """A network from images to logits of their size.

    A network with heads that are for training alone takes `supervised`. With `supervised=True` its output is a
    dictionary, `"logits"` and one entry for each head, and `compile` takes one loss and plain metrics as for any other
    network: `fit` is given one label map, which every head is judged by, made as small as the head where that is
    smaller. The loss is that of the logits plus the others times their weights in `supervision`; metrics see the logits
    alone. `predictor()` gives the network without the heads.

    Attributes:
        num_classes: Number of channels of the logits.
        supervision: Weights of the losses of the training heads, by the names of their outputs.
    """

    def __init__(
        self,
        inputs: Any,
        outputs: Any,
        *,
        arguments: dict[str, Any],
        name: str,
        supervision: Mapping[str, float] | None = None,
        weights: str | None = None,
        **kwargs: Any,
    ):
        super().__init__(inputs, outputs, arguments=arguments, name=name, **kwargs)
        self.num_classes = arguments["num_classes"]
        self.supervision = dict(supervision or {})
        if weights is not None:
            load_backbone_weights(self, arguments["backbone"], weights)

    def compute_loss(
        self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None, training: bool = True
    ) -> Any:
        """The loss of the logits plus the weighted losses of the training heads."""
        if not isinstance(y_pred, dict):
            return super().compute_loss(x, y, y_pred, sample_weight, training)
        total = super().compute_loss(x, y, y_pred["logits"], sample_weight, training)
        if training:
            loss = as_loss(self.loss)
            for name, weight in self.supervision.items():
                labels = labels_like(y, y_pred[name], self.data_format)
                weights = None if sample_weight is None else labels_like(sample_weight, y_pred[name], self.data_format)
                total = total + weight * loss(labels, y_pred[name], sample_weight=weights)
        return total

    def compute_metrics(self, x: Any, y: Any, y_pred: Any, sample_weight: Any = None) -> dict[str, Any]:
        """The metrics of the logits."""
        logits = y_pred["logits"] if isinstance(y_pred, dict) else y_pred
        return super().compute_metrics(x, y, logits, sample_weight)

    def predictor(self) -> "SegmentationModel":
        """The network without its training heads, with the same weights; itself where it has none."""
        if not self.supervision:
            return self
        return self.rebuilt(supervised=False)


def labels_like(labels: Any, logits: Any, data_format: str) -> Any:
    """A map of labels or weights, `(batch, height, width)`, of the size of `logits`: each pixel takes the nearest."""
    wanted, have = spatial_size(logits, data_format), spatial_size(labels, "channels_last")
    if all(isinstance(extent, int) for extent in (*wanted, *have)) and wanted == have:
        return labels
    return nearest(labels, wanted, "channels_last")


def standardize_arguments(
    num_classes: int, input_shape: Any, data_format: str | None, dtype: Any
) -> tuple[Shape, str, keras.DTypePolicy]:
    """Checks the arguments that every model takes and resolves the defaults among them."""
    if not isinstance(num_classes, int) or num_classes < 1:
        raise ValueError(f"`num_classes` must be an integer >= 1. Received: num_classes={num_classes!r}")
    return common.standardize_arguments(input_shape, data_format, dtype)


def image_input(input_shape: Shape, data_format: str) -> keras.KerasTensor:
    """The input tensor of a network: float32 images."""
    return common.map_input(input_shape, input_shape[2], data_format, "image")


def float32_logits(x: Any) -> Any:
    """Casts logits to float32; no operation where they are so already."""
    return x if x.dtype == "float32" else layers.Activation("linear", dtype="float32", name="logits")(x)
