"""Losses against reference values, and at the edges."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_segpaint.losses import Dice, SparseCrossentropy

LAST = dict(data_format="channels_last")


@pytest.fixture(scope="module")
def values(fixture_arrays):
    return fixture_arrays("segmentation_losses").arrays


def check(loss, values, key, ignored):
    """The loss equals the reference in both data formats and with both label shapes."""
    labels = values["y_ignore" if ignored else "y"]
    logits = values["logits"]
    for data_format in ("channels_last", "channels_first"):
        loss.data_format = data_format
        y_pred = logits if data_format == "channels_first" else logits.transpose(0, 2, 3, 1)
        for y_true in (labels, labels[..., None].astype("uint8")):
            assert float(loss(y_true, y_pred)) == pytest.approx(float(values[key]), rel=1e-5)


def test_crossentropy_equals_the_reference(values):
    check(SparseCrossentropy(), values, "cross_entropy.mean", ignored=False)
    check(SparseCrossentropy(), values, "cross_entropy.ignore", ignored=True)
    weights = values["class_weight"].tolist()
    check(SparseCrossentropy(class_weights=weights), values, "cross_entropy.weighted_ignore", ignored=True)


def test_dice_equals_the_reference(values):
    check(Dice(), values, "dice.multiclass", ignored=False)
    check(Dice(), values, "dice.multiclass_ignore", ignored=True)
    check(Dice(smooth=1.0), values, "dice.multiclass_smooth1", ignored=False)
    check(Dice(log=True), values, "dice.multiclass_log", ignored=False)
    check(Dice(classes=[0, 2]), values, "dice.multiclass_classes_0_2", ignored=False)


@pytest.mark.parametrize("loss_class", [SparseCrossentropy, Dice])
def test_other_ignore_classes(loss_class, rng):
    logits = rng.normal(size=(2, 3, 4, 5)).astype("float32")
    labels = rng.integers(0, 5, (2, 3, 4))
    labels[0, :2] = 255
    expected = float(loss_class(**LAST)(labels, logits))
    for ignore_class in (-1, 11):
        other = np.where(labels == 255, ignore_class, labels)
        assert float(loss_class(ignore_class=ignore_class, **LAST)(other, logits)) == pytest.approx(expected)
    # A class of the network itself can be the ignored one.
    inside = loss_class(ignore_class=0, **LAST)(labels % 5, logits)
    assert float(inside) == pytest.approx(
        float(loss_class(**LAST)(np.where(labels % 5 == 0, 255, labels % 5), logits)), rel=1e-6
    )


@pytest.mark.parametrize("loss_class", [SparseCrossentropy, Dice])
def test_everything_ignored_is_zero_with_finite_gradients(loss_class):
    model = keras.Sequential([keras.Input((4, 4, 3)), keras.layers.Conv2D(2, 1, data_format="channels_last")])
    before = [ops.convert_to_numpy(weight).copy() for weight in model.weights]
    model.compile(keras.optimizers.SGD(1.0), loss_class(**LAST))
    history = model.fit(
        np.ones((2, 4, 4, 3), "float32"), np.full((2, 4, 4), 255), epochs=1, batch_size=2, verbose=0
    ).history
    assert history["loss"] == [0.0]
    for weight, old in zip(model.weights, before, strict=True):
        np.testing.assert_array_equal(ops.convert_to_numpy(weight), old)


@pytest.mark.parametrize("loss_class", [SparseCrossentropy, Dice])
def test_large_float16_logits(loss_class):
    logits = np.array([[[[6e4, -6e4, 0.0], [-6e4, 6e4, 0.0]]]], "float16")
    right, wrong = np.array([[[0, 1]]]), np.array([[[1, 0]]])
    assert float(loss_class(**LAST)(right, ops.convert_to_tensor(logits))) == pytest.approx(0.0, abs=1e-6)
    loss = float(loss_class(**LAST)(wrong, ops.convert_to_tensor(logits)))
    assert loss == pytest.approx(120_000.0 if loss_class is SparseCrossentropy else 2 / 3, rel=1e-3)


def test_pixel_weights(rng):
    logits = rng.normal(size=(2, 3, 4, 5)).astype("float32")
    labels = rng.integers(0, 5, (2, 3, 4))
    labels[1, 2] = 255
    weights = rng.uniform(0.5, 10.0, (2, 3, 4)).astype("float32")
    counted = np.where(labels == 255, 0, weights)
    softmax = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
    crossentropy = -np.log(np.take_along_axis(softmax, (labels % 255)[..., None], -1)[..., 0])
    expected = (crossentropy * counted).sum() / counted.sum()
    loss = SparseCrossentropy(**LAST)
    assert float(loss(labels, logits, sample_weight=weights)) == pytest.approx(expected, rel=1e-5)
    per_image = loss(labels, logits, sample_weight=np.array([1.0, 0.0], "float32"))
    assert float(per_image) == pytest.approx(float(loss(labels[:1], logits[:1])), rel=1e-5)


def test_dice_pixel_weights(rng):
    """A weight of 0 is a pixel ignored, and a weight of 2 a pixel that is there twice."""
    logits = rng.normal(size=(1, 4, 6, 3)).astype("float32")
    labels = rng.integers(0, 3, (1, 4, 6))
    loss = Dice(smooth=1.0, **LAST)
    weights = np.ones((1, 4, 6), "float32")
    weights[:, 0], weights[:, 1] = 0.0, 2.0
    rows = [1, 1, 2, 3]
    expected = float(loss(labels[:, rows], logits[:, rows]))
    assert float(loss(labels, logits, sample_weight=weights)) == pytest.approx(expected, rel=1e-5)
    assert float(loss(labels[..., None], logits, sample_weight=weights[..., None])) == pytest.approx(expected, rel=1e-5)
    image_weights = np.array([1.0, 0.0], "float32")
    twice = float(loss(np.concatenate([labels, 2 - labels]), np.concatenate([logits, -logits]), image_weights))
    assert twice == pytest.approx(float(loss(labels, logits)), rel=1e-5)


@pytest.mark.parametrize("loss_class", [SparseCrossentropy, Dice])
def test_fit_with_a_weight_map(loss_class, rng):
    """`fit` hands the map over, and the logged loss is the weighted one."""
    model = keras.Sequential([keras.Input((4, 5, 3)), keras.layers.Conv2D(2, 1, data_format="channels_last")])
    x = rng.random((2, 4, 5, 3), dtype="float32")
    y = rng.integers(0, 2, (2, 4, 5))
    weights = rng.uniform(0.5, 10.0, (2, 4, 5)).astype("float32")
    expected = float(loss_class(**LAST)(y, model.predict(x, verbose=0), weights))
    model.compile("sgd", loss_class(**LAST))
    history = model.fit(x, y, sample_weight=weights, batch_size=2, epochs=1, verbose=0).history
    assert history["loss"][0] == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("jit_compile", [False, True])
def test_crossentropy_gradient_under_fit(jit_compile, rng):
    """The gradient of the compiled step is the exact one, weights and ignored pixels included."""
    if jit_compile and keras.backend.backend() == "torch":
        pytest.skip("the PyTorch backend compiles with a C++ toolchain")
    class_weights, logits = np.array([1.0, 5.0, 0.5]), rng.normal(size=(1, 1, 7, 3)).astype("float32")
    labels = rng.integers(0, 3, (1, 1, 7))
    labels[0, 0, 2] = 255
    counts = np.where(labels == 255, 0.0, class_weights[labels % 255])[..., None]
    probability = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
    gradient = (probability - np.eye(3)[labels % 255]) * counts / counts.sum()
    inputs = keras.Input((1, 7, 3))
    model = keras.Model(inputs, inputs + _Trained((1, 7, 3))(inputs))
    model.compile(
        keras.optimizers.SGD(1.0), SparseCrossentropy(class_weights=class_weights, **LAST), jit_compile=jit_compile
    )
    model.fit(logits, labels, epochs=1, verbose=0)
    np.testing.assert_allclose(ops.convert_to_numpy(model.trainable_weights[0]), -gradient[0], atol=1e-6)


class _Trained(keras.layers.Layer):
    """Adds nothing yet; what training makes of it is the negative gradient."""

    def __init__(self, shape):
        super().__init__()
        self.shift = self.add_weight(shape=shape, initializer="zeros", name="shift")

    def call(self, inputs):
        return ops.zeros_like(inputs) + self.shift


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
@pytest.mark.parametrize("policy", ["float32", "mixed_float16", "mixed_bfloat16"])
def test_fit_in_mixed_precision(data_format, policy, rng):
    """Also of a convolution's output in PyTorch's own layout, whose gradient must be contiguous there."""
    if data_format == "channels_first" and keras.backend.backend() == "tensorflow":
        pytest.skip("TensorFlow on a CPU has no channels_first convolution")
    shape = (4, 5, 3) if data_format == "channels_last" else (3, 4, 5)
    layer = keras.layers.Conv2D(2, 1, data_format=data_format, dtype=policy)
    model = keras.Sequential([keras.Input(shape), layer])
    layer.kernel.assign(rng.normal(size=(1, 1, 3, 2)))
    model.compile(keras.optimizers.SGD(0.1), SparseCrossentropy(data_format=data_format))
    x = rng.random((2, *shape), dtype="float32")
    y = rng.integers(0, 2, (2, 4, 5))
    before = ops.convert_to_numpy(layer.kernel).copy()
    history = model.fit(x, y, batch_size=2, epochs=3, verbose=0).history["loss"]
    assert history[2] < history[0]
    change = ops.convert_to_numpy(layer.kernel) - before
    assert np.isfinite(change).all() and np.abs(change).min() > 0


def test_gradient_of_crossentropy(rng):
    """One step of gradient descent on a bias moves it by the mean of truth minus probability."""
    model = keras.Sequential(
        [keras.Input((2, 2, 1)), keras.layers.Conv2D(3, 1, kernel_initializer="zeros", data_format="channels_last")]
    )
    model.compile(keras.optimizers.SGD(1.0), SparseCrossentropy(**LAST))
    labels = np.array([[[0, 1], [255, 1]]])
    model.fit(np.zeros((1, 2, 2, 1), "float32"), labels, epochs=1, verbose=0)
    bias = ops.convert_to_numpy(model.layers[-1].bias)
    np.testing.assert_allclose(bias, [1 / 3 - 1 / 3, 2 / 3 - 1 / 3, 0 - 1 / 3], atol=1e-6)


@pytest.mark.parametrize(
    "loss", [SparseCrossentropy(class_weights=[1.0, 2.0], **LAST), Dice(smooth=0.5, log=True, **LAST)]
)
def test_saved_with_the_model(loss, tmp_path, rng):
    model = keras.Sequential([keras.Input((4, 4, 3)), keras.layers.Conv2D(2, 1, data_format="channels_last")])
    model.compile("sgd", loss)
    x, y = rng.random((2, 4, 4, 3), dtype="float32"), rng.integers(0, 2, (2, 4, 4))
    expected = model.evaluate(x, y, verbose=0)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras", safe_mode=True)
    assert loaded.loss.get_config() == loss.get_config()
    assert loaded.evaluate(x, y, verbose=0) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("loss_class", [SparseCrossentropy, Dice])
def test_shapes_that_do_not_fit(loss_class):
    logits = np.zeros((1, 4, 4, 3), "float32")
    with pytest.raises(ValueError, match="same height and width"):
        loss_class(**LAST)(np.zeros((1, 4, 5), "int32"), logits)
    with pytest.raises(ValueError, match="not one-hot"):
        loss_class(**LAST)(np.zeros((1, 4, 4, 3), "int32"), logits)
    for shape in ((1, 4), (1, 4, 5)):
        with pytest.raises(ValueError, match="`sample_weight`"):
            loss_class(**LAST)(np.zeros((1, 4, 4), "int32"), logits, np.ones(shape, "float32"))


def test_bad_arguments():
    with pytest.raises(ValueError, match="one weight for each of the 3 classes.*Received: 2 weights"):
        SparseCrossentropy(class_weights=[1, 2], **LAST)(np.zeros((1, 4, 4)), np.zeros((1, 4, 4, 3), "float32"))
    with pytest.raises(ValueError, match="`smooth`"):
        Dice(smooth=-1)
    with pytest.raises(ValueError, match="`classes`"):
        Dice(classes=[0, 3], **LAST)(np.zeros((1, 4, 4)), np.zeros((1, 4, 4, 3), "float32"))
    # Keras would divide by all pixels, ignored ones included.
    for loss_class in (SparseCrossentropy, Dice):
        with pytest.raises(TypeError, match="reduction"):
            loss_class(reduction="sum")
