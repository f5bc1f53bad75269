"""Convolution of label maps: the convolution of their planes, and its gradient."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_segpaint.layers import LabelMapEncoding
from keras_segpaint.ops.label_convolution import convolve_labels, label_indices

LABELS = np.array([[[0, 1, 255, 2, -1], [1, 1, 7, 2, 0], [2, 255, 255, 0, 3]]])


@pytest.mark.parametrize("ignore_class", [255, 7, None])
def test_indices_are_those_of_the_planes(ignore_class):
    encoding = LabelMapEncoding(3, ignore_class, data_format="channels_last")
    planes = ops.convert_to_numpy(encoding(LABELS))
    indices = ops.convert_to_numpy(label_indices(LABELS.astype("float32"), 3, ignore_class))
    assert indices.dtype == np.int32
    expected = np.where(planes.any(-1), planes.argmax(-1), planes.shape[-1])
    np.testing.assert_array_equal(indices, expected)


class Convolution(keras.layers.Layer):
    """`convolve_labels` with a kernel that learns."""

    def __init__(self, kernel, **kwargs):
        super().__init__(**kwargs)
        self.kernel = self.add_weight(shape=kernel.shape, initializer="zeros", name="kernel")
        self.kernel.assign(kernel)

    def call(self, labels):
        return convolve_labels(label_indices(labels, 3, 255), ops.convert_to_tensor(self.kernel))


@pytest.mark.parametrize("size", [1, 3, 5])
def test_outputs_and_gradient_are_those_of_a_convolution_of_planes(size, rng):
    kernel = rng.standard_normal((size, size, 4, 6)).astype("float32")
    target = rng.standard_normal((1, 3, 5, 6)).astype("float32")
    labels = keras.Input((3, 5), dtype="int32")
    encoding = LabelMapEncoding(3, data_format="channels_last")
    conv = keras.layers.Conv2D(6, size, padding="same", use_bias=False, data_format="channels_last")
    networks = [keras.Model(labels, Convolution(kernel)(labels)), keras.Model(labels, conv(encoding(labels)))]
    networks[1].set_weights([kernel])
    outputs = [network.predict_on_batch(LABELS) for network in networks]
    np.testing.assert_allclose(*outputs, atol=1e-5)
    for network in networks:
        network.compile(keras.optimizers.SGD(10.0), "mse", run_eagerly=keras.backend.backend() == "tensorflow")
        network.fit(LABELS, target, epochs=2, verbose=0)
    kernels = [network.get_weights()[0] for network in networks]
    assert np.abs(kernels[1] - kernel).max() > 0.1
    np.testing.assert_allclose(*kernels, rtol=1e-4, atol=1e-4)


def test_size_that_is_not_known(rng):
    kernel = rng.standard_normal((3, 3, 4, 2)).astype("float32")
    labels = keras.Input((None, None), dtype="int32")
    network = keras.Model(labels, Convolution(kernel)(labels))
    assert network.output_shape == (None, None, None, 2)
    for size in ((3, 5), (2, 2)):
        part = LABELS[:, : size[0], : size[1]]
        expected = convolve_labels(label_indices(part, 3, 255), ops.convert_to_tensor(kernel))
        np.testing.assert_allclose(network.predict_on_batch(part), ops.convert_to_numpy(expected), atol=1e-6)
