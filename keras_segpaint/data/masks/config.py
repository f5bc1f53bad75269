"""Building mask generators from plain data, as recipes hold them."""

from collections.abc import Mapping
from typing import Any

from keras_segpaint.data.configurable import build_by_name
from keras_segpaint.data.masks.base import MaskGenerator
from keras_segpaint.data.masks.free_form import FreeFormMask
from keras_segpaint.data.masks.irregular import IrregularMask
from keras_segpaint.data.masks.ratio import HoleRatioMask
from keras_segpaint.data.masks.rectangle import RectangleMask
from keras_segpaint.data.masks.union import MaskUnion

__all__ = ["masks_from_config"]

_CLASSES: dict[str, type[MaskGenerator]] = {
    cls.__name__: cls for cls in (FreeFormMask, HoleRatioMask, IrregularMask, MaskUnion, RectangleMask)
}


def masks_from_config(config: Mapping[str, Any]) -> MaskGenerator:
    """Builds a mask generator from its name and arguments.

    Args:
        config: `{"name": class name, argument: value, ...}`; an argument that is a generator, or each of several, is
            such a mapping too.

    Raises:
        ValueError: If a name or an argument is unknown.

    Example:
        >>> masks_from_config({"name": "HoleRatioMask", "generator": {"name": "RectangleMask"}, "ratios": [(0.1, 0.2)]})
        HoleRatioMask(generator=RectangleMask(height=(0.375, 0.5), width=(0.375, 0.5), margin=0.0), ratios=((0.1, 0.2),))
    """
    arguments = dict(config)
    if "generator" in arguments:
        arguments["generator"] = masks_from_config(arguments["generator"])
    if "generators" in arguments:
        arguments["generators"] = [masks_from_config(item) for item in arguments["generators"]]
    return build_by_name(_CLASSES, arguments)
