"""SPADE, known as GauGAN: the generator and the encoder of styles."""

from typing import Any, ClassVar

import keras
from keras import layers, ops

from keras_segpaint.layers import (
    InstanceNormalization,
    Resize,
    SPADEResBlock,
    SpectralNormalization,
    SymmetricPadding2D,
)
from keras_segpaint.models.arguments import map_input, standardize_arguments
from keras_segpaint.models.image_layers import float32_image, standardize_width
from keras_segpaint.models.remembered import RememberedModel
from keras_segpaint.models.synthesis.base import (
    SynthesisLayers,
    SynthesisModel,
    guide_inputs,
    guide_planes,
    small_initializer,
)
from keras_segpaint.ops.spatial import channel_axis

PAPER = "Park, Liu, Wang, Zhu 2019, Semantic Image Synthesis with Spatially-Adaptive Normalization, arXiv:1903.07291"

# How often the size doubles, from the first features to the image.
UPSAMPLING = {"normal": 5, "more": 6, "most": 7}
# Widths of the blocks that double the size, over that of the last.
WIDTHS = (8, 4, 2, 1)


@keras.saving.register_keras_serializable(package="keras_segpaint")
class SPADEGenerator(SynthesisModel):
    """SPADE's generator: residual blocks, each told by the label map, from a few pixels to the image.

    The first features are a convolution of the label map made very small. With `latent_dim` they come from a vector of
    normally distributed numbers instead, so that one label map has many images; trained with `SPADEEncoder`, the vector
    says in which style. This changes the first layer, a dense one in place of the convolution: weights of a network
    without it, such as all that the authors published, do not fit one with it (their `--use_vae`), which has to be
    trained as such. Real images are needed in its training alone; otherwise draw the vector.

    A size that is no multiple of 32 (64 with `"more"`, 128 with `"most"`) is halved rounding down and doubled to where it
    came from.

    Args:
        num_labels: Integer >= 1; labels are `0` to `num_labels - 1`.
        ignore_class: The label of pixels of which nothing is known, which has a plane of its own; `None` if there is
            none. Other labels are nothing at all: check them where they are read. Defaults to `255`.
        edges: Whether there is a second input, the borders between instances, `(batch, height, width, 1)` in [0, 1].
            Defaults to `False`.
        latent_dim: Integer >= 1, length of the vector that is the last input, `256` in the paper; `None` for the network
            without. Defaults to `None`.
        upsampling: `"normal"`, `"more"` or `"most"`: how often the size doubles, 5, 6 or 7 times. Defaults to `"normal"`.
        normalization: `"batch"`, `"instance"` or `"group"`; see `SPADE`. Defaults to `"batch"`.
        base_filters: Integer >= 1, width of the last block; the first have 16 times as many. Defaults to `64`.
        hidden: Integer >= 1, width inside of `SPADE`. Defaults to `128`.
        input_shape: `(height, width, channels)` of the image; height and width may be `None` without `latent_dim`.
            Defaults to `(None, None, 3)`.
        data_format: `"channels_last"`, `"channels_first"` or `None` for Keras's default.
        dtype: Dtype or policy of the layers; the image is float32. `None` for Keras's default.
        name: String. Defaults to `"spade_generator"`.

    Input shape:
        Labels `(batch, height, width)`, integers or whole floats; with `edges` or `latent_dim` a list of labels, edges
        and vectors `(batch, latent_dim)`.

    Output shape:
        float32 images in [-1, 1], `(batch, height, width, channels)`.

    96,492,483 parameters for ADE20K (150 labels), 97,480,899 for COCO-Stuff (182 labels, edges), 93,048,003 for Cityscapes
    (35 labels, none ignored, edges, `"more"`); 111,942,595 for ADE20K at 256x256 with `latent_dim=256`.

    Raises:
        ValueError: If an argument is not one of the above.

    References:
        - [Semantic Image Synthesis with Spatially-Adaptive Normalization](https://arxiv.org/abs/1903.07291)

    Example:
        >>> import numpy as np
        >>> model = SPADEGenerator(3, base_filters=1, hidden=8, data_format="channels_last")
        >>> tuple(model(np.zeros((1, 64, 96), "int32")).shape)
        (1, 64, 96, 3)
    """

    paper: ClassVar[str] = PAPER
    good_for: ClassVar[str] = "Photographs from label maps, of one style or of many"
    reference_parameters: ClassVar[tuple[tuple[dict[str, Any], int], ...]] = (
        ({"num_labels": 150}, 96_492_483),
        ({"num_labels": 182, "edges": True}, 97_480_899),
        ({"num_labels": 35, "ignore_class": None, "edges": True, "upsampling": "more"}, 93_048_003),
        ({"num_labels": 150, "latent_dim": 256, "input_shape": (256, 256, 3)}, 111_942_595),
        ({"num_labels": 150, "base_filters": 32}, 33_133_027),
    )

    def __init__(
        self,
        num_labels: int,
        *,
        ignore_class: int | None = 255,
        edges: bool = False,
        latent_dim: int | None = None,
        upsampling: str = "normal",
        normalization: str = "batch",
        base_filters: int = 64,
        hidden: int = 128,
        input_shape: tuple[int | None, int | None, int] = (None, None, 3),
        data_format: str | None = None,
        dtype: Any = None,
        name: str = "spade_generator",
    ):
        input_shape, data_format, policy = standardize_arguments(input_shape, data_format, dtype)
        standardize_width(base_filters, "base_filters", divisor=2 if upsampling == "most" else 1)
        if upsampling not in UPSAMPLING:
            raise ValueError(
                f"`upsampling` must be one of {', '.join(UPSAMPLING)}. Received: upsampling={upsampling!r}"
            )
        if latent_dim is not None and None in input_shape:
            raise ValueError(
                "`input_shape` must be known with `latent_dim`: the first features are made from the vector, of a size "
                f"that belongs to the weights. Received: input_shape={input_shape}, latent_dim={latent_dim}"
            )

        # === Layers ===
        build = SynthesisLayers(data_format, policy)
        settings: dict[str, Any] = dict(data_format=data_format, dtype=policy)
        levels = UPSAMPLING[upsampling]

        def block(x: Any, factor: float, name: str) -> Any:
            return SPADEResBlock(
                int(factor * base_filters),
                num_labels=None if edges else num_labels,
                ignore_class=ignore_class,
                normalization=normalization,
                hidden=hidden,
                kernel_initializer=small_initializer(),
                name=name,
                **settings,
            )(x, guide)

        def up(x: Any, level: int) -> Any:
            """Doubles the size to the image's over 2 to the power of `level`."""
            like = small(labels, level, f"size{level}") if level else labels
            return Resize(interpolation="nearest", name=f"enlarge{level}", **settings)(x, like=like)

        def small(x: Any, level: int, name: str) -> Any:
            return Resize(scale=2**-level, interpolation="top_left", name=name, **settings)(x)

        # === Functional graph ===
        inputs = guide_inputs(edges, input_shape, build)
        labels = ops.expand_dims(inputs[0], channel_axis(data_format))
        guide = guide_planes(inputs, num_labels, ignore_class, build) if edges else labels
        level = levels
        if latent_dim is None:
            # Smaller before they are planes: of the image's size those are most of the memory.
            maps = [
                small(x, level, f"small_{kind}")
                for x, kind in zip((labels, *inputs[1:]), ("labels", "edges"), strict=False)
            ]
            planes = guide_planes(maps, num_labels, ignore_class, build, prefix="small_")
            x = build.conv(16 * base_filters, 3, name="start")(planes)
        else:
            inputs.append(keras.Input((standardize_width(latent_dim, "latent_dim"),), dtype="float32", name="latent"))
            rows, columns = (max(extent // 2**level, 1) for extent in input_shape[:2] if extent is not None)
            # The order of the numbers is that of channels last in either data format, so that weights fit both.
            start = layers.Dense(
                16 * base_filters * rows * columns, kernel_initializer=small_initializer(), dtype=policy, name="start"
            )
            x = layers.Reshape((rows, columns, 16 * base_filters), dtype=policy, name="start_map")(start(inputs[-1]))
            if data_format == "channels_first":
                x = layers.Permute((3, 1, 2), dtype=policy, name="start_transposed")(x)
        x = up(block(x, 16, "head_0"), level := level - 1)
        x = block(x, 16, "middle_0")
        if upsampling != "normal":
            x = up(x, level := level - 1)
        x = block(x, 16, "middle_1")
        for index, factor in enumerate(WIDTHS):
            x = block(up(x, level := level - 1), factor, f"up_{index}")
        if upsampling == "most":
            x = block(up(x, level := level - 1), 0.5, "up_4")
        x = build.conv(input_shape[2], 3, name="image_conv")(build.leaky_relu(name="image_relu")(x))
        outputs = float32_image(x, "tanh", "image")

        # === Config ===
        arguments = dict(
            num_labels=num_labels,
            ignore_class=ignore_class,
            edges=edges,
            latent_dim=latent_dim,
            upsampling=upsampling,
            normalization=normalization,
            base_filters=base_filters,
            hidden=hidden,
            input_shape=input_shape,
            data_format=data_format,
            dtype=policy.name,
        )
        super().__init__(inputs if len(inputs) > 1 else inputs[0], outputs, arguments=arguments, name=name)


@keras.saving.register_keras_serializable(package="keras_segpaint")
class SPADEEncoder(RememberedModel):
    """SPADE's encoder of styles: the mean and the variance of the vectors that a real image's style may be.

    The image is resized to `size`; six convolutions of stride 2 follow, with spectral and instance normalisation, and two
    dense layers. Training draws a vector `mean + exp(log_variance / 2) * noise` for `SPADEGenerator`.

    Args:
        latent_dim: Integer >= 1, length of the vectors. Defaults to `256`.
        base_filters: Integer >= 1, width of the first convolution; the others have 2, 4, 8, 8 and 8 times as many. Defaults
            to `64`.
        size: Integer > 64, height and width that images are brought to. Defaults to `256`.
        input_shape: `(height, width, channels)` of the image; height and width may be `None`. Defaults to `(None, None,
            3)`.
        data_format: `"channels_last"`, `"channels_first"` or `None` for Keras's default.
        dtype: Dtype or policy of the layers; the vectors are float32. `None` for Keras's default.
        name: String. Defaults to `"spade_encoder"`.

    Input shape:
        float32 images in [-1, 1], `(batch, height, width, channels)`.

    Output shape:
        A dictionary of `"mean"` and `"log_variance"`, float32 of shape `(batch, latent_dim)`.

    10,463,424 parameters.

    Raises:
        ValueError: If an argument is not one of the above.

    References:
        - [Semantic Image Synthesis with Spatially-Adaptive Normalization](https://arxiv.org/abs/1903.07291), figure 14.

    Example:
        >>> import numpy as np
        >>> encoder = SPADEEncoder(8, base_filters=1, size=128, data_format="channels_last")
        >>> style = encoder(np.zeros((2, 48, 96, 3), "float32"))
        >>> {name: tuple(vector.shape) for name, vector in sorted(style.items())}
        {'log_variance': (2, 8), 'mean': (2, 8)}
    """

    paper: ClassVar[str] = PAPER
    good_for: ClassVar[str] = "The encoder that SPADEGenerator learns styles with"
    reference_parameters: ClassVar[tuple[tuple[dict[str, Any], int], ...]] = (({}, 10_463_424),)

    def __init__(
        self,
        latent_dim: int = 256,
        *,
        base_filters: int = 64,
        size: int = 256,
        input_shape: tuple[int | None, int | None, int] = (None, None, 3),
        data_format: str | None = None,
        dtype: Any = None,
        name: str = "spade_encoder",
    ):
        input_shape, data_format, policy = standardize_arguments(input_shape, data_format, dtype)
        standardize_width(latent_dim, "latent_dim")
        standardize_width(base_filters, "base_filters")
        if not isinstance(size, int) or size <= 64:
            raise ValueError(
                "`size` must be an integer > 64: it is halved six times, and instance normalisation leaves nothing of a "
                f"map of one pixel. Received: size={size!r}"
            )

        # === Layers ===
        build = SynthesisLayers(data_format, policy)
        settings: dict[str, Any] = dict(data_format=data_format, dtype=policy)

        def unit(x: Any, filters: int, name: str) -> Any:
            x = SymmetricPadding2D(3, name=f"{name}_pad", **settings)(x)
            conv = build.conv(filters, 3, strides=2, padding="valid", use_bias=False)
            x = SpectralNormalization(conv, name=name)(x)
            x = InstanceNormalization(name=f"{name}_norm", **settings)(x)
            return build.leaky_relu(name=f"{name}_relu")(x)

        # === Functional graph ===
        image = map_input(input_shape, input_shape[2], data_format, "image")
        x = Resize(size=(size, size), name="resize", **settings)(image)
        for index, factor in enumerate((1, 2, 4, 8, 8, 8), start=1):
            x = unit(x, factor * base_filters, f"conv{index}")
        # The flattened order is that of channels last in either data format, so that weights fit both.
        x = layers.Flatten(data_format=data_format, dtype=policy, name="flatten")(x)
        outputs = {
            vector: layers.Dense(latent_dim, kernel_initializer=small_initializer(), dtype="float32", name=vector)(x)
            for vector in ("mean", "log_variance")
        }

        # === Config ===
        arguments = dict(
            latent_dim=latent_dim,
            base_filters=base_filters,
            size=size,
            input_shape=input_shape,
            data_format=data_format,
            dtype=policy.name,
        )
        super().__init__(image, outputs, arguments=arguments, name=name)
