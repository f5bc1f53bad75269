"""PSPNet in PyTorch, after arXiv:1612.01105, on torchvision's dilated ResNet-50.

segmentation-models-pytorch has a PSPNet that leaves out the last two stages of its encoder: another network.
"""

import torch
from torch import nn
from torch.nn import functional

from benchmarks.peers.torchvision_import import import_torchvision


def build(classes: int) -> nn.Module:
    """The network with `classes` outputs."""
    return PSPNet(classes)


class PSPNet(nn.Module):
    """Trunk, grids of 1, 2, 3 and 6 bins, and a convolution over all of it."""

    def __init__(self, classes: int):
        super().__init__()
        import_torchvision()
        from torchvision.models import resnet50

        trunk = resnet50(weights=None, replace_stride_with_dilation=[False, True, True])
        self.trunk = nn.Sequential(*list(trunk.children())[:-2])
        self.grids = nn.ModuleList(
            nn.Sequential(nn.AdaptiveAvgPool2d(bins), unit(2048, 512, 1)) for bins in (1, 2, 3, 6)
        )
        self.head = nn.Sequential(unit(4096, 512, 3), nn.Dropout2d(0.1), nn.Conv2d(512, classes, 1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Logits of the input's height and width."""
        size = x.shape[2:]
        x = self.trunk(x)
        grids = [resize(grid(x), x.shape[2:]) for grid in self.grids]
        return resize(self.head(torch.cat([x, *grids], 1)), size)


def resize(x: torch.Tensor, size: torch.Size) -> torch.Tensor:
    """Bilinear, corner points on corner points."""
    return functional.interpolate(x, size, mode="bilinear", align_corners=True)


def unit(width_in: int, width: int, kernel: int) -> nn.Module:
    """Convolution, normalisation, rectifier."""
    convolution = nn.Conv2d(width_in, width, kernel, padding=kernel // 2, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(width), nn.ReLU(inplace=True))
