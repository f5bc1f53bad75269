"""Networks of torchvision and segmentation_models.pytorch, and how their packages build them."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Published:
    """A network: where its checkpoints are from, and its builder in PyTorch, `"package.function"` with settings."""

    source: str
    theirs: str
    settings: dict[str, Any]


# Settings of the builders in torchvision and in segmentation_models.pytorch.
PLAIN = {"weights": None, "weights_backbone": None, "num_classes": 21, "aux_loss": True}
ENCODER = {"encoder_name": "resnet18", "encoder_weights": None, "classes": 21}

NETWORKS = {
    **{
        name: Published("torchvision", f"torchvision.models.segmentation.{name}", PLAIN)
        for name in ("fcn_resnet50", "deeplabv3_resnet50", "deeplabv3_mobilenet_v3_large")
    },
    **{
        f"{name}(resnet18)": Published("segmentation_models_pytorch", f"segmentation_models_pytorch.{name}", ENCODER)
        for name in ("DeepLabV3", "DeepLabV3Plus")
    },
}
