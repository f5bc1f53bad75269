"""The one resizing layer of the package."""

from fractions import Fraction
from typing import Any

import keras
from keras import layers, ops

from keras_segpaint.ops import resizing
from keras_segpaint.ops.spatial import (
    replace_spatial,
    spatial_size,
    standardize_data_format,
    static_spatial_size,
)

INTERPOLATIONS = ("bilinear", "nearest", "top_left")


@keras.saving.register_keras_serializable(package="keras_segpaint")
class Resize(layers.Layer):
    """Resizes feature maps, bilinear or nearest, to a fixed size, by a factor, or to the size of another tensor.

    The same on every backend, with sizes that are known when the model is built and with sizes that are not. Without
    `align_corners` pixels are areas (the convention of TensorFlow 2, `torch.nn.functional.interpolate` with
    `align_corners=False`, and OpenCV); with it they are points and the corner points coincide. TensorFlow 1, whose
    weights are still about, has points in either case: `half_pixel_centers=False` is what its functions do unasked,
    `align_corners=True` what they do with an argument of that name.

    Args:
        size: Pair of integers `(height, width)`, or `None` if `scale` or the call argument `like` gives the size.
        scale: Positive number or pair of them, the factors of height and width, or `None`. Sizes are rounded down, and
            never to nothing.
        interpolation: `"bilinear"`; `"nearest"`, the pixel below the new one's centre; or `"top_left"`, the pixel
            `floor(i * height / new_height)`, PyTorch's rule for nearest neighbours. Defaults to `"bilinear"`.
        align_corners: Boolean, for `"bilinear"`, and for `"nearest"`, which then takes the pixel next to
            `i * (height - 1) / (new_height - 1)`, as TensorFlow 1 does. Defaults to `False`.
        half_pixel_centers: Boolean; with `False` pixel `i` is made from what is at `i * height / new_height`, as in
            TensorFlow 1, and what lies beyond the last pixel's centre is that pixel. For `"bilinear"` and `"nearest"`;
            `align_corners` goes before it. Defaults to `True`.
        data_format: `"channels_last"`, `"channels_first"` or `None` for Keras's default.
        **kwargs: Base layer arguments.

    Call arguments:
        inputs: Feature maps `(batch, height, width, channels)`, of a floating type; with `"top_left"` of any.
        like: Tensor whose height and width the result takes; only without `size` and `scale`.

    Output shape:
        `(batch, new_height, new_width, channels)`.

    Raises:
        ValueError: If both or none of the ways to give a size are used, or an argument is not one of the above.

    Example:
        >>> tuple(Resize(scale=2, data_format="channels_last")(keras.ops.zeros((1, 3, 5, 2))).shape)
        (1, 6, 10, 2)
    """

    def __init__(
        self,
        size: tuple[int, int] | None = None,
        scale: float | tuple[float, float] | None = None,
        interpolation: str = "bilinear",
        align_corners: bool = False,
        half_pixel_centers: bool = True,
        data_format: str | None = None,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        if size is not None and scale is not None:
            raise ValueError(f"Give `size` or `scale`, not both. Received: size={size}, scale={scale}")
        if interpolation not in INTERPOLATIONS:
            raise ValueError(
                f"`interpolation` must be one of {INTERPOLATIONS}. Received: interpolation={interpolation!r}"
            )
        if interpolation == "top_left" and (align_corners or not half_pixel_centers):
            raise ValueError(
                '`align_corners` and `half_pixel_centers` go with interpolation="bilinear" and "nearest". '
                f"Received: align_corners={align_corners}, half_pixel_centers={half_pixel_centers}"
            )
        self.size = None if size is None else _pair(size, "size")
        self.scale = None if scale is None else _factors(scale)
        self.interpolation = interpolation
        self.align_corners = align_corners
        self.half_pixel_centers = half_pixel_centers
        self.data_format = standardize_data_format(data_format)

    def call(self, inputs: Any, like: Any = None) -> Any:
        have = spatial_size(inputs, self.data_format)
        size = self._target(have, None if like is None else spatial_size(like, self.data_format))
        known = all(isinstance(extent, int) for extent in (*have, *size))
        if known and have == size:
            return inputs
        if self.interpolation == "top_left":
            return resizing.nearest_top_left(inputs, size, self.data_format)
        areas = self.half_pixel_centers and not self.align_corners
        if self.interpolation == "nearest" and not areas:
            return resizing.nearest_point(inputs, size, self.align_corners, self.data_format)
        if known and self.interpolation == "nearest" and size[0] % have[0] == size[1] % have[1] == 0:
            return resizing.enlarge(inputs, size, self.data_format)
        if known and areas:
            return ops.image.resize(inputs, size, interpolation=self.interpolation, data_format=self.data_format)
        if self.interpolation == "nearest":
            return resizing.nearest(inputs, size, self.data_format)
        return resizing.bilinear(inputs, size, self.align_corners, self.data_format, self.half_pixel_centers)

    def compute_output_spec(self, inputs: Any, like: Any = None) -> keras.KerasTensor:
        have = static_spatial_size(inputs.shape, self.data_format)
        size = self._target(have, None if like is None else static_spatial_size(like.shape, self.data_format))
        # Layers cast floats alone.
        dtype = self.compute_dtype if "float" in inputs.dtype else inputs.dtype
        return keras.KerasTensor(replace_spatial(inputs.shape, size, self.data_format), dtype=dtype)

    def _target(self, have: tuple[Any, Any], like: tuple[Any, Any] | None) -> tuple[Any, Any]:
        if (like is None) == (self.size is None and self.scale is None):
            raise ValueError(
                "Resize takes exactly one of `size`, `scale` and the call argument `like`. "
                f"Received: size={self.size}, scale={self.scale}, like of size {like}"
            )
        if like is not None:
            return like
        if self.size is not None:
            return self.size
        rows, columns = (
            None if extent is None else _scaled(extent, factor)
            for extent, factor in zip(have, self.scale or (1, 1), strict=True)
        )
        return rows, columns

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        config.update(
            size=self.size,
            scale=self.scale,
            interpolation=self.interpolation,
            align_corners=self.align_corners,
            half_pixel_centers=self.half_pixel_centers,
            data_format=self.data_format,
        )
        return config


def _pair(value: Any, name: str) -> tuple[int, int]:
    pair = (value, value) if isinstance(value, int) else tuple(value)
    if len(pair) != 2 or not all(isinstance(extent, int) and extent >= 1 for extent in pair):
        raise ValueError(f"`{name}` must be an integer >= 1 or a pair of them. Received: {name}={value!r}")
    return pair


def _factors(value: Any) -> tuple[float, float]:
    pair = (value, value) if isinstance(value, int | float) else tuple(value)
    if len(pair) != 2 or not all(isinstance(factor, int | float) and factor > 0 for factor in pair):
        raise ValueError(f"`scale` must be a positive number or a pair of them. Received: scale={value!r}")
    return pair


def _scaled(extent: Any, factor: float) -> Any:
    """`extent * factor` in integers, rounded down, at least 1."""
    ratio = Fraction(factor).limit_denominator(1000)
    size = extent * ratio.numerator // ratio.denominator
    return max(size, 1) if isinstance(size, int) else ops.maximum(size, 1)
