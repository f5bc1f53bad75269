"""Peers in PyTorch."""

import importlib
import importlib.metadata
from typing import Any

import torch
from torch.nn import functional

from benchmarks.cases import Case
from benchmarks.worker import Contestant, peak_megabytes

FORMATS = {"channels_first": torch.contiguous_format, "channels_last": torch.channels_last}


def contestant(case: Case, memory_format: str, threads: int) -> Contestant:
    """The case's peer in one memory format."""
    torch.set_num_threads(threads)
    torch.manual_seed(0)
    return (layer if case.layer else model)(case, FORMATS[memory_format])


def model(case: Case, memory_format: Any) -> Contestant:
    """A network with its optimizer."""
    module = importlib.import_module(f"benchmarks.peers.{case.name}")
    imported = peak_megabytes()
    network = module.build(case.channels).to(memory_format=memory_format)
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-4)
    x = torch.rand(case.batch, 3, case.height, case.width).contiguous(memory_format=memory_format)
    y = torch.randint(0, case.channels, (case.batch, case.height, case.width))
    y[:, :8] = 255

    def inference() -> None:
        network.eval()
        with torch.inference_mode():
            network(x)

    def step() -> None:
        network.train()
        optimizer.zero_grad()
        functional.cross_entropy(network(x), y, ignore_index=255).backward()
        optimizer.step()

    parameters = sum(parameter.numel() for parameter in network.parameters())
    return Contestant(inference, step, parameters, imported, versions(case))


def layer(case: Case, memory_format: Any) -> Contestant:
    """Max pooling with positions, and back."""
    imported = peak_megabytes()
    x = torch.randn(case.batch, case.channels, case.height, case.width).contiguous(memory_format=memory_format)
    leaf = x.clone().requires_grad_()

    def forward(x: torch.Tensor) -> torch.Tensor:
        pooled, positions = functional.max_pool2d(x, 2, return_indices=True)
        return functional.max_unpool2d(pooled, positions, 2)

    def inference() -> None:
        with torch.inference_mode():
            forward(x)

    return Contestant(inference, lambda: torch.autograd.grad(forward(leaf), leaf, x), 0, imported, versions(case))


def versions(case: Case) -> dict[str, str]:
    """The versions of what takes part."""
    found = {"torch (peer)": torch.__version__}
    if case.peer in ("segmentation-models-pytorch", "torchvision"):
        found[case.peer] = importlib.metadata.version(case.peer)
    return found
