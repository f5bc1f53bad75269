"""Networks that make images from label maps and compile in a moment, and the steps of each written by hand."""

import keras
import numpy as np
from keras import layers, ops

from tests.training.adversaries import filled

SIZE = (16, 24)
LABELS = 3
CODES = 2
LAST = dict(data_format="channels_last")


def generator(codes=False, dtype="float32"):
    labels = keras.Input(SIZE, dtype="int32")
    x = layers.Embedding(LABELS, 4, dtype=dtype)(labels)
    inputs = labels
    if codes:
        code = keras.Input((CODES,))
        inputs = [labels, code]
        x = x + layers.Reshape((1, 1, 4))(layers.Dense(4, dtype=dtype)(code))
    x = layers.LeakyReLU(dtype=dtype)(layers.Conv2D(4, 3, padding="same", dtype=dtype, **LAST)(x))
    x = layers.Conv2D(3, 3, padding="same", dtype=dtype, **LAST)(x)
    model = filled(keras.Model(inputs, layers.Activation("tanh", dtype="float32")(x)))
    model.data_format, model.dtype_policy = "channels_last", keras.dtype_policies.get(dtype)
    return model


def encoder(dtype="float32"):
    image = keras.Input((*SIZE, 3))
    x = layers.Conv2D(4, 5, strides=4, activation="leaky_relu", dtype=dtype, **LAST)(image)
    x = layers.GlobalAveragePooling2D(dtype=dtype, **LAST)(x)
    codes = {name: layers.Dense(CODES, dtype=dtype)(x) for name in ("mean", "log_variance")}
    return filled(keras.Model(image, codes))


def critic(dtype="float32"):
    """Two scales, of a hidden layer and scores each."""
    labels, image = keras.Input(SIZE, dtype="int32"), keras.Input((*SIZE, 3))
    seen = layers.Concatenate(dtype=dtype)([layers.Embedding(LABELS, 2, dtype=dtype)(labels), image])
    outputs = []
    for scale in range(2):
        hidden = layers.Conv2D(4, 4, strides=2, activation="leaky_relu", dtype=dtype, **LAST)(seen)
        # Of one filter, PyTorch on a CPU has no gradient in half precision.
        outputs.append([hidden, layers.Conv2D(2, 3, dtype=dtype, **LAST)(hidden)])
        seen = layers.AveragePooling2D(2, dtype=dtype, **LAST)(seen) if scale == 0 else seen
    return filled(keras.Model([image, labels], outputs))


def batch():
    """Labels, and images whose colours follow from them."""
    rng = np.random.default_rng(0)
    labels = np.kron(rng.integers(0, LABELS, (2, 4, 6)), np.ones((1, 4, 4), "int32")).astype("int32")
    colours = np.array([[-0.8, 0.1, 0.5], [0.6, -0.3, -0.7], [0.2, 0.9, 0.0]], "float32")
    return labels, colours[labels]


class MakerStep(keras.Model):
    """The generator's and the encoder's part written by hand: the critic is frozen by `trainable`."""

    def __init__(self, made, judge, coder=None, noise=None, weights=(1.0, 10.0, 10.0, 0.05), loss=None):
        super().__init__()
        self.made, self.judge, self.coder, self.noise = made, judge, coder, noise
        self.factors, self.distance = weights, loss
        judge.trainable = False
        self.built = True

    def call(self, inputs, training=None):
        if self.coder is None:
            return self.made(inputs, training=training)
        labels, images = inputs
        style = self.coder(images, training=training)
        mean, log_variance = style["mean"], style["log_variance"]
        codes = mean + ops.convert_to_tensor(self.noise) * ops.exp(log_variance / 2)
        return [self.made([labels, codes], training=training), mean, log_variance]

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        labels, image = (x, y_pred) if self.coder is None else (x[0], y_pred[0])
        adversarial, matching, reconstruction, divergence = self.factors
        real, fake = (self.judge([images, labels], training=False) for images in (y, image))
        total = -adversarial * sum(ops.mean(maps[-1]) for maps in fake) / 2
        total += matching * sum(ops.mean(ops.abs(a[0] - b[0])) for a, b in zip(real, fake, strict=True)) / 2
        total += reconstruction * ops.mean(ops.abs(y - image))
        if self.coder is not None:
            mean, log_variance = y_pred[1:]
            total += divergence * 0.5 * ops.sum(mean**2 + ops.exp(log_variance) - 1 - log_variance)
        return total


class JudgeStep(keras.Model):
    """The critic's part written by hand, on real images and on given ones of a generator outside of the graph."""

    def __init__(self, judge):
        super().__init__()
        self.judge = judge
        self.built = True

    def call(self, inputs, training=None):
        labels, real, fake = inputs
        both = [ops.concatenate([real, fake]), ops.concatenate([labels, labels])]
        return [maps[-1] for maps in self.judge(both, training=training)]

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        total = 0.0
        for scores in y_pred:
            real, fake = ops.split(scores, 2, axis=0)
            total += (ops.mean(ops.relu(1 - real)) + ops.mean(ops.relu(1 + fake))) / 2
        return total
