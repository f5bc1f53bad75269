"""Importing torchvision."""

import sys

import torch


def import_torchvision() -> None:
    """Imports torchvision also where its build does not fit that of torch.

    The package index may have torch for a CPU and torchvision for CUDA alone. The compiled operators (detection, image
    files) then fail to load, and the import with them. Segmentation needs none of them: naming the two that the
    import describes is enough.
    """
    try:
        import torchvision  # noqa: F401
    except RuntimeError:
        for name in [name for name in sys.modules if name.split(".")[0] == "torchvision"]:
            del sys.modules[name]
        library = torch.library.Library("torchvision", "FRAGMENT")
        for name in ("nms", "qnms"):
            library.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        import_torchvision.library = library  # type: ignore[attr-defined]  # it lives as long as it is referred to
