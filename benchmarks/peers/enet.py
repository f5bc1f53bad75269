"""ENet in PyTorch, after table 1 of arXiv:1606.02147."""

import torch
from torch import nn
from torch.nn import functional

STAGE = (
    {},
    {"dilation": 2},
    {"asymmetric": True},
    {"dilation": 4},
    {},
    {"dilation": 8},
    {"asymmetric": True},
    {"dilation": 16},
)


def build(classes: int) -> nn.Module:
    """The network with `classes` outputs."""
    return ENet(classes)


class ENet(nn.Module):
    """Encoder of three stages and decoder of two."""

    def __init__(self, classes: int):
        super().__init__()
        self.entry = nn.Conv2d(3, 13, 3, 2, 1)
        self.entry_end = nn.Sequential(norm(16), slope(16))
        self.down1 = Down(16, 64, 0.01)
        self.stage1 = nn.Sequential(*[Bottleneck(64, 0.01) for _ in range(4)])
        self.down2 = Down(64, 128, 0.1)
        self.stages23 = nn.Sequential(*[Bottleneck(128, 0.1, **block) for _ in range(2) for block in STAGE])
        self.up4 = Up(128, 64)
        self.stage4 = nn.Sequential(*[Bottleneck(64, decoder=True) for _ in range(2)])
        self.up5 = Up(64, 16)
        self.stage5 = Bottleneck(16, decoder=True)
        self.classifier = nn.ConvTranspose2d(16, classes, 2, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Logits of the input's height and width."""
        height, width = x.shape[2:]
        pooled = functional.max_pool2d(x, 2, ceil_mode=True)
        x = entry = self.entry_end(torch.cat([self.entry(x), pooled], 1))
        x, positions1 = self.down1(x)
        x = first = self.stage1(x)
        x, positions2 = self.down2(x)
        x = self.stages23(x)
        x = self.stage4(self.up4(x, positions2, first))
        x = self.stage5(self.up5(x, positions1, entry))
        return self.classifier(x)[:, :, :height, :width]


class Bottleneck(nn.Module):
    """Reduction, main convolution and expansion beside the identity."""

    def __init__(
        self, width: int, dropout: float = 0.0, dilation: int = 1, asymmetric: bool = False, decoder: bool = False
    ):
        super().__init__()
        inner = width // 4
        if asymmetric:
            main = [nn.Conv2d(inner, inner, (5, 1), padding=(2, 0), bias=False)]
            main += [nn.Conv2d(inner, inner, (1, 5), padding=(0, 2))]
        else:
            main = [nn.Conv2d(inner, inner, 3, padding=dilation, dilation=dilation)]
        self.branch = nn.Sequential(
            nn.Conv2d(width, inner, 1, bias=False),
            norm(inner),
            activation(inner, decoder),
            *main,
            norm(inner),
            activation(inner, decoder),
            nn.Conv2d(inner, width, 1, bias=False),
            norm(width),
            nn.Dropout2d(dropout) if dropout else nn.Identity(),
        )
        self.end = activation(width, decoder)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Same shape as the input."""
        return self.end(x + self.branch(x))


class Down(nn.Module):
    """A bottleneck that halves the size and remembers where the maxima were."""

    def __init__(self, width_in: int, width: int, dropout: float):
        super().__init__()
        inner = width // 4
        self.extra = width - width_in
        self.branch = nn.Sequential(
            nn.Conv2d(width_in, inner, 2, 2, bias=False),
            norm(inner),
            slope(inner),
            nn.Conv2d(inner, inner, 3, padding=1),
            norm(inner),
            slope(inner),
            nn.Conv2d(inner, width, 1, bias=False),
            norm(width),
            nn.Dropout2d(dropout),
        )
        self.end = slope(width)

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """The result and the positions."""
        pooled, positions = functional.max_pool2d(x, 2, ceil_mode=True, return_indices=True)
        skip = functional.pad(pooled, (0, 0, 0, 0, 0, self.extra))
        even = functional.pad(x, (0, x.shape[3] % 2, 0, x.shape[2] % 2))
        return self.end(skip + self.branch(even)), positions


class Up(nn.Module):
    """A bottleneck that doubles the size by the positions of its counterpart."""

    def __init__(self, width_in: int, width: int):
        super().__init__()
        inner = width // 4
        self.skip = nn.Sequential(nn.Conv2d(width_in, width, 1, bias=False), norm(width))
        self.reduce = nn.Sequential(nn.Conv2d(width_in, inner, 1, bias=False), norm(inner), nn.ReLU())
        self.enlarge = nn.ConvTranspose2d(inner, inner, 3, 2, 1)
        self.expand = nn.Sequential(norm(inner), nn.ReLU(), nn.Conv2d(inner, width, 1, bias=False), norm(width))

    def forward(self, x: torch.Tensor, positions: torch.Tensor, like: torch.Tensor) -> torch.Tensor:
        """Twice the size, that of `like`."""
        size = like.shape[2:]
        skip = functional.max_unpool2d(self.skip(x), positions[:, : self.skip[0].out_channels], 2, output_size=size)
        branch = self.expand(self.enlarge(self.reduce(x), output_size=size))
        return functional.relu(skip + branch)


def activation(width: int, decoder: bool) -> nn.Module:
    """The decoder's ReLU or the encoder's PReLU."""
    return nn.ReLU() if decoder else slope(width)


def slope(width: int) -> nn.Module:
    """One slope a channel."""
    return nn.PReLU(width)


def norm(width: int) -> nn.Module:
    """Batch normalisation."""
    return nn.BatchNorm2d(width, eps=1e-3)
