"""DeepLab v3+ of segmentation-models-pytorch on ResNet-50."""

from torch import nn

from benchmarks.peers.torchvision_import import import_torchvision


def build(classes: int) -> nn.Module:
    """The network with `classes` outputs."""
    import_torchvision()
    import segmentation_models_pytorch

    return segmentation_models_pytorch.DeepLabV3Plus("resnet50", encoder_weights=None, classes=classes)
