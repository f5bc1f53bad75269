"""Attention among positions in plain PyTorch, every weight held at once: `python -m benchmarks.peers.attention CASE`."""

import json
import sys

import torch
from torch import nn

from benchmarks.worker import Contestant, obey, peak_megabytes


class QueryKeyValue(nn.Module):
    """Queries, keys and values by 1x1 convolutions."""

    def __init__(self, channels: int, inner: int, values: int):
        super().__init__()
        self.query, self.key = nn.Conv2d(channels, inner, 1), nn.Conv2d(channels, inner, 1)
        self.value = nn.Conv2d(channels, values, 1)

    def mixture(self, x: torch.Tensor) -> torch.Tensor:
        """Each position's mean of the values of all."""
        query, key, value = (layer(x).flatten(2) for layer in (self.query, self.key, self.value))
        attention = torch.softmax(query.transpose(1, 2) @ key, dim=-1)
        return (value @ attention.transpose(1, 2)).unflatten(2, x.shape[2:])


class PositionAttention(QueryKeyValue):
    """DANet's."""

    def __init__(self, channels: int):
        super().__init__(channels, channels // 8, channels)
        self.gamma = nn.Parameter(torch.zeros(1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + self.gamma * self.mixture(x)


class SelfAttention2D(QueryKeyValue):
    """SAGAN's."""

    def __init__(self, channels: int):
        super().__init__(channels, channels // 8, channels // 8)
        self.output = nn.Conv2d(channels // 8, channels, 1)
        self.gamma = nn.Parameter(torch.zeros(1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + self.gamma * self.output(self.mixture(x))


class NonLocalBlock(QueryKeyValue):
    """The embedded Gaussian's."""

    def __init__(self, channels: int):
        super().__init__(channels, channels // 2, channels // 2)
        self.output = nn.Sequential(nn.Conv2d(channels // 2, channels, 1), nn.BatchNorm2d(channels)).eval()
        nn.init.zeros_(self.output[1].weight)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + self.output(self.mixture(x))


class CrissCrossAttention(QueryKeyValue):
    """CCNet's, one pass."""

    def __init__(self, channels: int):
        super().__init__(channels, channels // 8, channels)
        self.gamma = nn.Parameter(torch.zeros(1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        query, key, value = self.query(x), self.key(x), self.value(x)
        height = x.shape[2]
        column = torch.einsum("bchw,bcgw->bhwg", query, key)
        own = torch.eye(height, dtype=torch.bool)[:, None]
        row = torch.einsum("bchw,bchv->bhwv", query, key)
        attention = torch.softmax(torch.cat([column.masked_fill(own, -torch.inf), row], -1), dim=-1)
        mixture = torch.einsum("bhwg,bcgw->bchw", attention[..., :height], value)
        mixture = mixture + torch.einsum("bhwv,bchv->bchw", attention[..., height:], value)
        return x + self.gamma * mixture


LAYERS = {layer.__name__: layer for layer in (NonLocalBlock, SelfAttention2D, PositionAttention, CrissCrossAttention)}


def main() -> None:
    """Builds the layer and waits for commands."""
    name, side, channels, threads = json.loads(sys.argv[1])
    torch.set_num_threads(threads)
    torch.manual_seed(0)
    imported = peak_megabytes()
    layer = LAYERS[name](channels)
    x = torch.randn(1, channels, side, side)
    leaf = x.clone().requires_grad_()

    def forward() -> None:
        with torch.inference_mode():
            layer(x)

    def step() -> None:
        torch.autograd.grad(layer(leaf), leaf, x)

    parameters = sum(parameter.numel() for parameter in layer.parameters())
    obey(Contestant(forward, step, parameters, imported, {"torch (peer)": torch.__version__}))


if __name__ == "__main__":
    main()
