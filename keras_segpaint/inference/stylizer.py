"""Images of any size and kind in the style of others."""

import os
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import sqrt
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_segpaint.data.errors import DataError
from keras_segpaint.data.files import find_images
from keras_segpaint.inference.images import channels_first, resize_map
from keras_segpaint.inference.photographs import read_photograph
from keras_segpaint.inference.pictures import Picture
from keras_segpaint.models.synthesis import StyleTransfer

__all__ = ["PRESERVE_COLOUR", "StylizedFile", "Stylizer", "stylize", "stylize_files"]

PRESERVE_COLOUR = (False, "luminance", "statistics")

_LUMINANCE = np.array([0.299, 0.587, 0.114], np.float32)
_WHOLE = slice(None)


class Stylizer:
    """Paints images in one style, or in a mixture of several.

    Args:
        model: A `StyleTransfer`.
        styles: The style image, or a list of them: as `image` below, of any sizes. One of a single colour and one of a
            single pixel will do, too.
        style_weights: A number >= 0 for each style, of any sum > 0: their shares. Defaults to equal ones.
        alpha: In [0, 1], how much of the style the result takes; with 0 it is the content as the decoder draws it.
            Defaults to `1.0`.
        preserve_colour: `False`; `"luminance"`: the result's luminance (Rec. 601) with the content's chrominance, so hues
            stay where they are; or `"statistics"`: each style's colours are first moved to the mean and covariance of the
            content's, so that the palette is the content's. Defaults to `False`.
        style_size: Integer >= 1, to which the smaller side of a style is resized, the scale of its strokes; `None` leaves
            it as it is. Defaults to `512`, as in training.
        max_pixels: Integer >= 1: larger contents (and styles) are made smaller for the model, and what it paints is
            enlarged. This bounds the memory. Defaults to `2048 * 2048`.

    Call arguments:
        image: The content: uint8, uint16, or floating in [0, 1]; `(height, width)` or `(height, width, channels)` with 1
            (grey), 2 (grey and opacity), 3 (RGB) or 4 (RGB and opacity) channels.

    Returns:
        A new array of the shape and type of `image`. A grey content gives the result's luminance; opacity is kept as it
        is.

    Raises:
        ValueError: If an argument is not one of the above.

    References:
        - [Arbitrary Style Transfer in Real-time with Adaptive Instance Normalization](https://arxiv.org/abs/1703.06868),
          section 7.
        - [Preserving Color in Neural Artistic Style Transfer](https://arxiv.org/abs/1606.05897), of both ways to keep the
          colours.

    Example:
        >>> model = StyleTransfer(base_filters=2)
        >>> style = np.full((9, 9, 3), 80, np.uint8)
        >>> painted = Stylizer(model, style, alpha=0.5, style_size=None)(np.zeros((21, 30, 4), np.uint8))
        >>> painted.shape, painted.dtype
        ((21, 30, 4), dtype('uint8'))
    """

    def __init__(
        self,
        model: StyleTransfer,
        styles: Any,
        style_weights: Sequence[float] | None = None,
        *,
        alpha: float = 1.0,
        preserve_colour: str | bool = False,
        style_size: int | None = 512,
        max_pixels: int = 2048 * 2048,
    ):
        if not isinstance(model, StyleTransfer):
            raise ValueError(f"`model` must be a StyleTransfer. Received: {type(model).__name__}")
        if not 0 <= alpha <= 1:
            raise ValueError(f"`alpha` must be in [0, 1]. Received: alpha={alpha!r}")
        if preserve_colour not in PRESERVE_COLOUR:
            raise ValueError(
                f"`preserve_colour` must be one of {PRESERVE_COLOUR}. Received: preserve_colour={preserve_colour!r}"
            )
        for name, value in (("style_size", style_size), ("max_pixels", max_pixels)):
            if value is not None and value < 1:
                raise ValueError(f"`{name}` must be an integer >= 1. Received: {name}={value!r}")
        images = list(styles) if isinstance(styles, list | tuple) else [styles]
        self.style_weights = _shares(style_weights, len(images))
        self.model = model
        self.alpha = float(alpha)
        self.preserve_colour = preserve_colour
        self.max_pixels = int(max_pixels)
        self._first = channels_first(model)
        self._bottleneck = keras.Model(model.encoder.inputs[0], model.encoder.outputs[-1])
        self._styles = [self._resized(_colours(np.asarray(image), "styles"), style_size) for image in images]
        self._statistics = None if preserve_colour == "statistics" else [self._encoded(x) for x in self._styles]

    def __call__(self, image: Any) -> np.ndarray:
        image = np.asarray(image)
        picture = Picture(image, np.zeros(image.shape[:2], np.uint8))
        content = (picture.part(_WHOLE, _WHOLE) + 1) / 2
        statistics = self._statistics
        if statistics is None:
            statistics = [self._encoded(moved_colours(style, content)) for style in self._styles]
        painted = self._painted(self._resized(content, None), statistics)
        painted = np.clip(resize_map(painted, image.shape[:2], area=False), 0, 1)
        if self.preserve_colour == "luminance":
            painted = content + ((painted - content) @ _LUMINANCE)[..., None]
        picture.fill(_WHOLE, _WHOLE, np.clip(painted, 0, 1) * 2 - 1, np.ones(image.shape[:2], np.float32))
        return picture.result

    def _resized(self, image: np.ndarray, smaller_side: int | None) -> np.ndarray:
        height, width = image.shape[:2]
        factor = 1.0 if smaller_side is None else smaller_side / min(height, width)
        factor = min(factor, sqrt(self.max_pixels / (height * width)))
        return resize_map(image, (max(round(height * factor), 1), max(round(width * factor), 1)))

    def _features(self, image: np.ndarray) -> np.ndarray:
        batch = image[None].transpose(0, 3, 1, 2) if self._first else image[None]
        return np.asarray(self._bottleneck.predict_on_batch(np.ascontiguousarray(batch)), np.float32)

    def _encoded(self, style: np.ndarray) -> Any:
        return self.model.adain.statistics(self._features(style))

    def _painted(self, content: np.ndarray, statistics: Sequence[Any]) -> np.ndarray:
        mixed = self.model.mix(self._features(content), statistics, self.style_weights, alpha=self.alpha)
        mixed = ops.convert_to_numpy(ops.cast(mixed, "float32"))
        painted = np.asarray(self.model.decoder.predict_on_batch(mixed), np.float32)[0]
        if self._first:
            painted = painted.transpose(1, 2, 0)
        if not np.isfinite(painted).all():
            raise ValueError(
                f"{self.model.name} gave NaN or infinite values. Its weights may have diverged in training."
            )
        # Odd sizes were rounded up.
        return painted[: content.shape[0], : content.shape[1]]


