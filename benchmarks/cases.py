"""What is measured: one case for each model or layer."""

import dataclasses
from dataclasses import dataclass, field
from typing import Any


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
    model: str = ""  # class in `keras_segpaint.models`
    arguments: dict[str, Any] = field(default_factory=dict)  # of that class

    def resized(self, divisor: int) -> "Case":
        """The same case at a smaller height and width, multiples of 32, which some peers need."""
        if divisor == 1:
            return self
        smaller = {name: getattr(self, name) // divisor // 32 * 32 for name in ("height", "width")}
        return dataclasses.replace(self, **smaller)


PLAIN = "plain PyTorch"
SMP = "segmentation-models-pytorch"
TORCHVISION = "torchvision"
KERAS_HUB = "keras-hub"
# The decoder of segmentation-models-pytorch and its rates at this output stride.
SMP_DEEPLAB = {
    "backbone": "resnet50",
    "rates": (12, 24, 36),
    "multi_grid": (),
    "separable": True,
    "depthwise_norm": False,
    "head_conv": True,
    "decoder_convs": 1,
}
# KerasHub dilates nothing, and projects the shallow features to the same 48 channels.
HUB_DEEPLAB = {"backbone": "resnet50", "output_stride": 32, "rates": (6, 12, 18), "multi_grid": (), "decoder_convs": 1}
# As its peer: torchvision's ResNet below the pyramid.
TORCHVISION_PSP = {"backbone_options": {"stem": "plain", "dilate_first": False}}

CASES = {
    case.name: case
    for case in (
        Case("enet", 4, 360, 480, 12, PLAIN, model="ENet"),
        Case("segnet", 1, 360, 480, 11, PLAIN, model="SegNet"),
        Case("unet", 1, 360, 480, 2, PLAIN, model="UNet"),
        Case("linknet", 4, 360, 480, 20, PLAIN, model="LinkNet"),
        # Another decoder of the same family, and sizes that 32 divides are all that it takes.
        Case("linknet_smp", 4, 384, 480, 20, SMP, same_parameters=False, model="LinkNet"),
        # Batches of two: image pooling and batch normalisation leave nothing of a batch of one.
        Case("deeplab_v3_plus_smp", 2, 352, 480, 21, SMP, model="DeepLabV3Plus", arguments=SMP_DEEPLAB),
        Case(
            "deeplab_v3_plus_keras_hub",
            2,
            352,
            480,
            21,
            KERAS_HUB,
            same_parameters=False,
            model="DeepLabV3Plus",
            arguments=HUB_DEEPLAB,
        ),
        Case("psp_net", 2, 352, 480, 21, TORCHVISION, model="PSPNet", arguments=TORCHVISION_PSP),
        Case("fcn_torchvision", 2, 352, 480, 21, TORCHVISION, model="FCNResNet", arguments={"backbone": "resnet50"}),
        Case("pooling", 4, 180, 240, 64, "torch.nn.functional.max_pool2d + max_unpool2d", layer=True),
    )
}

# What is timed, and how each is called for a layer.
PHASES = ("inference", "training step")
LAYER_PHASES = ("forward", "forward + backward")
