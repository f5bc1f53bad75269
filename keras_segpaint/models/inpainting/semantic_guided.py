"""Interactive inpainting under the guidance of a label map."""

from typing import Any, ClassVar, Literal

import keras
from keras import layers, ops

from keras_segpaint.layers import (
    AdaIN,
    ExternalSpatialAttention,
    LabelMapEncoding,
    Resize,
    SPADEResBlock,
    SymmetricPadding2D,
)
from keras_segpaint.layers.factory import LayerFactory
from keras_segpaint.models.arguments import label_map_input, map_input, standardize_arguments, standardize_classes
from keras_segpaint.models.image_layers import Critics, float32_image, standardize_width
from keras_segpaint.models.inpainting.base import InpaintingModel, keep_known
from keras_segpaint.models.inpainting.two_stage import check_size, coarse_encoder, decoder, dilated
from keras_segpaint.models.remembered import RememberedModel
from keras_segpaint.ops.spatial import slice_spatial
from keras_segpaint.ops.standardization import standardize

PAPER = "Yu, Du, Liu, Li, Zhu 2022, Interactive Image Inpainting Using Semantic Guidance, arXiv:2201.10753"


@keras.saving.register_keras_serializable(package="keras_segpaint")
class SemanticGuidedInpainting(InpaintingModel):
    """Two stages: the first fills the holes and gives features, the second draws the image again, guided by a label map.

    Stage 1 is the published one: the first stage of DeepFill v1, with external spatial attention beside its dilated
    convolutions. In its map the known positions hold what a 1x1 convolution makes of the image; both branches are added.

    Stage 2 is this package's own: the paper says that a semantic decoder takes the features of the first stage as a prior
    and a label map as its guide, and no more is public. Here the features and those of the first stage's image go through
    residual blocks normalised by the label map (SPADE) at a quarter, a half and all of the size. Between the first two
    blocks, adaptive instance normalisation (AdaIN) gives them the means and deviations of the features of the image, so
    that labels that a user has changed say what is there, and the photograph how it looks.

    The stages can be called apart, for a label map that is edited once the first image is seen: `first_stage()` and
    `second_stage()` are models that share the weights.

    Args:
        num_classes: Integer >= 1, classes of the label map.
        base_filters: Width of the first convolution, a multiple of 2; 48 is the wider network of the authors. Defaults to
            `32`.
        guide_filters: Integer >= 1, hidden channels of each SPADE. Defaults to `64`.
        attention_grid: `(height, width)` that the first stage's features are resized to for the external attention, so
            that images of any size are taken. `None`, as in the paper: it is made for a quarter of `input_shape`, whose
            height and width must be known. Defaults to `None`.
        both_stages: Whether to give both stages' results. Defaults to `False`.
        input_shape: `(height, width, channels)` of the image. Defaults to `(256, 256, 3)`.
        data_format: `"channels_last"`, `"channels_first"` or `None` for Keras's default.
        dtype: Dtype or policy of the layers; images are float32. `None` for Keras's default.
        name: String. Defaults to `"semantic_guided_inpainting"`.

    Input shape:
        `[image, mask, labels]`: float32 images in [-1, 1] `(batch, height, width, channels)`, hole masks `(batch, height,
        width, 1)`, 1 for a hole, and label maps, integers `(batch, height, width, 1)`: 0 to `num_classes - 1`, 255 for
        pixels of which nothing is said. Any other label says less than that; `keras_segpaint.data.guide_labels` checks
        them. Height and width are multiples of 8, and 32 at least.

    Output shape:
        float32 images in [-1, 1] of the input's shape, or with `both_stages` a dictionary of two of them, `"image"`
        and `"coarse"`.

    The first stage has 1,481,635 parameters, of `base_filters=48` 3,287,795; both together for 21 classes 4,230,310.

    Raises:
        ValueError: If an argument is not one of the above.

    References:
        - [Interactive Image Inpainting Using Semantic Guidance](https://arxiv.org/abs/2201.10753)

    Example:
        >>> import numpy as np
        >>> settings = dict(input_shape=(32, 32, 3), data_format="channels_last")
        >>> model = SemanticGuidedInpainting(5, base_filters=4, guide_filters=4, **settings)
        >>> image, mask = np.zeros((1, 32, 32, 3), "float32"), np.ones((1, 32, 32, 1), "float32")
        >>> labels = np.zeros((1, 32, 32, 1), "int32")
        >>> tuple(model([image, mask, labels]).shape)
        (1, 32, 32, 3)
        >>> first = model.first_stage().predict_on_batch([image, mask])
        >>> labels[:, 16:] = 3
        >>> model.second_stage().predict_on_batch([image, mask, first["coarse"], first["features"], labels]).shape
        (1, 32, 32, 3)
    """

    paper: ClassVar[str] = PAPER
    good_for: ClassVar[str] = "Holes that a label map, which the user may edit, says the contents of"
    size_multiple: ClassVar[int] = 8
    smallest_size: ClassVar[int] = 32
    guidance: ClassVar[Literal["input", "target"] | None] = "input"
    reference_parameters: ClassVar[tuple[tuple[dict[str, Any], int], ...]] = (
        ({"num_classes": 21, "attention_grid": (64, 64)}, 4_230_310),
    )

    def __init__(
        self,
        num_classes: int,
        *,
        base_filters: int = 32,
        guide_filters: int = 64,
        attention_grid: tuple[int, int] | None = None,
        both_stages: bool = False,
        input_shape: tuple[int | None, int | None, int] = (256, 256, 3),
        data_format: str | None = None,
        dtype: Any = None,
        name: str = "semantic_guided_inpainting",
    ):
        input_shape, data_format, policy = standardize_arguments(input_shape, data_format, dtype)
        standardize_classes(num_classes)
        width = standardize_width(base_filters, "base_filters", divisor=2)
        standardize_width(guide_filters, "guide_filters")
        check_size(input_shape)
        attention_grid = None if attention_grid is None else (attention_grid[0], attention_grid[1])
        if attention_grid is None and None in input_shape:
            raise ValueError(
                "Height and width of `input_shape` must be known, since the external attention is made for one size. For "
                f"images of any size give `attention_grid`, such as (64, 64). Received: input_shape={input_shape}"
            )

        # === Layers ===
        build = LayerFactory(data_format, policy)
        settings: dict[str, Any] = dict(data_format=data_format, dtype=policy)

        def unit(
            x: Any,
            filters: int,
            *,
            name: str,
            kernel_size: int = 3,
            strides: int = 1,
            dilation_rate: int = 1,
            upsampling: int = 1,
            activation: str = "elu",
        ) -> Any:
            if upsampling > 1:
                x = Resize(scale=upsampling, interpolation="nearest", name=f"{name}_enlarge", **settings)(x)
            if strides > 1:
                x = SymmetricPadding2D(kernel_size, name=f"{name}_pad", **settings)(x)
            conv = build.conv(
                filters,
                kernel_size,
                strides=strides,
                dilation_rate=dilation_rate,
                padding="valid" if strides > 1 else "same",
                activation=activation,
                name=name,
            )
            return conv(x)

        def guided(x: Any, labels: Any, filters: int, name: str) -> Any:
            block = SPADEResBlock(
                filters,
                num_classes,
                normalization="instance",
                hidden=guide_filters,
                spectral_norm=False,
                kernel_initializer="he_normal",
                name=name,
                **settings,
            )
            return block(x, labels)

        # === Functional graph: stage 1 ===
        image = map_input(input_shape, input_shape[2], data_format, "image")
        mask = map_input(input_shape, 1, data_format, "mask")
        labels = label_map_input(input_shape, data_format)
        known, ones = image * (1.0 - mask), ops.ones_like(mask)
        x = coarse_encoder(unit, build.concatenate(name="coarse_input")([known, ones, mask]), width)
        context = Resize(scale=0.25, name="context_size", **settings)(known)
        context = build.conv(4 * width, 1, use_bias=False, name="context")(context)
        # The pixel at the upper left of each cell, as PyTorch's nearest neighbour has it.
        every_fourth = slice(None, None, 4)
        hole = layers.Activation("linear", dtype=policy, name="hole")(
            slice_spatial(mask, every_fourth, every_fourth, data_format)
        )
        attention = ExternalSpatialAttention(
            attention_grid, resize=attention_grid is not None, name="external_attention", **settings
        )
        attended = attention(x * hole + context * (1.0 - hole)) * hole + context * (1.0 - hole)
        x = build.add(name="branches")([dilated(unit, x, 4 * width, "coarse_conv"), attended])
        x = unit(x, 4 * width, name="coarse_conv11")
        features = unit(x, 4 * width, name="coarse_conv12")
        x = decoder(unit, features, width, "coarse_conv")
        coarse = float32_image(build.conv(input_shape[2], 3, name="coarse_conv17")(x), "linear", "coarse_unclipped")
        coarse = ops.clip(coarse, -1.0, 1.0)

        # === Functional graph: stage 2 ===
        x = build.concatenate(name="guided_input")([keep_known(known, mask, coarse), ones, mask])
        x = unit(x, width, kernel_size=5, name="guided_conv1")
        x = unit(x, 2 * width, strides=2, name="guided_conv2")
        look = unit(x, 4 * width, strides=2, name="guided_conv3")
        x = build.concatenate(name="prior")([features, look])
        x = guided(x, labels, 4 * width, "guided_block1")
        x = AdaIN(name="adain", **settings)(x, look)
        x = guided(x, labels, 4 * width, "guided_block2")
        for index, filters in ((3, 2 * width), (4, width)):
            x = Resize(scale=2, interpolation="nearest", name=f"guided_enlarge{index}", **settings)(x)
            x = guided(x, labels, filters, f"guided_block{index}")
        x = unit(x, width // 2, name="guided_conv4")
        refined = float32_image(build.conv(input_shape[2], 3, name="guided_conv5")(x), "tanh", "refined")

        # === Config ===
        arguments = dict(
            num_classes=num_classes,
            base_filters=base_filters,
            guide_filters=guide_filters,
            attention_grid=attention_grid,
            both_stages=both_stages,
            input_shape=input_shape,
            data_format=data_format,
            dtype=policy.name,
        )
        outputs = {"image": refined, "coarse": coarse} if both_stages else refined
        super().__init__([image, mask, labels], outputs, arguments=arguments, name=name)
        self.num_classes = num_classes
        self._between = (coarse, features)

    def first_stage(self) -> keras.Model:
        """The first stage: from `[image, mask]` to `{"coarse": image, "features": features}`, with these weights."""
        coarse, features = self._between
        return keras.Model(self.inputs[:2], {"coarse": coarse, "features": features}, name="first_stage")

    def second_stage(self) -> keras.Model:
        """The second stage: from `[image, mask, coarse, features, labels]` to the image, with these weights."""
        output = self.output["image"] if isinstance(self.output, dict) else self.output
        image, mask, labels = self.inputs
        return keras.Model([image, mask, *self._between, labels], output, name="second_stage")


@keras.saving.register_keras_serializable(package="keras_segpaint")
class SemanticGuidedCritic(RememberedModel):
    """The critic of the guided network: the PatchGAN of pix2pix with normalisation after each convolution.

    Four 4x4 convolutions of stride 2, each followed by instance normalisation without weights and a leaky rectifier of
    slope 0.2, and one of stride 1 without bias to a judgement for each place.

    Args:
        num_classes: Integer >= 1 for a critic that sees mask and labels too, which is this package's own; `None`, as
            published, for one that sees the image alone. Defaults to `None`.
        base_filters: Integer >= 1, width of the first convolution; the others have 2, 4 and 8 times as many. Defaults to
            `64`.
        input_shape: `(height, width, channels)` of the image; height and width may be `None`. Defaults to `(None, None,
            3)`.
        data_format: `"channels_last"`, `"channels_first"` or `None` for Keras's default.
        dtype: Dtype or policy of the layers; the judgements are float32. `None` for Keras's default.
        name: String. Defaults to `"semantic_guided_critic"`.

    Input shape:
        float32 images in [-1, 1], `(batch, height, width, channels)`; with `num_classes` `[image, mask, labels]`, as
        `SemanticGuidedInpainting` takes them. Height and width are 16 at least, and more than 16 in one of them, since a
        single place has no deviation.

    Output shape:
        float32 judgements `(batch, height // 16, width // 16, 1)`, larger for what looks real.

    2,764,736 parameters.

    Raises:
        ValueError: If an argument is not one of the above.

    References:
        - [Interactive Image Inpainting Using Semantic Guidance](https://arxiv.org/abs/2201.10753)
        - [Image-to-Image Translation with Conditional Adversarial Networks](https://arxiv.org/abs/1611.07004)

    Example:
        >>> import numpy as np
        >>> critic = SemanticGuidedCritic(base_filters=2, data_format="channels_last")
        >>> tuple(critic(np.zeros((1, 64, 32, 3), "float32")).shape)
        (1, 4, 2, 1)
    """

    paper: ClassVar[str] = PAPER
    good_for: ClassVar[str] = "The critic that SemanticGuidedInpainting is trained against"
    reference_parameters: ClassVar[tuple[tuple[dict[str, Any], int], ...]] = (({}, 2_764_736),)

    def __init__(
        self,
        num_classes: int | None = None,
        *,
        base_filters: int = 64,
        input_shape: tuple[int | None, int | None, int] = (None, None, 3),
        data_format: str | None = None,
        dtype: Any = None,
        name: str = "semantic_guided_critic",
    ):
        input_shape, data_format, policy = standardize_arguments(input_shape, data_format, dtype)
        standardize_width(base_filters, "base_filters")
        if num_classes is not None:
            standardize_classes(num_classes)

        # === Layers ===
        build = Critics(data_format, policy)
        settings: dict[str, Any] = dict(data_format=data_format, dtype=policy)

        def unit(x: Any, filters: int, name: str) -> Any:
            x = layers.ZeroPadding2D(1, name=f"{name}_pad", **settings)(x)
            x = build.conv(filters, 4, strides=2, padding="valid", name=name)(x)
            x = standardize(x, filters, 1e-5, data_format)
            return build.leaky_relu(name=f"{name}_relu")(x)

        # === Functional graph ===
        inputs = [map_input(input_shape, input_shape[2], data_format, "image")]
        x = inputs[0]
        if num_classes is not None:
            inputs += [map_input(input_shape, 1, data_format, "mask"), label_map_input(input_shape, data_format)]
            planes = LabelMapEncoding(num_classes, name="encoding", **settings)(inputs[2])
            x = build.concatenate(name="together")([*inputs[:2], planes])
        for index, factor in enumerate((1, 2, 4, 8), start=1):
            x = unit(x, factor * base_filters, f"conv{index}")
        x = layers.ZeroPadding2D(((2, 1), (2, 1)), name="conv5_pad", **settings)(x)
        # PyTorch on a CPU has no gradient for a kernel of one filter in half precision.
        judge = LayerFactory(data_format, "float32")
        x = judge.conv(1, 4, padding="valid", use_bias=False, name="conv5")(x)
        outputs = float32_image(x, "linear", "judgements")

        # === Config ===
        arguments = dict(
            num_classes=num_classes,
            base_filters=base_filters,
            input_shape=input_shape,
            data_format=data_format,
            dtype=policy.name,
        )
        super().__init__(inputs if num_classes is not None else inputs[0], outputs, arguments=arguments, name=name)