def stylize(
    model: StyleTransfer, content: Any, styles: Any, style_weights: Sequence[float] | None = None, **settings: Any
) -> np.ndarray:
    """Paints one image in the style of others; `Stylizer` keeps the styles for more images.

    Args:
        model: A `StyleTransfer`.
        content: As `image` of `Stylizer`.
        styles: As in `Stylizer`.
        style_weights: As in `Stylizer`.
        **settings: The other arguments of `Stylizer`: `alpha`, `preserve_colour`, `style_size`, `max_pixels`.

    Returns:
        A new array of the shape and type of `content`.

    Raises:
        ValueError: If an argument is not one of those.

    Example:
        >>> styles = [np.zeros((9, 9), np.uint8), np.full((1, 1, 3), 0.5, np.float32)]
        >>> painted = stylize(StyleTransfer(base_filters=2), np.zeros((5, 7), np.uint16), styles, [1, 3], style_size=16)
        >>> painted.shape, painted.dtype
        ((5, 7), dtype('uint16'))
    """
    return Stylizer(model, styles, style_weights, **settings)(content)


@dataclass(frozen=True)
class StylizedFile:
    """One image file that was painted in a style.

    Args:
        path: The file.
        name: Its path below the folder that was searched, without suffix: a name for result files.
        image: The image as it is stored, uint8 or uint16, `(height, width)` or `(height, width, channels)`.
        stylized: The result, of the shape and type of `image`.
    """

    path: Path
    name: str
    image: np.ndarray
    stylized: np.ndarray


