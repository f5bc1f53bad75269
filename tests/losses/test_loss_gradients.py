"""Losses and their gradients against slow ones in NumPy that are written down differently."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_segpaint.losses import MCC, Dice, Focal, Jaccard, LovaszSoftmax, OHEMCrossentropy
from keras_segpaint.ops.gradients import input_gradient

LAST = dict(data_format="channels_last")


def softmax(logits):
    shifted = np.exp(logits - logits.max(-1, keepdims=True))
    return shifted / shifted.sum(-1, keepdims=True)


def jaccard_loss_of(wrong, truth):
    """One minus the IoU of `truth` and what is predicted if exactly the pixels `wrong` are."""
    predicted = truth ^ wrong
    union = (truth | predicted).sum()
    return 1 - (truth & predicted).sum() / union if union else 0.0


def lovasz(labels, logits, per_image=False, present_only=True):
    """The definition: errors in falling order, times what the set of wrong pixels costs more with each."""
    if per_image:
        parts = [lovasz(*pair, present_only=present_only) for pair in zip(labels, logits, strict=True)]
        return float(np.mean(parts))
    counted = labels != 255
    labels, logits = labels[counted], logits[counted]
    losses = []
    for index in range(max(logits.shape[-1], 2)):
        if logits.shape[-1] == 1:
            if index == 0:
                continue
            truth = labels == 1
            errors = np.maximum(1 - logits[:, 0] * np.where(truth, 1, -1), 0)
        else:
            truth = labels == index
            errors = np.abs(truth - softmax(logits)[:, index])
        if present_only and logits.shape[-1] > 1 and not truth.any():
            continue
        order = np.argsort(-errors)
        sets = [np.isin(np.arange(truth.size), order[:number]) for number in range(truth.size + 1)]
        costs = [jaccard_loss_of(wrong, truth) for wrong in sets]
        losses.append((errors[order] * np.diff(costs)).sum())
    return float(np.mean(losses))


def ohem(labels, logits, threshold, min_kept):
    counted = labels != 255
    labels, logits = labels[counted], logits[counted]
    if logits.shape[-1] == 1:
        logits = np.concatenate([np.zeros_like(logits), logits], -1)
    probability = np.sort(softmax(logits)[np.arange(labels.size), labels])
    hard = max((probability <= threshold).sum(), min(min_kept, labels.size))
    return float(-np.log(probability[:hard]).mean())


def focal(labels, logits, gamma):
    counted = labels != 255
    probability = softmax(logits[counted])[np.arange(counted.sum()), labels[counted]]
    return float(-((1 - probability) ** gamma * np.log(probability)).mean())


def soft_tables(labels, logits):
    counted = labels != 255
    truth = np.eye(logits.shape[-1])[labels[counted]]
    return truth.T @ softmax(logits[counted])


def region(labels, logits, jaccard):
    table = soft_tables(labels, logits)
    intersection, both = np.diag(table), table.sum(0) + table.sum(1)
    score = intersection / (both - intersection) if jaccard else 2 * intersection / both
    return float(np.where(table.sum(1) > 0, 1 - score, 0).mean())


def correlation(labels, logits):
    """The correlation of the one-hot vectors of both, as Gorodkin defines it."""
    counted = labels != 255
    truth, given = np.eye(logits.shape[-1])[labels[counted]], softmax(logits[counted])
    truth_part, given_part = truth - truth.mean(0), given - given.mean(0)
    # Of the expected table: the prediction's own variance is that of its class shares.
    variance = 1 - (given.mean(0) ** 2).sum()
    return float(
        1 - (truth_part * given_part).sum() / len(truth) / np.sqrt((truth_part**2).sum() / len(truth) * variance)
    )


CASES = {
    "lovasz": (LovaszSoftmax(**LAST), lovasz, 3),
    "lovasz_hinge": (LovaszSoftmax(**LAST), lovasz, 1),
    "lovasz_per_image": (LovaszSoftmax(True, **LAST), lambda y, x: lovasz(y, x, True), 3),
    "lovasz_all": (LovaszSoftmax(True, "all", **LAST), lambda y, x: lovasz(y, x, True, False), 4),
    "ohem": (OHEMCrossentropy(0.3, 2, **LAST), lambda y, x: ohem(y, x, 0.3, 2), 3),
    "ohem_min_kept": (OHEMCrossentropy(0.01, 6, **LAST), lambda y, x: ohem(y, x, 0.01, 6), 3),
    "ohem_all_kept": (OHEMCrossentropy(0.01, 1000, **LAST), lambda y, x: ohem(y, x, 0.01, 1000), 3),
    "ohem_one_logit": (OHEMCrossentropy(0.5, 4, **LAST), lambda y, x: ohem(y, x, 0.5, 4), 1),
    "focal": (Focal(1.5, **LAST), lambda y, x: focal(y, x, 1.5), 3),
    "dice": (Dice(**LAST), lambda y, x: region(y, x, False), 4),
    "jaccard": (Jaccard(**LAST), lambda y, x: region(y, x, True), 4),
    "mcc": (MCC(**LAST), correlation, 3),
}


@pytest.fixture(scope="module")
def batch():
    rng = np.random.default_rng(3)

    def draw(channels):
        # Class 3 never occurs, and no two errors are as near as the step of the differences.
        labels = rng.integers(0, min(max(channels, 2), 3), (2, 3, 4))
        labels[0, 0, :2], labels[1, 2, 3] = 255, 255
        return labels, rng.normal(size=(2, 3, 4, channels)) * 1.5

    return draw


@pytest.mark.parametrize("name", CASES)
def test_value_and_gradient(name, batch):
    loss, slow, channels = CASES[name]
    labels, logits = batch(channels)
    tensor = ops.convert_to_tensor(logits.astype("float32"))
    assert float(loss(labels, tensor)) == pytest.approx(slow(labels, logits), rel=1e-5)
    gradient = ops.convert_to_numpy(input_gradient(lambda x: loss(labels, x), tensor))
    step, expected = 1e-6, np.zeros_like(logits)
    for index in np.ndindex(logits.shape):
        shift = np.zeros_like(logits)
        shift[index] = step
        expected[index] = (slow(labels, logits + shift) - slow(labels, logits - shift)) / (2 * step)
    assert np.abs(expected).max() > 1e-3
    np.testing.assert_allclose(gradient, expected, atol=1e-5)


@pytest.mark.parametrize("name", ["lovasz", "lovasz_per_image", "ohem", "dice", "jaccard", "focal"])
@pytest.mark.parametrize("jit_compile", [False, True])
def test_gradient_of_a_training_step(name, jit_compile, batch):
    """The same gradients in a step of `fit`, where TensorFlow and JAX compile."""
    if jit_compile and keras.backend.backend() == "torch":
        pytest.skip("the PyTorch backend compiles with a C++ toolchain")
    loss, _, channels = CASES[name]
    labels, logits = batch(channels)
    logits = logits.astype("float32")
    expected = input_gradient(lambda x: loss(labels, x), ops.convert_to_tensor(logits))
    inputs = keras.Input((3, 4, channels), batch_size=2)
    model = keras.Model(inputs, _Trained(logits.shape)(inputs))
    model.compile(keras.optimizers.SGD(1.0), loss, jit_compile=jit_compile)
    model.fit(logits, labels, batch_size=2, epochs=1, shuffle=False, verbose=0)
    change = -ops.convert_to_numpy(model.trainable_weights[0])
    np.testing.assert_allclose(change, ops.convert_to_numpy(expected), atol=1e-6)


class _Trained(keras.layers.Layer):
    """Adds nothing yet; what training makes of it is the negative gradient."""

    def __init__(self, shape):
        super().__init__()
        self.shift = self.add_weight(shape=shape, initializer="zeros", name="shift")

    def call(self, inputs):
        return inputs + self.shift
