"""milesial/Pytorch-UNet: U-Net with padding and batch normalisation."""

from keras_segpaint.convert.card import Card
from keras_segpaint.convert.source import Layout, Source, State, UnknownLayoutError

__all__ = ["SOURCE"]

_PARTS = {"0": "conv1", "1": "bn1", "3": "conv2", "4": "bn2"}


def _layout(state: State) -> Layout:
    if "outc.conv.weight" not in state or "inc.double_conv.0.weight" not in state:
        raise UnknownLayoutError("A U-Net has the modules inc.double_conv and outc.conv")
    return Layout(
        "UNet",
        {
            "num_classes": state["outc.conv.weight"].shape[0],
            "base_filters": state["inc.double_conv.0.weight"].shape[0],
            "upsampling": "transposed" if "up1.up.weight" in state else "bilinear",
            "pool_padding": "valid",
        },
        lambda model: _rename,
        head=("classifier",),
        # The value that each class has in the masks it was trained on.
        ignored=lambda key: key == "mask_values",
    )


def _rename(module: str) -> str | None:
    if module == "outc.conv":
        return "classifier"
    block, _, rest = module.partition(".")
    if block == "inc":
        level = "down0"
    elif block.startswith("down"):
        level = f"down{block[-1]}"
    else:
        level = f"up{4 - int(block.removeprefix('up'))}"
    if rest == "up":
        return f"{level}_transpose"
    return f"{level}_{_PARTS[rest.rpartition('.')[2]]}"


SOURCE = Source(
    "milesial/unet",
    Card(
        "milesial/unet",
        licence="GPL-3.0 (the code)",
        url="https://github.com/milesial/Pytorch-UNet",
        preprocessing="RGB in [0, 1], not normalised; the published weights are of photographs at half their size",
    ),
    _layout,
    models=("UNet",),
)
