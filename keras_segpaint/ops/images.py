"""Images, masks of holes, and their composition."""

from typing import Any

from keras import ops

from keras_segpaint.ops.labels import channels_last


def hole_mask_like(mask: Any, images: Any, data_format: str) -> Any:
    """A mask of holes as float32 `(batch, height, width, 1)`.

    Args:
        mask: `(batch, height, width)`, or with one channel where `data_format` has it; 1 is a hole.
        images: `(batch, height, width, channels)`, what the mask belongs to.
        data_format: That of the mask.

    Raises:
        ValueError: If the mask has another size.
    """
    mask = ops.cast(ops.convert_to_tensor(mask), "float32")
    if len(mask.shape) == 3:
        mask = ops.expand_dims(mask, -1)
    elif len(mask.shape) == 4:
        mask = channels_last(mask, data_format)
    known = zip(mask.shape[1:], (*images.shape[1:3], 1), strict=False)
    if len(mask.shape) != 4 or any(None not in sizes and sizes[0] != sizes[1] for sizes in known):
        raise ValueError(
            "The mask of holes must have the height and width of the images, (batch, height, width, 1). "
            f"Received: a mask of shape {tuple(mask.shape)} for images of shape {tuple(images.shape)} (channels last)"
        )
    return mask


def composite(images: Any, filled: Any, mask: Any) -> Any:
    """`filled` in the holes, `images` elsewhere."""
    return images + mask * (filled - images)


def check_value_range(value_range: tuple[float, float]) -> tuple[float, float]:
    """`(lowest, highest)` as floats; raises `ValueError` unless they ascend."""
    if len(value_range) != 2 or not value_range[0] < value_range[1]:
        raise ValueError(f"`value_range` must be (lowest, highest), ascending. Received: value_range={value_range}")
    return float(value_range[0]), float(value_range[1])


def to_unit(images: Any, value_range: tuple[float, float]) -> Any:
    """Images in [0, 1]."""
    low, high = value_range
    return (images - low) / (high - low)


def dilate(mask: Any, pixels: int = 1) -> Any:
    """Grows the holes of `(batch, height, width, 1)` by a square of `2 * pixels + 1`."""
    return ops.max_pool(mask, 2 * pixels + 1, strides=1, padding="same", data_format="channels_last")
