"""torchvision's FCN on a dilated ResNet-50."""

import torch
from torch import nn

from benchmarks.peers.torchvision_import import import_torchvision


def build(classes: int) -> nn.Module:
    """The network with `classes` outputs."""
    import_torchvision()
    from torchvision.models.segmentation import fcn_resnet50

    return Logits(fcn_resnet50(weights=None, weights_backbone=None, num_classes=classes))


class Logits(nn.Module):
    """A network of torchvision that gives its logits alone."""

    def __init__(self, network: nn.Module):
        super().__init__()
        self.network = network

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Logits of the input's height and width."""
        return self.network(x)["out"]
