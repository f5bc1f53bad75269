"""segmentation_models.pytorch's U-Net on MobileNetV2 as a LiteRT file.

`python -m benchmarks.peers.litert_unet_smp FILE HEIGHT WIDTH CLASSES`
"""

import sys

import torch

from benchmarks.peers.torchvision_import import import_torchvision


def main() -> None:
    """Converts the network with random weights, its pixels with their channels together as on this package's side."""
    path, (height, width, classes) = sys.argv[1], map(int, sys.argv[2:])
    import_torchvision()
    import litert_torch
    import segmentation_models_pytorch

    network = segmentation_models_pytorch.Unet("mobilenet_v2", encoder_weights=None, classes=classes).eval()
    network = litert_torch.to_channel_last_io(network, args=[0], outputs=[0]).eval()
    litert_torch.convert(network, (torch.rand(1, height, width, 3),)).export(path)


if __name__ == "__main__":
    main()
