"""Networks that compile in a moment, a batch, and the steps of a generator and a critic written by hand."""

import keras
import numpy as np
from keras import ops

from keras_segpaint import losses, models
from tests.conformance.cases import fill_weights

LAST = dict(data_format="channels_last")
SIZE = (32, 32)


def filled(model):
    """The model, with the same weights on every backend."""
    fill_weights(model)
    return model


def generator(**kwargs):
    return filled(models.PConvUNet(levels=4, base_filters=2, input_shape=(*SIZE, 3), **LAST, **kwargs))


def two_stages():
    return filled(models.DeepFillV2(cnum=4, both_stages=True, input_shape=(*SIZE, 3), **LAST))


def critic(**kwargs):
    return filled(models.SNPatchDiscriminator(base_filters=2, input_shape=(*SIZE, 3), **LAST, **kwargs))


def plain_critic():
    """A critic of the image alone, of a penalty that is not 0."""
    image = keras.Input((*SIZE, 3))
    x = keras.layers.Conv2D(2, 5, strides=4, activation="leaky_relu", **LAST)(image)
    return filled(keras.Model(image, keras.layers.Dense(1)(keras.layers.Flatten()(x))))


def plain_generator(dtype="float32", data_format="channels_last"):
    """Two stages without batch normalisation, which compile in a moment, and convolve channels last in any format."""
    first = data_format == "channels_first"
    image, mask = (keras.Input((channels, *SIZE) if first else (*SIZE, channels)) for channels in (3, 1))
    settings = dict(padding="same", dtype=dtype, **LAST)
    seen = keras.layers.Concatenate(axis=1 if first else -1)([image, mask])
    coarse = keras.layers.Conv2D(3, 3, **settings)(keras.layers.Permute((2, 3, 1))(seen) if first else seen)
    fine = keras.layers.Conv2D(3, 3, **settings)(keras.layers.LeakyReLU(dtype=dtype)(coarse))
    outputs = {}
    for name, x in (("image", fine), ("coarse", coarse)):
        x = keras.layers.Permute((3, 1, 2), dtype=dtype)(x) if first else x
        outputs[name] = keras.layers.Activation("linear", dtype="float32", name=name)(x)
    model = filled(keras.Model([image, mask], outputs))
    model.data_format = data_format
    model.dtype_policy = keras.dtype_policies.get(dtype)
    return model


def linear_critic(size, data_format="channels_last"):
    """A critic whose gradient is its weights."""
    image = keras.Input((*size, 3) if data_format == "channels_last" else (3, *size))
    x = keras.layers.Flatten(data_format=data_format)(image)
    return filled(keras.Model(image, keras.layers.Dense(1)(x)))


def fit_once(model, batch, **kwargs):
    (images, masks), target, weights = batch
    return model.fit([images, masks], target, sample_weight=weights, batch_size=len(target), verbose=0, **kwargs)


def two_images():
    """A batch `(images, masks), images, masks`."""
    rows, columns = np.meshgrid(*(np.linspace(0, 0.8, extent) for extent in SIZE), indexing="ij")
    image = np.stack([rows, columns, 0.6 * np.ones(SIZE)], axis=-1)
    images = np.stack([image, image[::-1]]).astype("float32")
    masks = np.zeros((2, *SIZE, 1), "float32")
    masks[0, 4:20, 8:24] = masks[1, 10:, :12] = 1
    return (images, masks), images, masks


def loss():
    return losses.MaskedL1("image", **LAST)


def weights_of(network):
    return [ops.convert_to_numpy(variable) for variable in network.trainable_variables]


class GeneratorStep(keras.Model):
    """The generator's part written by hand: the critic is frozen by `trainable`."""

    def __init__(self, made, judge, weight):
        super().__init__(dtype=made.dtype_policy, autocast=False)
        self.made, self.judge, self.weight = made, judge, weight
        judge.trainable = False
        self.built = True

    def call(self, inputs, training=None):
        return self.made(list(inputs), training=training)

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        image, mask = x[0], x[1]
        filled = image * (1 - mask) + y_pred["image"] * mask
        l1 = ops.mean(ops.abs(y - y_pred["image"])) + ops.mean(ops.abs(y - y_pred["coarse"]))
        inputs = filled if len(self.judge.inputs) == 1 else [filled, mask]
        return l1 - self.weight * ops.mean(self.judge(inputs, training=False))


class CriticStep(keras.Model):
    """The critic's part written by hand, on results of a generator outside of the graph."""

    def __init__(self, judge, dtype="float32"):
        super().__init__(dtype=dtype, autocast=False)
        self.judge = judge
        self.built = True

    def call(self, inputs, training=None):
        return self.judge(inputs if len(self.judge.inputs) > 1 else inputs[0], training=training)

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        real, fake = ops.split(y_pred, 2, axis=0)
        return ops.mean(ops.relu(1 - real)) / 2 + ops.mean(ops.relu(1 + fake)) / 2