def stylize_files(
    stylizer: Stylizer, source: str | os.PathLike, *, skipped: list[Path] | None = None
) -> Iterator[StylizedFile]:
    """Paints one file after the other; one that cannot be read is skipped with a warning that names it.

    Args:
        stylizer: Paints the images.
        source: A file, a folder or a pattern as in `find_images`.
        skipped: A list to which the files that could not be painted are appended.

    Yields:
        A `StylizedFile` per image.

    Raises:
        FileNotFoundError: If `source` stands for no file.

    Example:
        >>> import cv2, tempfile
        >>> stylizer = Stylizer(StyleTransfer(base_filters=2), np.zeros((8, 8, 3), np.uint8), style_size=None)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     _ = cv2.imwrite(f"{folder}/photo.png", np.full((9, 9, 3), 80, "uint8"))
        ...     [(item.name, item.stylized.shape) for item in stylize_files(stylizer, folder)]
        [('photo', (9, 9, 3))]
    """
    root = Path(source) if Path(source).is_dir() else None
    for path in find_images(source):
        try:
            image = read_photograph(path)
            stylized = stylizer(image)
        except ValueError as error:
            warnings.warn(f"skipped: {error if isinstance(error, DataError) else f'{path}: {error}'}", stacklevel=2)
            if skipped is not None:
                skipped.append(path)
            continue
        name = path.relative_to(root) if root is not None else Path(path.name)
        yield StylizedFile(path, name.with_suffix("").as_posix(), image, stylized)


def moved_colours(style: np.ndarray, content: np.ndarray) -> np.ndarray:
    """The style image with its colours moved to mean and covariance of the content's, by the symmetric linear map.

    Directions in which the style's colours do not vary stay without variation.
    """
    pixels, target = (image.reshape(-1, 3).astype(np.float64) for image in (style, content))
    middle = pixels.mean(0)
    roots = []
    for colours, power in ((target, 0.5), (pixels, -0.5)):
        centred = colours - colours.mean(0)
        values, vectors = np.linalg.eigh(centred.T @ centred / len(colours))
        kept = values > 1e-8
        scale = np.where(kept, np.where(kept, values, 1.0) ** power, 0.0)
        roots.append(vectors @ np.diag(scale) @ vectors.T)
    moved = (pixels - middle) @ (roots[0] @ roots[1]).T + target.mean(0)
    return np.clip(moved, 0, 1).astype(np.float32).reshape(style.shape)


def _colours(image: np.ndarray, name: str) -> np.ndarray:
    """An image as float32 RGB in [0, 1]."""
    try:
        return (Picture(image, np.zeros(image.shape[:2], np.uint8)).part(_WHOLE, _WHOLE) + 1) / 2
    except ValueError as error:
        raise ValueError(f"`{name}`: {error}") from error


def _shares(weights: Sequence[float] | None, count: int) -> list[float]:
    values = [1.0] * count if weights is None else [float(weight) for weight in weights]
    # A comparison with NaN is false.
    if not count or len(values) != count or not all(0 <= value < np.inf for value in values) or sum(values) <= 0:
        raise ValueError(
            "There must be at least one style, and `style_weights` must have a number >= 0 for each, not all 0. "
            f"Received: {count} styles, style_weights={weights!r}"
        )
    return [value / sum(values) for value in values]
