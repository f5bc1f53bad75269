"""What is measured: one case for each model or layer."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Case:
    """One model or layer at one input size, on both sides."""

    name: str
    batch: int
    height: int
    width: int
    channels: int  # of the output: classes of a model, channels of a layer
    peer: str
    same_parameters: bool = True  # the peer is the same network
    layer: bool = False

    def resized(self, divisor: int) -> "Case":
        """The same case at a smaller height and width."""
        changed = {**self.__dict__, "height": self.height // divisor, "width": self.width // divisor}
        return Case(**changed)


PLAIN = "plain PyTorch"

CASES = {
    case.name: case
    for case in (
        Case("enet", 4, 360, 480, 12, PLAIN),
        Case("segnet", 1, 360, 480, 11, PLAIN),
        Case("unet", 1, 360, 480, 2, PLAIN),
        Case("linknet", 4, 360, 480, 20, PLAIN),
        # Another decoder of the same family, and sizes that 32 divides are all that it takes.
        Case("linknet_smp", 4, 384, 480, 20, "segmentation-models-pytorch", same_parameters=False),
        Case("pooling", 4, 180, 240, 64, "torch.nn.functional.max_pool2d + max_unpool2d", layer=True),
    )
}

# What is timed, and how each is called for a layer.
PHASES = ("inference", "training step")
LAYER_PHASES = ("forward", "forward + backward")
