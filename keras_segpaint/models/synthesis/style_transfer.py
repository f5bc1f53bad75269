"""Style transfer by adaptive instance normalisation."""

from collections.abc import Sequence
from typing import Any, ClassVar

import keras
from keras import ops

from keras_segpaint.backbones.vgg import DEPTHS, WIDTHS
from keras_segpaint.layers import AdaIN, MatchSize2D, ReflectionPadding2D, Resize
from keras_segpaint.layers.factory import LayerFactory
from keras_segpaint.models.arguments import map_input, standardize_arguments
from keras_segpaint.models.image_layers import float32_image, standardize_width
from keras_segpaint.models.synthesis.base import SynthesisModel
from keras_segpaint.models.synthesis.style_encoder import (
    BACKBONES,
    BLOCKS,
    load_encoder_weights,
    normalize_activations,
    style_encoder,
)


@keras.saving.register_keras_serializable(package="keras_segpaint")
class StyleTransfer(SynthesisModel):
    """Paints a content image in the style of any other: a fixed encoder, AdaIN, and a decoder that is trained.

    The encoder is VGG up to its fourth block with reflection padding. AdaIN gives each of the content's features the mean
    and deviation that it has in the style image, and the decoder, the encoder's mirror image, makes an image of them.

    It is trained by plain `compile` and `fit` without a loss and without targets: `compute_loss` is `content_weight` times
    the content loss (mean squared error between the result's features and what AdaIN gave) plus `style_weight` times the
    style loss (mean squared errors of the means and of the deviations behind the first convolution of each block). Both
    are in the history as `content_loss` and `style_loss`.

    Args:
        backbone: `"vgg19"` (the paper's) or `"vgg16"`: of the encoder, and mirrored of the decoder. Defaults to `"vgg19"`.
        base_filters: Integer >= 1, width of the first block. Defaults to `64`.
        alpha: In [0, 1], how much of the style the image takes; less is for predictions, train with 1. Defaults to `1.0`.
        content_weight: Number >= 0. Defaults to `1.0`.
        style_weight: Number >= 0. Defaults to `10.0`.
        weights: Of the encoder: `None`, or what `load_encoder` takes. Defaults to `None`, random features, with which it
            can be trained, but not to a style that an eye would see.
        input_shape: `(height, width, channels)` of both images; height and width may be `None`, channels are 3. Defaults
            to `(None, None, 3)`.
        data_format: `"channels_last"`, `"channels_first"` or `None` for Keras's default.
        dtype: Dtype or policy of the layers; the image is float32. `None` for Keras's default.
        name: String. Defaults to `"style_transfer"`.

    Input shape:
        `[content, style]`: float32 RGB images in [0, 1], `(batch, height, width, 3)`, any height and width >= 1. Where
        `input_shape` leaves the sizes open, the two may differ.

    Output shape:
        float32 images of the content's shape; the last layer is linear, clip them to [0, 1].

    Attributes:
        encoder: From images to the features of the four blocks; not trained.
        adain: The `AdaIN` layer.
        decoder: From features to images, eight times as high and wide.

    The decoder has 3,505,219 parameters, the encoder 3,505,728 and 12 in its convolution of the colours.

    Raises:
        ValueError: If an argument is not one of the above.

    References:
        - [Arbitrary Style Transfer in Real-time with Adaptive Instance Normalization](https://arxiv.org/abs/1703.06868)

    Example:
        >>> import numpy as np
        >>> model = StyleTransfer(base_filters=2, data_format="channels_last")
        >>> model.compile("adam")
        >>> content, style = np.zeros((2, 45, 60, 3), "float32"), np.ones((2, 32, 32, 3), "float32")
        >>> sorted(model.fit([content, style], verbose=0).history)
        ['content_loss', 'loss', 'style_loss']
        >>> tuple(model([content, style]).shape)
        (2, 45, 60, 3)
    """

    paper: ClassVar[str] = (
        "Huang, Belongie 2017, Arbitrary Style Transfer in Real-time with Adaptive Instance Normalization, arXiv:1703.06868"
    )
    good_for: ClassVar[str] = "Photographs in the style of any picture, at once and by degrees"
    reference_parameters: ClassVar[tuple[tuple[dict[str, Any], int], ...]] = (({}, 3_505_219),)

    def __init__(
        self,
        *,
        backbone: str = "vgg19",
        base_filters: int = 64,
        alpha: float = 1.0,
        content_weight: float = 1.0,
        style_weight: float = 10.0,
        weights: Any = None,
        input_shape: tuple[int | None, int | None, int] = (None, None, 3),
        data_format: str | None = None,
        dtype: Any = None,
        name: str = "style_transfer",
    ):
        input_shape, data_format, policy = standardize_arguments(input_shape, data_format, dtype)
        standardize_width(base_filters, "base_filters")
        if backbone not in BACKBONES:
            raise ValueError(f"`backbone` must be one of {BACKBONES}. Received: backbone={backbone!r}")
        if input_shape[2] != 3:
            raise ValueError(f"`input_shape` must have 3 channels, RGB. Received: input_shape={input_shape}")
        if not 0 <= alpha <= 1:
            raise ValueError(f"`alpha` must be in [0, 1]. Received: alpha={alpha!r}")
        for label, weight in (("content_weight", content_weight), ("style_weight", style_weight)):
            if weight < 0:
                raise ValueError(f"`{label}` must be >= 0. Received: {label}={weight!r}")

        # === Layers ===
        build = LayerFactory(data_format, policy)
        settings: dict[str, Any] = dict(data_format=data_format, dtype=policy)
        encoder = style_encoder(backbone, base_filters, build)
        decoder = _decoder(backbone, base_filters, build)
        adain = AdaIN(name="adain", **settings)

        # === Functional graph ===
        content = map_input(input_shape, 3, data_format, "content")
        style = map_input(input_shape, 3, data_format, "style")
        target = adain(encoder(content)[-1], encoder(style)[-1], alpha=alpha)
        x = MatchSize2D(name="content_size", **settings)(decoder(target), like=content)
        outputs = float32_image(x, "linear", "image")

        # === Config ===
        arguments = dict(
            backbone=backbone,
            base_filters=base_filters,
            alpha=alpha,
            content_weight=content_weight,
            style_weight=style_weight,
            input_shape=input_shape,
            data_format=data_format,
            dtype=policy.name,
        )
        super().__init__([content, style], outputs, arguments=arguments, name=name)
        self.encoder, self.decoder, self.adain = encoder, decoder, adain
        self.alpha, self.content_weight, self.style_weight = alpha, content_weight, style_weight
        self.trackers = [keras.metrics.Mean(name=quantity) for quantity in ("content_loss", "style_loss")]
        if weights is not None:
            self.load_encoder(weights)

    def load_encoder(self, source: Any, preprocessing: str | None = None) -> None:
        """Gives the encoder the weights of a network trained on ImageNet.

        What the network wants of its images is done by the encoder's first convolution, of 1x1: its images are RGB in
        [0, 1] always, and since borders are reflections the result is exact.

        Args:
            source: `"imagenet"`, downloaded once into Keras's cache; or a file: `.h5` of `keras.applications`; `.pth`,
                `.pt` or `.safetensors` with the state dictionary of torchvision's network; `.keras` or `.weights.h5` of a
                `StyleTransfer` or a backbone of this package. (`convert.load` reads the normalised VGG-19 and the decoder
                that the paper's code comes with.) Or a Keras network whose convolutions are called as in
                `keras.applications`, `"block1_conv1"`, or here, `"conv1_1"`.
            preprocessing: `"caffe"`, `"torch"`, `"none"`, or `None` for what goes with the file, of a network `"caffe"`.
                `"caffe"` is that of VGG in `keras.applications`: blue, green, red as 255 times the colour less 103.939,
                116.779 and 123.68; all features are divided by 57.63 then, to be as large as those of a network whose
                images have deviation 1. `"torch"` is torchvision's: less 0.485, 0.456, 0.406 and divided by 0.229,
                0.224, 0.225. `"none"` leaves RGB in [0, 1].

        Raises:
            ValueError: If something does not fit; nothing has been changed then.
            FileNotFoundError: If there is no such file.
            ImportError: If a package that reads it is not installed.
            OSError: If the download fails.
        """
        load_encoder_weights(self.encoder, self._arguments["backbone"], source, preprocessing)

    def normalize_encoder(self, images: Any) -> None:
        """Makes the encoder a normalised one: each filter's mean activation over all images and positions becomes 1.

        A filter that is hardly active, at less than a tenth of its layer's mean, stays below 1.

        Networks as they are trained have features of very different sizes in their layers, and with them the terms of
        the losses; the weights in the paper go with a normalised network. The features stay the same but for their
        scale. Do it before training: a trained decoder goes with the features it was trained on.

        Args:
            images: float32 images in [0, 1], a batch as the model takes it; some tens of them will do.
        """
        normalize_activations(self.encoder, images, self.data_format)

    def mix(
        self, content: Any, styles: Sequence[Any], style_weights: Sequence[float] | None = None, alpha: Any = None
    ) -> Any:
        """What the decoder makes an image of: the content's features in a mixture of styles.

        Args:
            content: Features of the content, the encoder's last output.
            styles: For each style its features, or their mean and deviation as `adain.statistics` gives them.
            style_weights: A number for each style, with the sum 1. Defaults to equal shares.
            alpha: As in `AdaIN`. Defaults to that of the model.

        Returns:
            Features of the content's shape: the weighted sum of what AdaIN gives for each style.
        """
        shares = [1 / len(styles)] * len(styles) if style_weights is None else style_weights
        alpha = self.alpha if alpha is None else alpha
        return sum(share * self.adain(content, style, alpha=alpha) for share, style in zip(shares, styles, strict=True))

    def compute_loss(
        self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None, training: bool = True
    ) -> Any:
        """The weighted sum of content loss and style loss; targets, sample weights and losses of `compile` are unused."""
        content, style = x
        wanted = [ops.stop_gradient(features) for features in self.encoder(style)]
        target = ops.stop_gradient(self.mix(self.encoder(content)[-1], wanted[-1:]))
        made = self.encoder(y_pred)
        content_loss = _mean_squared_error(made[-1], target)
        style_loss = 0.0
        for have, want in zip(made, wanted, strict=True):
            for pair in zip(self.adain.statistics(have), self.adain.statistics(want), strict=True):
                style_loss = style_loss + _mean_squared_error(*pair)
        for tracker, quantity in zip(self.trackers, (content_loss, style_loss), strict=True):
            tracker.update_state(ops.stop_gradient(quantity))
        return self.content_weight * content_loss + self.style_weight * style_loss


