"""Networks of torchvision and segmentation_models.pytorch, and the arguments that make this package's the same."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras

from keras_segpaint import models
from tests.models import torchvision_names as names


@dataclass(frozen=True)
class Published:
    """A network: its builder in PyTorch, `"package.function"` with settings, and this package's class with arguments."""

    theirs: str
    settings: dict[str, Any]
    ours: Callable[..., keras.Model]
    arguments: dict[str, Any]
    layer: names.Rename | None = None

    def build(self, **more: Any) -> tuple[keras.Model, names.Rename]:
        """This package's network, and which layer of it a module of the other is."""
        model = self.ours(**self.arguments, **more)
        return model, self.layer or names.mobile_deeplab_layers(model, self.arguments["backbone"])


TORCHVISION = {"num_classes": 21, "supervised": True, "output_stride": 8}
DEEPLAB = {**TORCHVISION, "multi_grid": (), "head_conv": True, "backbone_options": {"dilate_first": False}}
SMP = {"num_classes": 21, "backbone": "resnet18", "multi_grid": (), "head_conv": True, "rates": (12, 24, 36)}

# Settings of the builders in torchvision and in segmentation_models.pytorch.
PLAIN = {"weights": None, "weights_backbone": None, "num_classes": 21, "aux_loss": True}
ENCODER = {"encoder_name": "resnet18", "encoder_weights": None, "classes": 21}

NETWORKS = {
    "fcn_resnet50": Published(
        "torchvision.models.segmentation.fcn_resnet50",
        PLAIN,
        models.FCNResNet,
        TORCHVISION,
        names.torchvision_fcn_layer,
    ),
    "deeplabv3_resnet50": Published(
        "torchvision.models.segmentation.deeplabv3_resnet50",
        PLAIN,
        models.DeepLabV3,
        {**DEEPLAB, "backbone": "resnet50"},
        names.torchvision_deeplab_layer,
    ),
    "deeplabv3_mobilenet_v3_large": Published(
        "torchvision.models.segmentation.deeplabv3_mobilenet_v3_large",
        PLAIN,
        models.DeepLabV3,
        {
            **DEEPLAB,
            "backbone": "mobilenet_v3_large",
            "output_stride": 16,
            "rates": (12, 24, 36),
            "backbone_options": {"dilate_first": True},
        },
    ),
    "DeepLabV3(resnet18)": Published(
        "segmentation_models_pytorch.DeepLabV3",
        ENCODER,
        models.DeepLabV3,
        {**SMP, "output_stride": 8, "align_corners": True},
        names.smp_deeplab_v3_layer,
    ),
    "DeepLabV3Plus(resnet18)": Published(
        "segmentation_models_pytorch.DeepLabV3Plus",
        ENCODER,
        models.DeepLabV3Plus,
        {**SMP, "separable": True, "depthwise_norm": False, "decoder_convs": 1, "align_corners": True},
        names.smp_deeplab_v3_plus_layer,
    ),
}
