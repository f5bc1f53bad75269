"""U-Net in PyTorch, after figure 1 of arXiv:1505.04597, with padding and batch normalisation."""

import torch
from torch import nn
from torch.nn import functional

WIDTHS = (64, 128, 256, 512, 1024)


def build(classes: int) -> nn.Module:
    """The network with `classes` outputs."""
    return UNet(classes)


class UNet(nn.Module):
    """Five levels of double convolutions, joined by concatenation."""

    def __init__(self, classes: int):
        super().__init__()
        self.down = nn.ModuleList(double(a, b) for a, b in zip((3, *WIDTHS), WIDTHS, strict=False))
        self.enlarge = nn.ModuleList(nn.ConvTranspose2d(2 * w, w, 2, 2) for w in WIDTHS[3::-1])
        self.up = nn.ModuleList(double(2 * w, w) for w in WIDTHS[3::-1])
        self.classifier = nn.Conv2d(64, classes, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Logits of the input's height and width."""
        skips = []
        for level, block in enumerate(self.down):
            if level:
                x = functional.max_pool2d(x, 2, ceil_mode=True)
            x = block(x)
            skips.append(x)
        skips.pop()
        for enlarge, block in zip(self.enlarge, self.up, strict=True):
            skip = skips.pop()
            x = enlarge(x)[:, :, : skip.shape[2], : skip.shape[3]]
            x = block(torch.cat([skip, x], 1))
        return self.classifier(x)


def double(width_in: int, width: int) -> nn.Module:
    """Two 3x3 convolutions without bias, each with batch normalisation and ReLU."""
    parts: list[nn.Module] = []
    for before in (width_in, width):
        parts += [nn.Conv2d(before, width, 3, padding=1, bias=False), nn.BatchNorm2d(width), nn.ReLU()]
    return nn.Sequential(*parts)
