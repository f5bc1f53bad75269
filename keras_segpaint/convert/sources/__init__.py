"""The implementations whose checkpoints can be read, one file each."""

from keras_segpaint.convert.source import Source
from keras_segpaint.convert.sources import (
    daa233_deepfill_v1,
    davidtvs_enet,
    drsleep_refinenet,
    efficientnet_lite,
    jiahuiyu_deepfill_v1,
    jiahuiyu_deepfill_v2,
    junfu1115_danet,
    kazuto1011_deeplab_v2,
    milesial_unet,
    naoto0804_adain,
    nipponjo_deepfill_v2,
    nvlabs_spade,
    say4n_segnet,
    segmentation_models_pytorch,
    speedinghzl_ccnet,
    torchvision,
)

__all__ = ["SOURCES", "get"]

SOURCES: dict[str, Source] = {
    module.SOURCE.name: module.SOURCE
    for module in (
        daa233_deepfill_v1,
        davidtvs_enet,
        drsleep_refinenet,
        efficientnet_lite,
        jiahuiyu_deepfill_v1,
        jiahuiyu_deepfill_v2,
        junfu1115_danet,
        kazuto1011_deeplab_v2,
        milesial_unet,
        naoto0804_adain,
        nipponjo_deepfill_v2,
        nvlabs_spade,
        say4n_segnet,
        segmentation_models_pytorch,
        speedinghzl_ccnet,
        torchvision,
    )
}


def get(name: str) -> Source:
    """The source of a name.

    Raises:
        ValueError: If there is none.

    Example:
        >>> get("davidtvs/enet").card.licence
        'MIT'
    """
    if name not in SOURCES:
        raise ValueError(f"`source` must be one of: {', '.join(SOURCES)}. Received: source={name!r}")
    return SOURCES[name]
