"""G-FRNet's gate."""

from typing import Any

import keras
from keras import layers

from keras_segpaint.layers.resize import Resize
from keras_segpaint.ops.spatial import standardize_data_format


@keras.saving.register_keras_serializable(package="keras_segpaint")
class GateUnit(layers.Layer):
    """Multiplies a feature map by a coarser one, which is brought to its size.

    What the deeper features, that see more of the image, do not confirm is let through weakly. Both maps come from 3x3
    convolutions to one channel for each class; the layer itself has no weights.

    Args:
        data_format: `"channels_last"`, `"channels_first"` or `None` for Keras's default.
        **kwargs: Base layer arguments.

    Call arguments:
        inputs: Feature maps `(batch, height, width, channels)`.
        gate: Coarser maps of as many channels; resized bilinearly with the corners aligned.

    Output shape:
        Same as `inputs`.

    References:
        - [Gated Feedback Refinement Network for Dense Image Labeling](https://arxiv.org/abs/1806.11266), CVPR 2017 and
          its longer version.

    Example:
        >>> from keras import ops
        >>> unit = GateUnit(data_format="channels_last")
        >>> gated = unit(ops.full((1, 2, 2, 1), 3.0), ops.full((1, 1, 1, 1), 2.0))
        >>> ops.convert_to_numpy(gated)[0, :, :, 0].tolist()
        [[6.0, 6.0], [6.0, 6.0]]
    """

    def __init__(self, data_format: str | None = None, **kwargs: Any):
        super().__init__(**kwargs)
        self.data_format = standardize_data_format(data_format)
        self.resize = Resize(align_corners=True, data_format=self.data_format, dtype=self.dtype_policy, name="resize")

    def build(self, inputs_shape: tuple[int | None, ...], gate_shape: tuple[int | None, ...]) -> None:
        self.resize.build(gate_shape)

    def call(self, inputs: Any, gate: Any) -> Any:
        return inputs * self.resize(gate, like=inputs)

    def compute_output_spec(self, inputs: Any, gate: Any) -> keras.KerasTensor:
        return keras.KerasTensor(inputs.shape, dtype=self.compute_dtype)

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        config.update(data_format=self.data_format)
        return config
