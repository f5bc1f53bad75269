"""What networks that make or judge images are built of, whatever their task."""

from typing import Any

from keras import layers

from keras_segpaint.layers.factory import LayerFactory


def standardize_width(value: Any, name: str, divisor: int = 1) -> int:
    """Checks the width of a network; its halves and quarters must be whole where `divisor` says so."""
    if not isinstance(value, int) or value < 1 or value % divisor:
        raise ValueError(f"`{name}` must be a positive multiple of {divisor}. Received: {name}={value!r}")
    return value


def float32_image(x: Any, activation: str, name: str) -> Any:
    """Casts the last layer's result to float32 and brings it into the range of images."""
    return layers.Activation(activation, dtype="float32", name=name)(x)


class Critics(LayerFactory):
    """Layers of discriminators."""

    def leaky_relu(self, **kwargs: Any) -> layers.LeakyReLU:
        """A leaky rectifier of slope 0.2."""
        return layers.LeakyReLU(negative_slope=0.2, dtype=self.dtype, **kwargs)
