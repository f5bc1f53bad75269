"""Filling the holes of images of any size and kind."""

import warnings
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import keras
import numpy as np

from keras_segpaint.data.guides import IGNORED, guide_labels
from keras_segpaint.data.masks import hole_mask, hole_ratio
from keras_segpaint.data.masks.values import check_polarity
from keras_segpaint.inference.fillers import ClassicalFiller, Filler, NetworkFiller
from keras_segpaint.inference.patches import Patch, fitted
from keras_segpaint.inference.pictures import Picture, check_form
from keras_segpaint.inference.windows import Window, hole_windows

__all__ = ["Inpainter"]

_SUSPICIOUS_RATIO = 0.95


class Task(NamedTuple):
    """A patch, the place its result is written to, and how much of it counts at each pixel."""

    patch: Patch
    picture: Picture
    window: Window
    share: np.ndarray


class Inpainter:
    """Fills holes; every pixel outside of them keeps its bits.

    Only the surroundings of the holes go through the model, at the image's own resolution, padded to the sizes that the
    model takes. So a large photograph with a small hole costs as much as a small one.

    Args:
        model: An inpainting model: inputs image `(batch, height, width, 3)` in [-1, 1] and mask `(batch, height, width, 1)`
            with 1 for holes, output image. Or a classical method: `"telea"`, `"ns"` (OpenCV) or `"biharmonic"`
            (scikit-image).
        dilation: Integer >= 0: pixels by which the holes of a mask are grown first, for masks that are drawn tightly. The
            pixels added count as hole. Defaults to `0`.
        feather: Integer in [0, dilation]: over how many of the added pixels, from outside to inside, the fill fades in.
            The mask as it was given is always filled completely. Defaults to `0`.
        threshold: In (0, 1]: how much of the way to the value of a hole makes a grey pixel of a mask one. Defaults to
            `0.5`.
        context: Integer >= 1: pixels around a hole that the model sees at least. Defaults to `128`.
        smallest: Integer >= 1: least height and width of what the model sees, where the image is as large; images up
            to this size are seen whole. Defaults to `512`.
        max_pixels: Integer >= 1: if a hole with its surroundings has more pixels, they are made smaller for the model and
            what it fills in is enlarged. This bounds the memory. Defaults to `1024 * 1024`.
        batch_size: Integer >= 1: parts of one size that go through the model together. Defaults to `4`.
        ignore_class: The label of pixels of which a label map says nothing. Defaults to `255`.
        flips: `False`, `"horizontal"`, `"vertical"` or `"both"`: a model also fills the image turned round, and the mean
            of the two (or four) fills is taken; smoother and nearer to the truth on average. Defaults to `False`.

    Call arguments:
        image: uint8, uint16, or floating in [0, 1]; `(height, width)` or `(height, width, channels)` with 1 (grey), 2
            (grey and opacity), 3 (RGB) or 4 (RGB and opacity) channels. Opacity is kept as it is. Or several: an array
            `(batch, height, width, channels)` or a list of images of any sizes.
        mask: `(height, width)` or `(height, width, 1)`, of any type that `keras_segpaint.data.hole_mask` takes. `None` or
            a mask without holes gives the image back as it is. For several images a list or array of masks, or one mask
            for all of them.
        hole_value: `1` or `255` if holes are bright in the mask, `0` if they are dark. Defaults to `1`.
        labels: For a model that is guided by label maps, such as `SemanticGuidedInpainting`: integers `(height, width)`, of
            the image's size, as `keras_segpaint.data.guide_labels` takes them; for several images a list or array of
            them. `None` for all other models.

    Returns:
        The filled image: a new array of the shape and type of `image`, or a list of them for a list.

    Raises:
        ValueError: If an argument is out of range, image or mask are not as above, their sizes differ, a known pixel is
            NaN, or a classical method gets an image without a known pixel.

    Example:
        >>> image = np.tile(np.arange(8, dtype=np.uint8) * 30, (8, 1))
        >>> mask = np.zeros((8, 8), bool)
        >>> mask[3:5, 3:5] = True
        >>> filled = Inpainter("telea")(image, mask)
        >>> bool((filled[~mask] == image[~mask]).all()), filled.dtype
        (True, dtype('uint8'))
    """

    def __init__(
        self,
        model: keras.Model | str,
        *,
        dilation: int = 0,
        feather: int = 0,
        threshold: float = 0.5,
        context: int = 128,
        smallest: int = 512,
        max_pixels: int = 1024 * 1024,
        batch_size: int = 4,
        flips: str | bool = False,
        ignore_class: int = IGNORED,
    ):
        for name, value in dict(
            context=context, smallest=smallest, max_pixels=max_pixels, batch_size=batch_size
        ).items():
            if value < 1:
                raise ValueError(f"`{name}` must be an integer >= 1. Received: {name}={value}")
        check_polarity(1, threshold)
        if dilation < 0 or not 0 <= feather <= dilation:
            raise ValueError(
                "`dilation` must be >= 0 and `feather` in [0, dilation]: inside of the mask there is nothing to fade "
                f"from. Received: dilation={dilation}, feather={feather}"
            )
        if flips and isinstance(model, str):
            raise ValueError(f"`flips` is for models; a classical method has one result. Received: flips={flips!r}")
        self.filler: Filler = ClassicalFiller(model) if isinstance(model, str) else NetworkFiller(model, flips)
        self.dilation = int(dilation)
        self.feather = int(feather)
        self.threshold = threshold
        self.context = int(context)
        self.smallest = int(smallest)
        self.max_pixels = int(max_pixels)
        self.batch_size = int(batch_size)
        self.ignore_class = int(ignore_class)

    def __call__(self, image: Any, mask: Any, hole_value: int = 1, labels: Any = None) -> Any:
        self.check_guides(labels)
        if isinstance(image, list | tuple):
            count = len(image)
            guides = _guides_of(labels, count)
            return self._fill([np.asarray(one) for one in image], _masks_of(mask, count), hole_value, guides)
        image = np.asarray(image)
        if image.ndim == 4:
            count = len(image)
            guides = _guides_of(labels, count)
            return np.stack(self._fill(list(image), _masks_of(mask, count), hole_value, guides)) if count else image
        return self._fill([image], [mask], hole_value, [labels])[0]

    def check_guides(self, labels: Any) -> None:
        """Raises `ValueError` unless there are labels just where the model is guided by them."""
        if labels is None and self.filler.num_classes is not None:
            raise ValueError(
                "`labels` must be given: the model is guided by a label map. Give integers (height, width) of its "
                f"{self.filler.num_classes} classes, or {self.ignore_class} everywhere to say nothing."
            )
        if labels is not None and self.filler.num_classes is None:
            raise ValueError(
                "`labels` are for models that are guided by label maps, and this one is not. Leave them away."
            )

    def _fill(
        self, images: Sequence[np.ndarray], masks: Sequence[Any], hole_value: int, guides: Sequence[Any]
    ) -> list[np.ndarray]:
        results: list[np.ndarray] = []
        waiting: dict[tuple[int, ...], list[Task]] = {}
        for image, mask, labels in zip(images, masks, guides, strict=True):
            if labels is not None and self.filler.num_classes is not None:
                labels = guide_labels(labels, self.filler.num_classes, self.ignore_class, image.shape[:2])
            if mask is None:
                check_form(image)
                results.append(image.copy())
                continue
            holes = hole_mask(mask, hole_value, self.threshold)
            picture = Picture(image, holes)
            results.append(picture.result)
            for task in self._tasks(picture, holes, labels):
                size = task.patch.image.shape
                waiting.setdefault(size, []).append(task)
                if len(waiting[size]) == self.batch_size:
                    self._run(waiting.pop(size))
        for tasks in waiting.values():
            self._run(tasks)
        return results

    def _run(self, tasks: Sequence[Task]) -> None:
        images = np.stack([task.patch.image for task in tasks])
        masks = np.stack([task.patch.mask for task in tasks])[..., None]
        guides = [task.patch.labels for task in tasks if task.patch.labels is not None]
        labels = np.stack(guides)[..., None] if guides else None
        for task, filled in zip(tasks, self.filler.fill(images, masks, labels), strict=True):
            window = task.window
            task.picture.fill(window.rows, window.columns, task.patch.restored(filled), task.share)

    def _tasks(self, picture: Picture, given: np.ndarray, labels: np.ndarray | None) -> Iterator[Task]:
        ratio = hole_ratio(given)
        if ratio == 0:
            return
        if ratio > _SUSPICIOUS_RATIO:
            warnings.warn(
                f"{ratio:.0%} of the image is a hole. If the mask is the other way round, give the other `hole_value`.",
                stacklevel=4,
            )
        holes = grown(given, self.dilation)
        if self.filler.needs_known and holes.all():
            raise ValueError(
                "The whole image is a hole, so there is nothing to fill it from. If the mask is the other way round, give "
                "the other `hole_value`; else use a model."
            )
        multiple = self.filler.multiple
        smallest = max(self.smallest, *(side or 1 for side in self.filler.fixed_size))
        for window in hole_windows(holes, self.context, smallest, self.max_pixels, multiple):
            here = (window.rows, window.columns)
            share = window.own.astype(np.float32)
            if self.feather:
                share *= np.where(given[here] > 0, np.float32(1), faded(holes[here], self.feather))
            guide = None if labels is None else labels[here]
            patch = fitted(picture.part(*here), holes[here], self.filler, self.max_pixels, guide)
            yield Task(patch, picture, window, share)


