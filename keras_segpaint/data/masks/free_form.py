"""Free-form brush strokes."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from keras_segpaint.data.augmentation.resize import check_size
from keras_segpaint.data.masks.base import MaskGenerator, check_range

__all__ = ["FreeFormMask"]


class FreeFormMask(MaskGenerator):
    """Brush strokes that turn back and forth, as DeepFill v2 is trained with.

    A stroke starts anywhere and runs over 4 to 11 vertices. The turning angle of even steps is 2 pi minus that of odd
    ones, both drawn between `angle - U(0, angle_range)` and `angle + U(0, angle_range)`. The length of a step is normal
    with mean `R` and standard deviation `R / 2`, clipped to `[0, 2 R]`, with `R` an eighth of the diagonal. The finished
    mask is mirrored left and right, and top and bottom, each with probability 1/2.

    The paper's brush is 12 to 40 pixels wide whatever the size of the image, made for 256 x 256. Here its width goes with
    the size, so the holes of an image of 512 x 512 are those of 256 x 256, twice as large.

    Args:
        strokes: Lowest and highest number of strokes. Defaults to `(1, 3)`.
        vertices: Lowest and highest number of steps of a stroke. Defaults to `(4, 11)`.
        width: Lowest and highest width of the brush, as fractions of the side of a square image with the diagonal of the
            mask. Defaults to `(12 / 256, 40 / 256)`.
        angle: Mean turning angle in radians. Defaults to `2 * pi / 5`.
        angle_range: Its range in radians. Defaults to `2 * pi / 15`.

    Raises:
        ValueError: If a range does not ascend or is out of bounds.

    References:
        - [Free-Form Image Inpainting with Gated Convolution](https://arxiv.org/abs/1806.03589), section 3.4 and
          supplement.

    Example:
        >>> masks = FreeFormMask().draw((64, 96), count=2, seed=1)
        >>> masks.shape, str(masks.dtype), masks.max()
        ((2, 64, 96), 'uint8', np.uint8(1))
    """

    def __init__(
        self,
        strokes: Sequence[int] = (1, 3),
        vertices: Sequence[int] = (4, 11),
        width: Sequence[float] = (12 / 256, 40 / 256),
        angle: float = 2 * math.pi / 5,
        angle_range: float = 2 * math.pi / 15,
    ):
        self.strokes = tuple(int(value) for value in check_range("strokes", strokes, 1, 1000))
        self.vertices = tuple(int(value) for value in check_range("vertices", vertices, 1, 1000))
        self.width = check_range("width", width, 0, 1)
        self.angle = float(angle)
        self.angle_range = float(angle_range)
        if angle_range < 0:
            raise ValueError(f"`angle_range` must be a float >= 0. Received: angle_range={angle_range}")

    def __call__(self, size: Sequence[int], rng: np.random.Generator) -> np.ndarray:
        from PIL import Image, ImageDraw

        height, width = check_size(size)
        # Pillow's lines are as wide as asked for; OpenCV's are a pixel wider, which counts in small images.
        picture = Image.new("L", (width, height))
        for _ in range(rng.integers(self.strokes[0], self.strokes[1] + 1)):
            self._stroke(ImageDraw.Draw(picture), (height, width), rng)
        mask = np.asarray(picture)
        left_right, top_bottom = rng.random(2) < 0.5
        return np.array(mask[:: -1 if top_bottom else 1, :: -1 if left_right else 1])

    def _stroke(self, draw: Any, size: tuple[int, int], rng: np.random.Generator) -> None:
        height, width = size
        diagonal = math.hypot(height, width)
        mean_length = diagonal / 8
        side = diagonal / math.sqrt(2)
        thickness = max(round(side * rng.uniform(*self.width)), 1)
        low = self.angle - rng.uniform(0, self.angle_range)
        high = self.angle + rng.uniform(0, self.angle_range)
        # Plain numbers: NumPy's functions of one or two cost more than the drawing.
        x, y = rng.uniform(0, width), rng.uniform(0, height)
        points = [(x, y)]
        for step in range(rng.integers(self.vertices[0], self.vertices[1] + 1)):
            angle = rng.uniform(low, high)
            if step % 2 == 0:
                angle = 2 * math.pi - angle
            length = min(max(rng.normal(mean_length, mean_length / 2), 0.0), 2 * mean_length)
            x = min(max(x + length * math.cos(angle), 0.0), width - 1.0)
            y = min(max(y + length * math.sin(angle), 0.0), height - 1.0)
            points.append((x, y))
        draw.line(points, fill=1, width=thickness)
        radius = (thickness - 1) / 2
        for x, y in points:
            draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=1)

    def get_config(self) -> dict[str, Any]:
        return {
            "strokes": self.strokes,
            "vertices": self.vertices,
            "width": self.width,
            "angle": self.angle,
            "angle_range": self.angle_range,
        }
