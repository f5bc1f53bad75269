"""A dense CRF with a truncated window, as a layer that trains."""

from typing import Any

import keras
import numpy as np
from keras import layers, ops

from keras_segpaint.ops.labels import channels_last
from keras_segpaint.ops.resizing import bilinear
from keras_segpaint.ops.spatial import standardize_data_format
from keras_segpaint.ops.windows import cell_means, neighbours


@keras.saving.register_keras_serializable(package="keras_segpaint")
class ConvCRF(layers.Layer):
    """Refines logits by mean-field inference in a CRF in which each pixel is connected with those in a window around it.

    The terms are those of `inference.dense_crf`: a Gaussian of the distance and a bilateral one of distance and colour,
    with symmetric normalisation. The sums over a window are exact and have gradients: the layer trains together with the
    network in front of it. Computed in float32 under every dtype policy.

    Memory grows with `height * width * kernel_size ** 2`, divided by `blur ** 2`.

    Args:
        kernel_size: Odd integer >= 3, rows and columns of the window. Defaults to `7`.
        iterations: Integer >= 1. Defaults to `5`.
        gaussian_sxy: Standard deviation > 0 of the Gaussian term, in pixels. Defaults to `3.0`.
        gaussian_compat: What two pixels gain by the same label in the Gaussian term. Defaults to `3.0`.
        bilateral_sxy: Standard deviation > 0 of the bilateral term's distance, in pixels. Defaults to `80.0`.
        bilateral_compat: What two pixels gain by the same label in the bilateral term. Defaults to `10.0`.
        srgb: Standard deviation > 0 of the bilateral term's colours, of 255 as white. Defaults to `13.0`.
        compat: `"potts"` trains one weight for each term; `"full"` trains a matrix `(classes, classes)` for each, which
            starts as the Potts model. In row `l` stands what label `l` gains by each label nearby, the negative of the
            energies that `inference.GaussianPairwise` takes. Defaults to `"potts"`.
        learn_deviations: Boolean, whether the three standard deviations train. Defaults to `False`.
        blur: Integer >= 1: messages are passed between means over squares of so many pixels, then enlarged
            bilinearly. The window reaches as many times as far. Defaults to `1`; `4` is the paper's.
        data_format: `"channels_last"`, `"channels_first"` or `None` for Keras's default.
        **kwargs: Base layer arguments; `trainable=False` keeps all weights.

    Call arguments:
        logits: `(batch, height, width, classes)`, two classes or more.
        image: `(batch, height, width, 3)` in [0, 1].

    Output shape:
        That of the logits: refined logits, whose softmax are the marginals.

    Raises:
        ValueError: If an argument is not as above, or there is one class only.

    References:
        - [Convolutional CRFs for Semantic Segmentation](https://arxiv.org/abs/1805.04777)
        - [Efficient Inference in Fully Connected CRFs with Gaussian Edge Potentials](https://arxiv.org/abs/1210.5644)

    Example:
        >>> logits, image = keras.ops.zeros((1, 6, 8, 2)), keras.ops.zeros((1, 6, 8, 3))
        >>> layer = ConvCRF(kernel_size=3, iterations=1, data_format="channels_last")
        >>> tuple(layer(logits, image).shape)
        (1, 6, 8, 2)
    """

    def __init__(
        self,
        kernel_size: int = 7,
        iterations: int = 5,
        gaussian_sxy: float = 3.0,
        gaussian_compat: float = 3.0,
        bilateral_sxy: float = 80.0,
        bilateral_compat: float = 10.0,
        srgb: float = 13.0,
        compat: str = "potts",
        learn_deviations: bool = False,
        blur: int = 1,
        data_format: str | None = None,
        **kwargs: Any,
    ):
        if not isinstance(kernel_size, int) or kernel_size < 3 or kernel_size % 2 == 0:
            raise ValueError(f"`kernel_size` must be an odd integer >= 3. Received: kernel_size={kernel_size!r}")
        for name, value in (("iterations", iterations), ("blur", blur)):
            if not isinstance(value, int) or value < 1:
                raise ValueError(f"`{name}` must be an integer >= 1. Received: {name}={value!r}")
        for name, deviation in (("gaussian_sxy", gaussian_sxy), ("bilateral_sxy", bilateral_sxy), ("srgb", srgb)):
            if not deviation > 0:
                raise ValueError(f"`{name}` must be a number > 0. Received: {name}={deviation!r}")
        if compat not in ("potts", "full"):
            raise ValueError(f'`compat` must be "potts" or "full". Received: compat={compat!r}')
        super().__init__(**kwargs)
        # Neither image nor weights are rounded to a half-precision policy's type.
        self.autocast = False
        self.kernel_size = kernel_size
        self.iterations = iterations
        self.gaussian_sxy = gaussian_sxy
        self.gaussian_compat = gaussian_compat
        self.bilateral_sxy = bilateral_sxy
        self.bilateral_compat = bilateral_compat
        self.srgb = srgb
        self.compat = compat
        self.learn_deviations = learn_deviations
        self.blur = blur
        self.data_format = standardize_data_format(data_format)

    def build(self, logits_shape: Any, image_shape: Any) -> None:
        classes = logits_shape[-1 if self.data_format == "channels_last" else 1]
        if classes is None or classes < 2:
            raise ValueError(
                f"`logits` must have two classes or more, {self.data_format}. Received: shape {tuple(logits_shape)}"
            )
        weights = np.array([self.gaussian_compat, self.bilateral_compat], "float32")
        if self.compat == "full":
            weights = weights[:, None, None] * np.eye(classes, dtype="float32")
        common: dict[str, Any] = dict(dtype="float32", autocast=False)
        initializer = keras.initializers.Constant(weights)
        self.gain = self.add_weight(name="gain", shape=weights.shape, initializer=initializer, **common)
        # Factors, by their logarithms: a standard deviation stays above 0.
        self.log_factors = (
            self.add_weight(name="log_factors", shape=(3,), initializer="zeros", **common)
            if self.learn_deviations
            else None
        )
        self.built = True

    def call(self, logits: Any, image: Any) -> Any:
        logits, image = (ops.cast(channels_last(x, self.data_format), "float32") for x in (logits, image))
        height, width = ops.shape(logits)[1:3]
        kernels = self._kernels(image if self.blur == 1 else cell_means(image, self.blur))
        refined = logits
        for _ in range(self.iterations):
            marginals = ops.softmax(refined, axis=-1)
            if self.blur > 1:
                marginals = cell_means(marginals, self.blur)
            messages = self._messages(marginals, kernels)
            if self.blur > 1:
                rows, columns = ops.shape(messages)[1:3]
                size = (rows * self.blur, columns * self.blur)
                messages = bilinear(messages, size, align_corners=False, data_format="channels_last")
                messages = messages[:, :height, :width]
            refined = logits + messages
        refined = ops.cast(refined, self.compute_dtype)
        return refined if self.data_format == "channels_last" else ops.transpose(refined, (0, 3, 1, 2))

    def compute_output_spec(self, logits: Any, image: Any) -> keras.KerasTensor:
        return keras.KerasTensor(logits.shape, dtype=self.compute_dtype)

    def _kernels(self, image: Any) -> list[Any]:
        """The normalised kernels, `(batch, height, width, kernel_size ** 2)` each: one where one will do."""
        shrink: Any = [1.0] * 3 if self.log_factors is None else ops.exp(-2.0 * self.log_factors)
        near = shrink[0] * (self.blur / self.gaussian_sxy) ** 2
        wide = shrink[1] * (self.blur / self.bilateral_sxy) ** 2
        alike = shrink[2] * (255.0 / self.srgb) ** 2
        radius = self.kernel_size // 2
        inside = ops.ones_like(image[..., :1])
        gaussian, bilateral = [], []
        for (row, column, neighbour), (_, _, present) in zip(
            neighbours(image, radius), neighbours(inside, radius), strict=True
        ):
            distance = float(row**2 + column**2)
            colours = ops.sum(ops.square(image - neighbour), axis=-1, keepdims=True)
            gaussian.append(present * ops.exp(-0.5 * distance * near))
            bilateral.append(present * ops.exp(-0.5 * (distance * wide + colours * alike)))
        kernels = [_normalised(ops.concatenate(kernel, axis=-1), radius) for kernel in (gaussian, bilateral)]
        if self.compat == "potts":
            return [kernels[0] * self.gain[0] + kernels[1] * self.gain[1]]
        return kernels

    def _messages(self, marginals: Any, kernels: list[Any]) -> Any:
        """What the labels of each pixel gain by those around it."""
        shifted = [neighbour for _, _, neighbour in neighbours(marginals, self.kernel_size // 2)]
        sums = [
            sum(kernel[..., index : index + 1] * neighbour for index, neighbour in enumerate(shifted))
            for kernel in kernels
        ]
        if self.compat == "potts":
            return sums[0]
        return sum(ops.matmul(part, ops.transpose(self.gain[index])) for index, part in enumerate(sums))

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        config.update(
            kernel_size=self.kernel_size,
            iterations=self.iterations,
            gaussian_sxy=self.gaussian_sxy,
            gaussian_compat=self.gaussian_compat,
            bilateral_sxy=self.bilateral_sxy,
            bilateral_compat=self.bilateral_compat,
            srgb=self.srgb,
            compat=self.compat,
            learn_deviations=self.learn_deviations,
            blur=self.blur,
            data_format=self.data_format,
        )
        return config


def _normalised(kernel: Any, radius: int) -> Any:
    """A kernel divided by the roots of its sums around both pixels."""
    scale = ops.rsqrt(ops.sum(kernel, axis=-1, keepdims=True))
    others = ops.concatenate([neighbour for _, _, neighbour in neighbours(scale, radius)], axis=-1)
    return kernel * scale * others