def _mean_squared_error(x: Any, y: Any) -> Any:
    """In float32: in half precision the squares would overflow."""
    return ops.mean(ops.square(ops.cast(x, "float32") - ops.cast(y, "float32")))


def _decoder(backbone: str, base_filters: int, build: LayerFactory) -> keras.Model:
    """The encoder's mirror image without its last linear layer's activation."""
    settings: dict[str, Any] = dict(data_format=build.data_format, dtype=build.dtype)
    widths = [width * base_filters for width in WIDTHS]
    shape = (None, None, widths[BLOCKS - 1])
    features = keras.Input(shape if build.data_format == "channels_last" else shape[::-1], name="features")

    def conv(x: Any, filters: int, name: str) -> Any:
        x = ReflectionPadding2D(1, name=f"{name}_pad", **settings)(x)
        return build.conv(filters, 3, padding="valid", name=name)(x)

    x = build.relu(name="decoder4_1_relu")(conv(features, widths[BLOCKS - 2], "decoder4_1"))
    for block in range(BLOCKS - 1, 0, -1):
        x = Resize(scale=2, interpolation="nearest", name=f"enlarge{block}", **settings)(x)
        for index in range(DEPTHS[backbone][block - 1], 1, -1):
            x = build.relu(name=f"decoder{block}_{index}_relu")(conv(x, widths[block - 1], f"decoder{block}_{index}"))
        x = conv(x, widths[block - 2] if block > 1 else 3, f"decoder{block}_1")
        if block > 1:
            x = build.relu(name=f"decoder{block}_1_relu")(x)
    return keras.Model(features, x, name="decoder")
