"""Building augmentations from plain data, as recipes hold them."""

from collections.abc import Iterable, Mapping
from typing import Any

from keras_segpaint.data.augmentation.base import Augmentation
from keras_segpaint.data.augmentation.color import ColorJitter
from keras_segpaint.data.augmentation.crop import RandomCrop
from keras_segpaint.data.augmentation.elastic import ElasticDeformation
from keras_segpaint.data.augmentation.flip import RandomFlip
from keras_segpaint.data.augmentation.resize import RandomScale, Resize
from keras_segpaint.data.augmentation.resized_crop import RandomResizedCrop
from keras_segpaint.data.augmentation.rotation import RandomRotation
from keras_segpaint.data.configurable import build_by_name

__all__ = ["augmentation_from_config"]

_CLASSES: dict[str, type[Augmentation]] = {
    cls.__name__: cls
    for cls in (
        ColorJitter,
        ElasticDeformation,
        RandomCrop,
        RandomFlip,
        RandomResizedCrop,
        RandomRotation,
        RandomScale,
        Resize,
    )
}


def augmentation_from_config(configs: Iterable[Mapping[str, Any]]) -> tuple[Augmentation, ...]:
    """Builds augmentations from their names and arguments.

    Args:
        configs: For each augmentation `{"name": class name, argument: value, ...}`.

    Returns:
        The augmentations, in the same order.

    Raises:
        ValueError: If a name or an argument is unknown.

    Example:
        >>> augmentation_from_config([{"name": "RandomFlip"}, {"name": "Resize", "size": [64, 64]}])
        (RandomFlip(horizontal=True, vertical=False), Resize(size=(64, 64)))
    """
    return tuple(build_by_name(_CLASSES, config) for config in configs)
