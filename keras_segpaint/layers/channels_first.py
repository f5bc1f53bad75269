"""Convolutions of maps with the channels first, whose bias is always added to the channels.

Keras 3.15 on TensorFlow takes a bias for one of the columns when a map happens to be as wide as it has channels: its
`ops.add` goes by the shapes alone. Subtracting the negative bias goes another way, with the same result.
"""

from typing import Any

import keras
from keras import layers, ops


@keras.saving.register_keras_serializable(package="keras_segpaint")
class ChannelsFirstConv2D(layers.Conv2D):
    """`Conv2D` for `data_format="channels_first"`."""

    def call(self, inputs: Any) -> Any:
        return _finish(self, self.convolution_op(inputs, self.kernel))


@keras.saving.register_keras_serializable(package="keras_segpaint")
class ChannelsFirstConv2DTranspose(layers.Conv2DTranspose):
    """`Conv2DTranspose` for `data_format="channels_first"`."""

    def call(self, inputs: Any) -> Any:
        outputs = ops.conv_transpose(
            inputs,
            self.kernel,
            strides=list(self.strides),
            padding=self.padding,
            output_padding=self.output_padding,
            dilation_rate=self.dilation_rate,
            data_format=self.data_format,
        )
        return _finish(self, outputs)


def _finish(layer: Any, outputs: Any) -> Any:
    """Adds the bias and applies the activation."""
    if layer.use_bias:
        outputs = ops.subtract(outputs, ops.reshape(ops.negative(layer.bias), (1, -1, 1, 1)))
    return outputs if layer.activation is None else layer.activation(outputs)
