"""SegNet in PyTorch, after arXiv:1511.00561: VGG16's convolutions and their mirror image."""

import torch
from torch import nn
from torch.nn import functional

ENCODER = ((3, 64, 64), (64, 128, 128), (128, 256, 256, 256), (256, 512, 512, 512), (512, 512, 512, 512))
DECODER = ((512, 512, 512, 512), (512, 512, 512, 256), (256, 256, 256, 128), (128, 128, 64), (64, 64))


def build(classes: int) -> nn.Module:
    """The network with `classes` outputs."""
    return SegNet(classes)


class SegNet(nn.Module):
    """Five stages down with positions, five stages up by them."""

    def __init__(self, classes: int):
        super().__init__()
        self.encoder = nn.ModuleList(stage(widths) for widths in ENCODER)
        self.decoder = nn.ModuleList(stage(widths) for widths in DECODER)
        self.classifier = nn.Conv2d(64, classes, 3, padding=1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Logits of the input's height and width."""
        remembered = []
        for block in self.encoder:
            x = block(x)
            size = x.shape[2:]
            x, positions = functional.max_pool2d(x, 2, ceil_mode=True, return_indices=True)
            remembered.append((positions, size))
        for block in self.decoder:
            positions, size = remembered.pop()
            x = block(functional.max_unpool2d(x, positions, 2, output_size=size))
        return self.classifier(x)


def stage(widths: tuple[int, ...]) -> nn.Module:
    """3x3 convolutions, each with batch normalisation and ReLU."""
    parts: list[nn.Module] = []
    for before, after in zip(widths, widths[1:], strict=False):
        parts += [nn.Conv2d(before, after, 3, padding=1), nn.BatchNorm2d(after), nn.ReLU()]
    return nn.Sequential(*parts)
