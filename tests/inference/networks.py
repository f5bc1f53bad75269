"""Small networks whose answers are known."""

import keras
import numpy as np
from keras import layers


def brightness_model(size=(None, None), channels: int = 3, data_format: str = "channels_last") -> keras.Model:
    """Two classes: the second where the mean of the channels is above one half."""
    shape = (*size, channels) if data_format == "channels_last" else (channels, *size)
    image = keras.Input(shape)
    conv = layers.Conv2D(2, 1, data_format=data_format)
    model = keras.Model(image, conv(image))
    conv.set_weights([np.tile([0, 8 / channels], (1, 1, channels, 1)).astype("float32"), np.array([0, -4], "float32")])
    model.data_format = data_format
    model.num_classes = 2
    return model


def local_model(data_format: str = "channels_last", stride: int = 1) -> keras.Model:
    """Three classes from what lies at most four pixels away (at stride 1), or 22 (at stride 4)."""
    keras.utils.set_random_seed(0)
    settings = dict(data_format=data_format, padding="same")
    image = x = keras.Input((None, None, 3) if data_format == "channels_last" else (3, None, None))
    x = layers.Conv2D(4, 3, activation="tanh", **settings)(x)
    for _ in range(stride // 2):
        x = layers.MaxPooling2D(2, **settings)(x)
    for _ in range(2):
        x = layers.Conv2D(6, 3, activation="tanh", **settings)(x)
    if stride > 1:
        x = layers.UpSampling2D(stride, data_format=data_format)(x)
    x = layers.Conv2D(3, 3, kernel_initializer=keras.initializers.RandomNormal(stddev=0.6), **settings)(x)
    if stride > 1:
        from keras_segpaint.layers import MatchSize2D

        x = MatchSize2D(data_format=data_format)(x, image)
    model = keras.Model(image, x)
    model.data_format = data_format
    return model
