"""Masks from files."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from keras_segpaint.data.augmentation.resize import check_size
from keras_segpaint.data.errors import DataError
from keras_segpaint.data.files import find_images
from keras_segpaint.data.masks.base import MaskGenerator, check_range
from keras_segpaint.data.masks.values import check_polarity, read_hole_mask

__all__ = ["IrregularMask"]


class IrregularMask(MaskGenerator):
    """Irregular masks from image files, varied by rotation, mirroring, cropping and dilation.

    A file is drawn, turned by a random angle about its centre, mirrored at random, cut at a random place and brought to
    the size asked for, then its holes grow by a random number of pixels. What lies outside of the file is known.

    Args:
        source: A folder, a pattern such as `"masks/*.png"`, a file, or the paths themselves.
        hole_value: `1` or `255` if holes are bright in the files, `0` if they are dark. Published sets come in both
            forms, so there is no default.
        threshold: In (0, 1]: how far a grey pixel must be on the way to a hole to count as one. Defaults to `0.6`.
        dilation: Lowest and highest diameter of the growth, as fractions of the side of a square image with the
            diagonal of the mask; `(0, 0)` for none. Defaults to `(9 / 512, 49 / 512)`, the paper's 9 to 49 pixels of 512.
        rotation: Largest angle in degrees, to either side. Defaults to `180.0`.
        flip: Whether masks are mirrored. Defaults to `True`.
        crop: Lowest and highest side of the cut, as fractions of the largest cut of the aspect ratio asked for. Defaults
            to `(0.7, 1.0)`.

    Raises:
        ValueError: If an argument is out of range.
        FileNotFoundError: If `source` stands for no image.
        DataError: When called, if a file cannot be read.

    References:
        - [Image Inpainting for Irregular Holes](https://arxiv.org/abs/1804.07723), section 4.1.

    Example:
        >>> import tempfile
        >>> from PIL import Image
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     Image.new("L", (40, 30), 255).save(f"{folder}/white.png")
        ...     plain = IrregularMask(folder, hole_value=255, dilation=(0, 0), rotation=0)
        ...     plain.draw((16, 16), count=1).mean()
        np.float64(1.0)
    """

    def __init__(
        self,
        source: str | Path | Iterable[str | Path],
        *,
        hole_value: int,
        threshold: float = 0.6,
        dilation: Sequence[float] = (9 / 512, 49 / 512),
        rotation: float = 180.0,
        flip: bool = True,
        crop: Sequence[float] = (0.7, 1.0),
    ):
        check_polarity(hole_value, threshold)
        self.files = find_images(source) if isinstance(source, str | Path) else [Path(path) for path in source]
        if not self.files:
            raise DataError("`source` holds no mask file. Give a folder, a pattern or the paths of the masks.")
        if not 0 <= rotation <= 180:
            raise ValueError(f"`rotation` must be in [0, 180] degrees. Received: rotation={rotation}")
        self.hole_value = hole_value
        self.threshold = threshold
        self.dilation = check_range("dilation", dilation, 0, 1)
        self.rotation = float(rotation)
        self.flip = flip
        self.crop = check_range("crop", crop, 1e-3, 1)

    def __call__(self, size: Sequence[int], rng: np.random.Generator) -> np.ndarray:
        import cv2

        height, width = check_size(size)
        path = self.files[rng.integers(len(self.files))]
        mask = read_hole_mask(path, hole_value=self.hole_value, threshold=self.threshold)
        window = self._window(mask.shape, (height, width), rng)
        inverse = np.vstack([self._turn(mask.shape, rng), [0, 0, 1]]) @ _onto(window, (height, width))
        if self.flip:
            left_right, top_bottom = rng.random(2) < 0.5
            mask = mask[:: -1 if top_bottom else 1, :: -1 if left_right else 1]
        # Nearest neighbours lose thin strokes when the mask shrinks: half covered is a hole.
        mask = cv2.warpAffine(
            np.ascontiguousarray(mask) * np.uint8(255),
            inverse[:2],
            (width, height),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        )
        mask = (mask >= 128).astype(np.uint8)
        diameter = round(np.hypot(height, width) / np.sqrt(2) * rng.uniform(*self.dilation))
        if diameter > 1:
            mask = cv2.dilate(mask, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (diameter, diameter)))
        return mask

    def _window(
        self, shape: tuple[int, ...], size: tuple[int, int], rng: np.random.Generator
    ) -> tuple[float, float, float, float]:
        """Top, left, height and width of the cut, in pixels of the file, of the aspect ratio of the result."""
        largest = min(extent / side for extent, side in zip(shape, size, strict=True))
        factor = largest * rng.uniform(*self.crop)
        lengths = [side * factor for side in size]
        top, left = (rng.uniform(0, max(extent - length, 0)) for extent, length in zip(shape, lengths, strict=True))
        return top, left, lengths[0], lengths[1]

    def _turn(self, shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
        """The affine map that turns the file's pixels about its centre."""
        import cv2

        angle = rng.uniform(-self.rotation, self.rotation)
        return cv2.getRotationMatrix2D(((shape[1] - 1) / 2, (shape[0] - 1) / 2), angle, 1.0)

    def get_config(self) -> dict[str, Any]:
        return {
            "source": [str(path) for path in self.files],
            "hole_value": self.hole_value,
            "threshold": self.threshold,
            "dilation": self.dilation,
            "rotation": self.rotation,
            "flip": self.flip,
            "crop": self.crop,
        }


def _onto(window: tuple[float, float, float, float], size: tuple[int, int]) -> np.ndarray:
    """The map from pixels of the result to pixels of the window, pixel centres in the middle."""
    top, left, height, width = window
    rows, columns = height / size[0], width / size[1]
    return np.array([[columns, 0, left + columns / 2 - 0.5], [0, rows, top + rows / 2 - 0.5], [0, 0, 1]])
