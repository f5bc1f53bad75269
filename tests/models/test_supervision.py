"""Training heads: one label map for all of them, and a network without them in the end."""

import keras
import numpy as np
import pytest
from keras import layers, ops

from keras_segpaint import export, inference
from keras_segpaint.losses import SparseCrossentropy
from keras_segpaint.metrics import MeanIoU
from keras_segpaint.models.segmentation.base import SegmentationModel

CLASSES = 3


@keras.saving.register_keras_serializable(package="keras_segpaint_tests")
class TwoHeads(SegmentationModel):
    """Logits, and a training head at half the size."""

    def __init__(self, num_classes, *, supervised=False, size=(8, 10), data_format="channels_last", name="two_heads"):
        image = keras.Input((*size, 3), name="image")
        x = layers.Conv2D(4, 3, padding="same", name="trunk")(image)
        logits = layers.Conv2D(num_classes, 1, name="classifier")(x)
        arguments = dict(num_classes=num_classes, supervised=supervised, size=size, data_format=data_format)
        outputs = logits
        if supervised:
            small = layers.AveragePooling2D(2, name="pool")(x)
            outputs = {"logits": logits, "auxiliary": layers.Conv2D(num_classes, 1, name="auxiliary")(small)}
        super().__init__(
            image, outputs, arguments=arguments, name=name, supervision={"auxiliary": 0.4} if supervised else None
        )


@pytest.fixture(scope="module")
def batch():
    rng = np.random.default_rng(3)
    labels = rng.integers(0, CLASSES, (2, 8, 10)).astype("int32")
    labels[:, :2] = 255
    return rng.random((2, 8, 10, 3), dtype="float32"), labels


def cross_entropy(logits, labels):
    """The mean over the pixels that count, in NumPy."""
    shifted = logits - logits.max(-1, keepdims=True)
    log = shifted - np.log(np.exp(shifted).sum(-1, keepdims=True))
    valid = labels != 255
    return -np.take_along_axis(log, np.where(valid, labels, 0)[..., None], -1)[..., 0][valid].mean()


@pytest.mark.parametrize("size", [(8, 10), (None, None)])
def test_the_loss_is_that_of_the_logits_plus_the_weighted_heads(batch, size):
    images, labels = batch
    model = TwoHeads(CLASSES, supervised=True, size=size)
    model.compile("sgd", SparseCrossentropy(255), metrics=[MeanIoU(CLASSES, 255, name="mean_iou")], jit_compile=False)
    outputs = {name: ops.convert_to_numpy(value) for name, value in model(images).items()}
    main = cross_entropy(outputs["logits"], labels)
    # The pixel at the centre of each block of two by two.
    auxiliary = cross_entropy(outputs["auxiliary"], labels[:, 1::2, 1::2])
    logs = model.train_on_batch(images, labels, return_dict=True)
    np.testing.assert_allclose(float(logs["loss"]), main + 0.4 * auxiliary, rtol=1e-5)
    model = TwoHeads(CLASSES, supervised=True, size=size)
    model.compile("sgd", SparseCrossentropy(255), metrics=[MeanIoU(CLASSES, 255, name="mean_iou")], jit_compile=False)
    logits = ops.convert_to_numpy(model(images)["logits"])
    logs = model.test_on_batch(images, labels, return_dict=True)
    np.testing.assert_allclose(float(logs["loss"]), cross_entropy(logits, labels), rtol=1e-5)
    valid, predicted = labels != 255, logits.argmax(-1)
    expected = [
        (valid & (labels == c) & (predicted == c)).sum() / (valid & ((labels == c) | (predicted == c))).sum()
        for c in range(CLASSES)
    ]
    np.testing.assert_allclose(float(logs["mean_iou"]), np.mean(expected), rtol=1e-5)


def test_fit_trains_the_heads_and_the_predictor_leaves_them_behind(batch, tmp_path):
    images, labels = batch
    model = TwoHeads(CLASSES, supervised=True)
    model.compile(keras.optimizers.SGD(0.1), SparseCrossentropy(255), jit_compile=False)
    before = [ops.convert_to_numpy(weight).copy() for weight in model.trainable_weights]
    model.fit(images, labels, batch_size=2, epochs=1, verbose=0)
    for weight, old in zip(model.trainable_weights, before, strict=True):
        assert np.abs(ops.convert_to_numpy(weight) - old).max() > 0, weight.path
    predictor = model.predictor()
    assert "auxiliary" not in [layer.name for layer in predictor.layers]
    np.testing.assert_array_equal(
        ops.convert_to_numpy(predictor(images)), ops.convert_to_numpy(model(images)["logits"])
    )
    assert predictor.predictor() is predictor
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    assert again.supervision == {"auxiliary": 0.4}
    image = (images[0] * 255).astype("uint8")
    found, expected = (inference.Segmenter(network)(image).classes for network in (again, predictor))
    np.testing.assert_array_equal(found, expected)


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="one backend exports in this process")
def test_export_takes_the_predictor(batch, tmp_path):
    report = export.to_litert(TwoHeads(CLASSES, supervised=True), tmp_path / "model.tflite", images=batch[0])
    assert report.max_difference < 1e-4
    assert export.LiteRTModel(report.path)(batch[0][:1]).shape == (1, 8, 10, CLASSES)
