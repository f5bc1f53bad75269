"""LinkNet in PyTorch, after arXiv:1707.03718: ResNet-18 and a decoder that adds the encoder's maps."""

import torch
from torch import nn
from torch.nn import functional


def build(classes: int) -> nn.Module:
    """The network with `classes` outputs."""
    return LinkNet(classes)


class LinkNet(nn.Module):
    """Encoder, four decoder blocks and the final enlargement."""

    def __init__(self, classes: int):
        super().__init__()
        self.register_buffer("mean", torch.tensor([0.485, 0.456, 0.406]).reshape(1, 3, 1, 1))
        self.register_buffer("deviation", torch.tensor([0.229, 0.224, 0.225]).reshape(1, 3, 1, 1))
        self.stem = nn.Sequential(nn.Conv2d(3, 64, 7, 2, 3, bias=False), nn.BatchNorm2d(64), nn.ReLU())
        widths = (64, 64, 128, 256, 512)
        self.stages = nn.ModuleList(
            nn.Sequential(Residual(a, b, 1 if a == b else 2), Residual(b, b, 1))
            for a, b in zip(widths, widths[1:], strict=False)
        )
        self.decoder = nn.ModuleList(
            Decoder(b, a, 1 if a == b else 2) for a, b in reversed(list(zip(widths, widths[1:], strict=False)))
        )
        self.enlarge = nn.ConvTranspose2d(64, 32, 3, 2, 1)
        self.head = nn.Sequential(norm_relu(32), nn.Conv2d(32, 32, 3, padding=1), norm_relu(32))
        self.classifier = nn.ConvTranspose2d(32, classes, 2, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Logits of the input's height and width."""
        height, width = x.shape[2:]
        stem = self.stem((x - self.mean) / self.deviation)
        features = [functional.max_pool2d(stem, 3, 2, 1)]
        for stage in self.stages:
            features.append(stage(features[-1]))
        x = features.pop()
        for block in self.decoder:
            x = block(x, features.pop())
        x = self.head(self.enlarge(x, output_size=stem.shape[2:]))
        return self.classifier(x)[:, :, :height, :width]


class Residual(nn.Module):
    """ResNet's basic block."""

    def __init__(self, width_in: int, width: int, stride: int):
        super().__init__()
        self.branch = nn.Sequential(
            nn.Conv2d(width_in, width, 3, stride, 1, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(),
            nn.Conv2d(width, width, 3, 1, 1, bias=False),
            nn.BatchNorm2d(width),
        )
        self.shortcut: nn.Module = nn.Identity()
        if stride > 1 or width_in != width:
            self.shortcut = nn.Sequential(nn.Conv2d(width_in, width, 1, stride, bias=False), nn.BatchNorm2d(width))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """The sum of branch and shortcut, rectified."""
        return functional.relu(self.branch(x) + self.shortcut(x))


class Decoder(nn.Module):
    """Reduction to a quarter, enlargement, expansion, and the sum with the encoder's map."""

    def __init__(self, width_in: int, width: int, stride: int):
        super().__init__()
        inner = width_in // 4
        self.reduce = nn.Sequential(nn.Conv2d(width_in, inner, 1), norm_relu(inner))
        self.enlarge = nn.ConvTranspose2d(inner, inner, 3, stride, 1)
        self.expand = nn.Sequential(norm_relu(inner), nn.Conv2d(inner, width, 1), norm_relu(width))

    def forward(self, x: torch.Tensor, skip: torch.Tensor) -> torch.Tensor:
        """The size of `skip`."""
        x = self.enlarge(self.reduce(x), output_size=skip.shape[2:])
        return functional.relu(self.expand(x) + skip)


def norm_relu(width: int) -> nn.Module:
    """Batch normalisation and ReLU."""
    return nn.Sequential(nn.BatchNorm2d(width, eps=1e-3), nn.ReLU())