def grown(mask: np.ndarray, pixels: int) -> np.ndarray:
    """Holes grown by a disc."""
    import cv2

    if pixels == 0:
        return mask
    return (cv2.distanceTransform(1 - mask, cv2.DIST_L2, cv2.DIST_MASK_PRECISE) <= pixels).astype(np.uint8)


def faded(holes: np.ndarray, pixels: int) -> np.ndarray:
    """Rises from the outermost pixels of the holes to 1 over `pixels` pixels."""
    import cv2

    inside = cv2.distanceTransform(holes, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return np.minimum(inside / (pixels + 1), 1)


def _masks_of(masks: Any, count: int) -> list[Any]:
    """One mask for each image."""
    if masks is None:
        return [None] * count
    if not isinstance(masks, list | tuple):
        masks = np.asarray(masks)
        if masks.ndim == 2 or (masks.ndim == 3 and masks.shape[-1] == 1 and len(masks) != count):
            return [masks] * count
    if len(masks) != count:
        raise ValueError(f"`mask` must hold one mask for each image. Received: {len(masks)} masks for {count} images")
    return list(masks)


def _guides_of(labels: Any, count: int) -> list[Any]:
    """One label map for each image."""
    if labels is None:
        return [None] * count
    if len(labels) != count:
        raise ValueError(f"`labels` must hold one map for each image. Received: {len(labels)} maps for {count} images")
    return list(labels)
