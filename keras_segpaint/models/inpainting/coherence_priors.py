"""Inpainting and segmentation of the same features, scale by scale."""

from typing import Any, ClassVar, Literal

import keras
from keras import ops

from keras_segpaint.layers import Resize, SemanticWiseAttention, SymmetricPadding2D
from keras_segpaint.layers.factory import LayerFactory
from keras_segpaint.losses import SparseCrossentropy, StructureCoherence, TextureCoherence
from keras_segpaint.models.arguments import map_input, standardize_arguments, standardize_classes
from keras_segpaint.models.image_layers import float32_image, standardize_width
from keras_segpaint.models.inpainting.base import InpaintingModel
from keras_segpaint.models.inpainting.two_stage import check_size
from keras_segpaint.ops.named_losses import as_loss
from keras_segpaint.ops.spatial import channel_axis, slice_spatial, static_spatial_size

# How much smaller the maps are at each scale, from coarse to fine.
SCALES = (8, 4, 2, 1)
# Scales after which holes attend to known positions of their class: of larger maps there are too many pairs.
ATTENDED = (8, 4)


@keras.saving.register_keras_serializable(package="keras_segpaint")
class CoherencePriorsInpainting(InpaintingModel):
    """Fills holes from coarse to fine, while it says at each scale which class each pixel is of.

    Inspired by two papers without public code; no parity is claimed. Theirs are, by their texts: features that an image
    head and a segmentation head share at each of several scales; a module at the bottleneck that infers the context of
    the holes; attention from holes to known positions of the class predicted for them, between scales; confidence in the
    predicted classes, by which places that are poor are refined at the next scale; and two losses of the coherence of
    classes with structure and with texture.

    This package's own is what they are made of: the numbers and widths of the convolutions; dilated convolutions with a
    residual connection as the context inference; attention at an eighth and a quarter of the size; the highest class
    probability as the confidence, by which the features of the coarser scale are kept, and those refined with the encoder's
    taken for the rest; the formulas of the losses (`StructureCoherence`, `TextureCoherence`); and all weights.

    `fit` takes `{"image": images, "labels": labels}` with the labels of the true image, 255 where they are ignored, as
    `GuidedInpaintingDataset(labels="target")` gives them (of arrays with `sample_weight={"image": masks, "labels":
    masks}`); `compile` takes the loss of an image, and each scale's image has it. The loss also has the cross-entropies of
    the label maps, of all scales, and the two coherence losses. To fill holes no labels are needed.

    Args:
        num_classes: Integer >= 1, classes of the label maps.
        base_filters: Integer >= 1, width of the first convolution; the others have 2 and 4 times as many. Defaults to
            `32`.
        segmentation_weight: Number >= 0, of the cross-entropies. Defaults to `0.1`.
        structure_weight: Number >= 0, of the coherence of structures. Defaults to `0.1`.
        texture_weight: Number >= 0, of the coherence of textures. Defaults to `0.1`.
        all_scales: Whether to give what is needed to train: images and logits of all scales. Defaults to `False`.
        input_shape: `(height, width, channels)` of the image; height and width may be `None`. Defaults to `(None, None,
            3)`.
        data_format: `"channels_last"`, `"channels_first"` or `None` for Keras's default.
        dtype: Dtype or policy of the layers; images and logits are float32. `None` for Keras's default.
        name: String. Defaults to `"coherence_priors_inpainting"`.

    Input shape:
        `[image, mask]`: float32 images in [-1, 1] `(batch, height, width, channels)`, and hole masks `(batch, height,
        width, 1)`, 1 for a hole. Height and width are multiples of 8, and 32 at least.

    Output shape:
        float32 images in [-1, 1] of the input's shape. With `all_scales` a dictionary of `"image"` and `"labels"`
        (logits `(batch, height, width, num_classes)`), and of `"image_2"`, `"labels_2"` and so on for halves, quarters and
        eighths of the size.

    1,912,612 parameters for 21 classes.

    Raises:
        ValueError: If an argument is not one of the above; in `fit`, if the target is not as above.

    References:
        - [Image Inpainting Guided by Coherence Priors of Semantics and Textures](https://arxiv.org/abs/2012.08054)
        - [Guidance and Evaluation: Semantic-Aware Image Inpainting for Mixed Scenes](https://arxiv.org/abs/2003.06877)

    Example:
        >>> import numpy as np
        >>> model = CoherencePriorsInpainting(5, base_filters=2, all_scales=True, data_format="channels_last")
        >>> image, mask = np.zeros((1, 32, 40, 3), "float32"), np.ones((1, 32, 40, 1), "float32")
        >>> outputs = model([image, mask])
        >>> tuple(outputs["image"].shape), tuple(outputs["labels_8"].shape)
        ((1, 32, 40, 3), (1, 4, 5, 5))
    """

    paper: ClassVar[str] = (
        "Liao, Xiao, Wang, Lin, Satoh 2021, Image Inpainting Guided by Coherence Priors of Semantics and Textures, "
        "arXiv:2012.08054"
    )
    good_for: ClassVar[str] = "Holes across several classes, filled and segmented at once; labels only to train"
    size_multiple: ClassVar[int] = 8
    smallest_size: ClassVar[int] = 32
    training_argument: ClassVar[str] = "all_scales"
    guidance: ClassVar[Literal["input", "target"] | None] = "target"
    reference_parameters: ClassVar[tuple[tuple[dict[str, Any], int], ...]] = (({"num_classes": 21}, 1_912_612),)

    def __init__(
        self,
        num_classes: int,
        *,
        base_filters: int = 32,
        segmentation_weight: float = 0.1,
        structure_weight: float = 0.1,
        texture_weight: float = 0.1,
        all_scales: bool = False,
        input_shape: tuple[int | None, int | None, int] = (None, None, 3),
        data_format: str | None = None,
        dtype: Any = None,
        name: str = "coherence_priors_inpainting",
    ):
        input_shape, data_format, policy = standardize_arguments(input_shape, data_format, dtype)
        standardize_classes(num_classes)
        width = standardize_width(base_filters, "base_filters")
        weights = dict(
            segmentation_weight=segmentation_weight, structure_weight=structure_weight, texture_weight=texture_weight
        )
        for label, weight in weights.items():
            if weight < 0:
                raise ValueError(f"`{label}` must be >= 0. Received: {label}={weight}")
        check_size(input_shape)

        # === Layers ===
        build = LayerFactory(data_format, policy)
        settings: dict[str, Any] = dict(data_format=data_format, dtype=policy)
        enlarge = Resize(interpolation="nearest", name="enlarge", **settings)

        def unit(x: Any, filters: int, name: str, kernel_size: int = 3, strides: int = 1, dilation: int = 1) -> Any:
            if strides > 1:
                x = SymmetricPadding2D(kernel_size, name=f"{name}_pad", **settings)(x)
            padding = "valid" if strides > 1 else "same"
            conv = build.conv(
                filters,
                kernel_size,
                strides=strides,
                dilation_rate=dilation,
                padding=padding,
                activation="elu",
                name=name,
            )
            return conv(x)

        def heads(x: Any, scale: int) -> tuple[Any, Any]:
            """The image and the class logits of the same features."""
            logits = float32_image(
                build.conv(num_classes, 1, name=f"labels{scale}_conv")(x), "linear", f"labels{scale}"
            )
            picture = float32_image(
                build.conv(input_shape[2], 3, name=f"image{scale}_conv")(x), "tanh", f"image{scale}"
            )
            return picture, logits

        # === Functional graph: encoder and context inference ===
        image = map_input(input_shape, input_shape[2], data_format, "image")
        mask = map_input(input_shape, 1, data_format, "mask")
        x = build.concatenate(name="planes")([image * (1.0 - mask), mask])
        x = unit(x, width, "encoder1", kernel_size=5)
        skips = {1: x}
        for scale, filters in ((2, 2 * width), (4, 4 * width), (8, 4 * width)):
            x = unit(unit(x, filters, f"encoder{scale}_down", strides=2), filters, f"encoder{scale}")
            skips[scale] = x
        for dilation in (2, 4, 8):
            x = unit(x, 4 * width, f"context{dilation}", dilation=dilation)
        x = build.add(name="context")([x, skips[8]])
        holes = {1: mask}
        for scale in (2, 4, 8):
            holes[scale] = ops.max_pool(holes[scale // 2], 2, 2, "valid", data_format)

        # === Functional graph: from coarse to fine ===
        pictures: dict[int, Any] = {}
        logits: dict[int, Any] = {}
        for scale in SCALES:
            if scale < SCALES[0]:
                filters = {4: 4, 2: 2, 1: 1}[scale] * width
                x = unit(enlarge(x, like=skips[scale]), filters, f"decoder{scale}_kept")
                refined = build.concatenate(name=f"decoder{scale}_join")([x, skips[scale]])
                refined = unit(refined, filters, f"decoder{scale}_refined")
                chances = ops.softmax(logits[2 * scale], axis=channel_axis(data_format))
                trust = enlarge(ops.max(chances, axis=channel_axis(data_format), keepdims=True), like=skips[scale])
                x = build.add(name=f"decoder{scale}_weighted")([x * trust, refined * (1.0 - trust)])
                x = unit(x, filters, f"decoder{scale}")
            pictures[scale], logits[scale] = heads(x, scale)
            if scale in ATTENDED:
                x = SemanticWiseAttention(name=f"attention{scale}", **settings)(x, logits[scale], holes[scale])

        # === Config ===
        arguments = dict(
            num_classes=num_classes,
            base_filters=base_filters,
            **weights,
            all_scales=all_scales,
            input_shape=input_shape,
            data_format=data_format,
            dtype=policy.name,
        )
        outputs: Any = pictures[1]
        if all_scales:
            outputs = {"image": pictures[1], "labels": logits[1]}
            for scale in SCALES[:-1]:
                outputs[f"image_{scale}"], outputs[f"labels_{scale}"] = pictures[scale], logits[scale]
        super().__init__([image, mask], outputs, arguments=arguments, name=name)
        self.num_classes = num_classes

    def compute_loss(
        self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None, training: bool = True
    ) -> Any:
        """The losses of images and label maps of all scales, and of their coherence."""
        total = self.reconstruction_loss(as_loss(self.loss), y, y_pred, sample_weight)
        return sum(self.losses, start=total)

    def compute_metrics(self, x: Any, y: Any, y_pred: Any, sample_weight: Any = None) -> dict[str, Any]:
        """The metrics of the final image."""
        y = y["image"] if isinstance(y, dict) else y
        sample_weight = _one_mask(sample_weight)
        return super().compute_metrics(x, y, y_pred, sample_weight)

    def reconstruction_loss(self, loss: Any, y: Any, y_pred: Any, mask: Any) -> Any:
        """What `compute_loss` gives; the masks of holes are those that `fit` takes where Keras has sample weights."""
        mask = _one_mask(mask)
        if not isinstance(y_pred, dict):
            return loss(y["image"] if isinstance(y, dict) else y, y_pred, mask)
        if not isinstance(y, dict) or set(y) != {"image", "labels"} or mask is None:
            raise ValueError(
                'A network of `all_scales` is fitted to {"image": images, "labels": labels} under masks of holes as sample '
                'weights: give batches of `GuidedInpaintingDataset(labels="target")`.'
            )
        image, labels = y["image"], y["labels"]
        if len(labels.shape) == 3:
            labels = ops.expand_dims(labels, channel_axis(self.data_format))
        weights = self._arguments
        crossentropy = SparseCrossentropy(data_format=self.data_format)
        total: Any = 0.0
        for scale in SCALES:
            suffix = "" if scale == 1 else f"_{scale}"
            total = total + loss(
                _pooled(ops.average_pool, image, scale, self.data_format),
                y_pred[f"image{suffix}"],
                _pooled(ops.max_pool, mask, scale, self.data_format),
            )
            places = slice(scale // 2, None, scale)
            there = ops.squeeze(slice_spatial(labels, places, places, self.data_format), channel_axis(self.data_format))
            total = total + weights["segmentation_weight"] * crossentropy(there, y_pred[f"labels{suffix}"])
        # Cells grow with the image: there are a thousand of them or fewer, whatever its size.
        side = max(extent or 0 for extent in static_spatial_size(tuple(image.shape), self.data_format))
        for name, cohere, cell in (("structure", StructureCoherence, 16), ("texture", TextureCoherence, 32)):
            if weights[f"{name}_weight"]:
                term = cohere(cell=max(-(-side // cell), 4), data_format=self.data_format)
                total = total + weights[f"{name}_weight"] * term(image, y_pred["image"], mask, labels)
        return total


def _one_mask(mask: Any) -> Any:
    """The masks of holes; where arrays are fitted, Keras wants sample weights for each target."""
    return mask["image"] if isinstance(mask, dict) else mask


def _pooled(pool: Any, maps: Any, scale: int, data_format: str) -> Any:
    """Squares of a map pooled to one value each."""
    maps = ops.cast(maps, "float32")
    return maps if scale == 1 else pool(maps, scale, scale, "valid", data_format)
