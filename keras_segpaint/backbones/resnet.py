"""ResNet of basic blocks as a feature extractor."""

from typing import Any, ClassVar

import keras
from keras import layers

from keras_segpaint.layers import SymmetricPadding2D
from keras_segpaint.layers.factory import LayerFactory
from keras_segpaint.ops.spatial import standardize_data_format

DEPTHS = {"resnet18": (2, 2, 2, 2), "resnet34": (3, 4, 6, 3)}


def resnet_features(x: Any, architecture: str, factory: LayerFactory) -> dict[str, Any]:
    """Builds the trunk on the tensor `x`.

    Args:
        x: Images, normalised.
        architecture: `"resnet18"` or `"resnet34"`.
        factory: Makes the layers.

    Returns:
        Features by name: `"stem"` (stride 2), `"pool"` (stride 4), `"stage1"` (stride 4) to `"stage4"` (stride 32).

    Raises:
        ValueError: If the architecture is unknown.
    """
    if architecture not in DEPTHS:
        raise ValueError(f"`backbone` must be one of {sorted(DEPTHS)}. Received: backbone={architecture!r}")

    def conv_bn(x: Any, filters: int, kernel_size: int, strides: int, name: str) -> Any:
        padding = "same"
        if strides > 1 and kernel_size > 1:
            x = SymmetricPadding2D(
                kernel_size, data_format=factory.data_format, dtype=factory.dtype, name=f"{name}_pad"
            )(x)
            padding = "valid"
        x = factory.conv(filters, kernel_size, strides=strides, padding=padding, use_bias=False, name=f"{name}_conv")(x)
        return factory.batch_norm(name=f"{name}_bn")(x)

    def basic_block(x: Any, filters: int, strides: int, name: str) -> Any:
        shortcut = x
        if strides > 1 or factory.channels(x) != filters:
            shortcut = conv_bn(x, filters, 1, strides, f"{name}_shortcut")
        y = factory.relu(name=f"{name}_1_relu")(conv_bn(x, filters, 3, strides, f"{name}_1"))
        y = conv_bn(y, filters, 3, 1, f"{name}_2")
        return factory.relu(name=f"{name}_relu")(factory.add(name=f"{name}_add")([shortcut, y]))

    features = {}
    x = features["stem"] = factory.relu(name="stem_relu")(conv_bn(x, 64, 7, 2, "stem"))
    x = SymmetricPadding2D(
        3, value=float("-inf"), data_format=factory.data_format, dtype=factory.dtype, name="pool_pad"
    )(x)
    x = features["pool"] = factory.max_pool(3, strides=2, name="pool")(x)
    for stage, depth in enumerate(DEPTHS[architecture], start=1):
        for index in range(1, depth + 1):
            strides = 2 if stage > 1 and index == 1 else 1
            x = basic_block(x, 64 * 2 ** (stage - 1), strides, f"stage{stage}_block{index}")
        features[f"stage{stage}"] = x
    return features


@keras.saving.register_keras_serializable(package="keras_segpaint")
class ResNet(keras.Model):
    """ResNet-18 or -34 without its classifier: a dictionary of features at strides 2 to 32.

    Args:
        architecture: `"resnet18"` or `"resnet34"`. Defaults to `"resnet18"`.
        input_shape: `(height, width, channels)`; height and width may be `None`. Defaults to `(None, None, 3)`.
        data_format: `"channels_last"`, `"channels_first"` or `None` for Keras's default.
        dtype: Dtype or policy of the layers. `None` for Keras's default.
        name: String. Defaults to `"resnet"`.

    Input shape:
        `(batch, height, width, channels)`, normalised images, any height and width >= 1.

    Output shape:
        A dictionary: `"stem"` (stride 2, 64 channels), `"pool"` and `"stage1"` (stride 4, 64), `"stage2"` (stride 8,
        128), `"stage3"` (stride 16, 256), `"stage4"` (stride 32, 512). Odd sizes are rounded up.

    11,176,512 parameters (18 layers), 21,284,672 (34 layers).

    Raises:
        ValueError: If the architecture is unknown.

    References:
        - [Deep Residual Learning for Image Recognition](https://arxiv.org/abs/1512.03385)

    Example:
        >>> import numpy as np
        >>> features = ResNet("resnet18", data_format="channels_last")(np.zeros((1, 64, 64, 3), "float32"))
        >>> tuple(features["stage4"].shape)
        (1, 2, 2, 512)
    """

    reference_parameters: ClassVar[dict[str, int]] = {"resnet18": 11_176_512, "resnet34": 21_284_672}

    def __init__(
        self,
        architecture: str = "resnet18",
        *,
        input_shape: tuple[int | None, int | None, int] = (None, None, 3),
        data_format: str | None = None,
        dtype: Any = None,
        name: str = "resnet",
    ):
        data_format = standardize_data_format(data_format)
        policy = keras.dtype_policies.get(dtype if dtype is not None else keras.config.dtype_policy())
        height, width, channels = input_shape
        shape = (height, width, channels) if data_format == "channels_last" else (channels, height, width)
        inputs = layers.Input(shape, dtype="float32", name="image")
        factory = LayerFactory(data_format, policy, momentum=0.9, epsilon=1e-5)
        super().__init__(inputs=inputs, outputs=resnet_features(inputs, architecture, factory), name=name)
        self._arguments = dict(
            architecture=architecture,
            input_shape=tuple(input_shape),
            data_format=data_format,
            dtype=policy.name,
        )

    def get_config(self) -> dict[str, Any]:
        return {**self._arguments, "name": self.name}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> "ResNet":
        """Builds the backbone from the arguments that `get_config` gave."""
        return cls(**config)
