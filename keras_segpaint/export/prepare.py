"""The model, the input size and the images that an export works with."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_segpaint.export.compare import compare
from keras_segpaint.export.files import to_dtype
from keras_segpaint.export.report import ExportError
from keras_segpaint.layers import Resize
from keras_segpaint.models.inpainting.base import InpaintingModel
from keras_segpaint.models.segmentation.base import SegmentationModel
from keras_segpaint.models.synthesis.base import SynthesisModel

__all__ = ["Prepared", "photograph", "prepare"]


@dataclass(frozen=True)
class Prepared:
    """What an export works with.

    Attributes:
        model: The model to write: float32, channels last, one input, one output.
        shape: `(1, height, width, channels)` of its input.
        images: What to compare on, float32 in [0, 1], or `None` to leave that out.
        fills: Whether the outputs are filled images, not logits.
    """

    model: keras.Model
    shape: tuple[int | None, ...]
    images: np.ndarray | None
    fills: bool

    def compare(self, outputs: np.ndarray) -> dict[str, Any]:
        """Holds what the exported model gave for `images` against the model, as fields of an `ExportReport`.

        Raises:
            ExportError: If they disagree.
        """
        if self.images is None:
            return {}
        # One image at a time: what a phone does, and no more memory than that.
        expected = [np.asarray(self.model.predict_on_batch(image[None])) for image in self.images]
        difference, equal = compare(np.concatenate(expected), outputs, self.fills)
        return dict(images=len(self.images), max_difference=difference, equal_argmax=equal)


def prepare(
    model: keras.Model,
    input_shape: Sequence[int | None] | None,
    images: Any,
    *,
    check: bool,
    free: bool,
    small: bool = False,
) -> Prepared:
    """Brings a model, the shape of its input and the images to compare on into the form in which they are exported.

    Args:
        model: A segmentation or an inpainting model.
        input_shape: `(height, width, channels)`, the same with a batch of 1 in front, or `None` for the model's own.
        images: As `check_images` takes them.
        check: Whether the export is to be compared at all.
        free: Whether height and width may stay unknown.
        small: Whether the model's last resize is left out.

    Raises:
        ExportError: If the model cannot be rebuilt for export.
        ValueError: If a shape is unknown or does not fit the model.
    """
    ready = exportable(model, small)
    shape = static_shape(ready, input_shape, free)
    multiple = getattr(model, "size_multiple", 1)
    if any(extent is not None and extent % multiple for extent in shape[1:3]):
        raise ValueError(
            f"Height and width of `input_shape` must be multiples of {multiple} for {type(model).__name__}. "
            f"Received: {shape[1]}x{shape[2]}"
        )
    fills = isinstance(model, InpaintingModel)
    return Prepared(ready, shape, check_images(images, shape, fills) if check else None, fills)


def exportable(model: keras.Model, small: bool = False) -> keras.Model:
    """A model that computes in float32 and takes channels last, with the weights of `model`.

    Half-precision convolutions are no LiteRT operators, and programs that read the file expect pixels with their
    channels together. Heads that are for training alone stay behind. Of an inpainting model the colours, in [0, 1], and
    the hole mask become one input, the latter its last channel, and the output is the filled image in [0, 1].

    Raises:
        ExportError: If the model makes images from something else, or is not functional and would have to be rebuilt.
    """
    if isinstance(model, SynthesisModel):
        raise ExportError(
            f"{type(model).__name__} makes images from label maps or styles; files are written of segmentation and inpainting "
            "models, which take an image. Use model.export(folder) of Keras for a SavedModel on the TensorFlow backend."
        )
    if isinstance(model, SegmentationModel | InpaintingModel):
        model = model.predictor()
    if isinstance(model, InpaintingModel):
        # Kernels are the same in both data formats.
        return _filling(model.rebuilt(data_format="channels_last", dtype="float32"))
    if small:
        model = _before_last_resize(model)
    first = getattr(model, "data_format", keras.config.image_data_format()) == "channels_first"
    if any(layer.compute_dtype != "float32" for layer in _layers(model)):
        model = _in_float32(model)
    if not first:
        return model
    channels, height, width = model.input_shape[1:]
    image = keras.Input((height, width, channels), dtype="float32", name="image")
    logits = model(keras.layers.Permute((3, 1, 2))(image))
    return keras.Model(image, keras.layers.Permute((2, 3, 1))(logits), name=model.name)


def _before_last_resize(model: keras.Model) -> keras.Model:
    """The model up to the resize that it ends with, of which a cast to float32 alone may follow.

    Raises:
        ValueError: If it ends otherwise.
    """
    (tensor,) = keras.tree.flatten(model.outputs)
    operation = tensor._keras_history.operation
    while isinstance(operation, keras.layers.Activation) and operation.activation is keras.activations.linear:
        operation = operation.input._keras_history.operation
    if not isinstance(operation, Resize | keras.layers.UpSampling2D | keras.layers.Resizing):
        raise ValueError(
            f"`output` may be small for models that end with a resize; {model.name} ends with {operation.name}, a "
            f'{type(operation).__name__}. Take output="logits" or "classes".'
        )
    # A resize to the size of another tensor has that as its second input.
    logits = operation._inbound_nodes[0].arguments.keras_tensors[0]
    if logits.dtype != "float32":
        logits = keras.layers.Activation("linear", dtype="float32")(logits)
    cut = keras.Model(model.inputs[0], logits, name=model.name)
    cut.data_format = getattr(model, "data_format", keras.config.image_data_format())
    return cut


def _filling(model: keras.Model) -> keras.Model:
    """An inpainting model as one from colours in [0, 1] with the mask (and a sketch or labels) behind them to filled colours."""
    _, *size, _ = model.inputs[0].shape
    widths = [tensor.shape[-1] for tensor in model.inputs]
    planes = keras.Input((*size, sum(widths)), dtype="float32", name="image_and_mask")
    # Slices, since PyTorch's exporter does not know the sizes of what `ops.split` gives.
    parts = [planes[..., end - width : end] for width, end in zip(widths, np.cumsum(widths).tolist(), strict=True)]
    image, hole = parts[0], parts[1]
    # Labels are whole numbers, which the one input of floats holds exactly.
    guides = [ops.cast(part, tensor.dtype) for part, tensor in zip(parts[2:], model.inputs[2:], strict=True)]
    known = 1.0 - hole
    # The mask as a result of its own: where networks put it beside values in [-1, 1], a file of integers has one scale for
    # both, which is not to be that of the input.
    filled = ops.clip(model([image * 2.0 - 1.0, 1.0 - known, *guides]) * 0.5 + 0.5, 0.0, 1.0)
    return keras.Model(planes, image * known + filled * hole, name=model.name)


def _layers(model: keras.Model) -> list[keras.layers.Layer]:
    found = []
    for layer in model.layers:
        found.extend(_layers(layer) if isinstance(layer, keras.Model) else [layer])
    return found


def _in_float32(model: keras.Model) -> keras.Model:
    def clone(layer: keras.layers.Layer) -> keras.layers.Layer:
        if isinstance(layer, keras.Model):
            return _in_float32(layer)
        config = layer.get_config()
        if "dtype" in config:
            config["dtype"] = "float32"
        return type(layer).from_config(config)

    try:
        copy = keras.models.clone_model(model, clone_function=clone)
    except ValueError as error:
        raise ExportError(
            f"{model.name} computes in mixed precision and is not a functional model, so it cannot be rebuilt in "
            "float32 for "
            f"export: {error}"
        ) from error
    copy.set_weights(model.get_weights())
    return copy


def static_shape(model: keras.Model, input_shape: Sequence[int | None] | None, free: bool) -> tuple[int | None, ...]:
    """`(1, height, width, channels)` from what the caller asks for and what the model allows.

    Args:
        model: An exportable model.
        input_shape: `(height, width, channels)`, the same with a batch of 1 in front, or `None` for the model's own.
        free: Whether height and width may stay unknown.

    Raises:
        ValueError: If the shape is not known or contradicts the model.
    """
    own = tuple(model.input_shape)
    shape = own[1:] if input_shape is None else tuple(input_shape)
    if len(shape) == 4 and shape[0] in (1, None):
        shape = shape[1:]
    whole = all(extent is None or (isinstance(extent, int) and extent >= 1) for extent in shape)
    if len(shape) != 3 or not whole or (not free and None in shape):
        raise ValueError(
            "`input_shape` must be (height, width, channels), positive integers. "
            f"Received: input_shape={input_shape!r}, and the model's own is {own[1:]}"
        )
    if any(None not in (have, want) and have != want for have, want in zip(own[1:], shape, strict=True)):
        raise ValueError(
            f"`input_shape` must fit the model, which was built for {own[1:]}. Received: input_shape={input_shape!r}"
        )
    return (1, *shape)


def check_images(images: Any, shape: tuple[int | None, ...], fills: bool = False) -> np.ndarray:
    """The images to compare on as float32 in [0, 1], or one made here if there are none; with `fills` one with a hole.

    Raises:
        ValueError: If they have another shape.
    """
    if images is None:
        height, width, channels = (extent or default for extent, default in zip(shape[1:], (96, 128, 3), strict=True))
        return _example(height, width, channels, fills)[None]
    images = np.stack([np.asarray(image) for image in images])
    fits = images.ndim == 4 and all(
        want is None or have == want for have, want in zip(images.shape[1:], shape[1:], strict=True)
    )
    if not fits:
        raise ValueError(
            f"`images` must have the shape (batch, {', '.join(map(str, shape[1:]))}). Received: shape "
            f"{images.shape}. Resize "
            "them first."
        )
    return to_dtype(images)


def _example(height: int, width: int, channels: int, fills: bool) -> np.ndarray:
    """The made-up picture; for an inpainting model with a rectangular hole as its fourth channel."""
    if not fills:
        return photograph(height, width, channels)
    planes = np.zeros((height, width, channels), np.float32)
    planes[..., :3] = photograph(height, width, 3)
    planes[height // 4 : height // 2, width // 4 : width // 2, 3] = 1
    return planes


def photograph(height: int, width: int, channels: int) -> np.ndarray:
    """A made-up picture with what photographs have: shading, edges at all angles, fine texture. The same every time.

    Example:
        >>> picture = photograph(48, 64, 3)
        >>> picture.shape, bool(0 <= picture.min() < 0.1 and 0.9 < picture.max() <= 1)
        ((48, 64, 3), True)
    """
    rng = np.random.default_rng(0)
    y, x = np.mgrid[0 : 1 : height * 1j, 0 : 1 : width * 1j]
    picture = 0.3 + 0.5 * y[..., None] * rng.random(channels) + 0.2 * x[..., None] * rng.random(channels)
    for _ in range(24):
        centre_y, centre_x, radius, angle = rng.random(4) * (1, 1, 0.25, np.pi)
        across = (y - centre_y) * np.cos(angle) + (x - centre_x) * np.sin(angle)
        along = (x - centre_x) * np.cos(angle) - (y - centre_y) * np.sin(angle)
        inside = (np.abs(across) < radius) & (np.abs(along) < 0.6 * radius) & (across**2 + along**2 < radius**2)
        shade = rng.random(channels) * (0.6 + 0.4 * np.sin(40 * across[..., None] / (radius + 0.1)))
        picture = np.where(inside[..., None], shade, picture)
    picture = picture + rng.normal(0, 0.02, picture.shape)
    low, high = picture.min(), picture.max()
    return ((picture - low) / max(high - low, 1e-6)).astype(np.float32)
