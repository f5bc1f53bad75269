"""Files that commands write for files that they read."""

from pathlib import Path

from keras_segpaint.cli.errors import UserError

__all__ = ["refuse_overwriting"]


def refuse_overwriting(target: Path, source: Path, written: dict[Path, Path], mask: Path | None = None) -> None:
    """Raises an error if a result would take the place of what is still needed.

    Args:
        target: Where the result is to be written.
        source: The image that it is of.
        written: The images by their results so far.
        mask: The mask file of all images, or the folder of their masks.

    Raises:
        UserError: If the target is another image's result, the image itself or a mask.
    """
    lost = None
    if target in written:
        lost = f"that of {written[target]}"
    elif target.resolve() == source.resolve():
        lost = "the image itself"
    elif mask is not None and target.exists() and target.resolve().is_relative_to(mask.resolve()):
        lost = "a mask"
    if lost:
        raise UserError(
            f"{source}: its result would overwrite {lost}. Choose another --out, or give the images different names."
        )
