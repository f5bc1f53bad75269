"""Labels for logits that are smaller than the image."""

import numpy as np

from keras_segpaint.data import Pipeline
from keras_segpaint.models.segmentation.enet import ENet
from keras_segpaint.training.labels import FittedLabels, fit_labels


def test_encoder_labels_have_the_size_of_its_logits(blobs):
    encoder = ENet(3, stage="encoder", data_format="channels_last")
    for size in [(32, 32), (33, 45), (7, 90)]:
        pipeline = Pipeline(blobs(2), batch_size=2, size=size, data_format="channels_last")
        images, labels = FittedLabels(pipeline, stride=8)[0]
        assert labels.shape == tuple(encoder.compute_output_shape(images.shape))[:3]
        np.testing.assert_array_equal(images, pipeline[0][0])
        assert set(np.unique(labels)) <= {0, 1, 2, 255}


def test_the_nearest_label_is_the_one_under_the_centre():
    labels = np.arange(24 * 16).reshape(1, 24, 16)
    np.testing.assert_array_equal(fit_labels(labels, (3, 2), crop=False), labels[:, 4::8, 4::8])


def test_a_crop_takes_the_centre():
    labels = np.arange(10 * 8).reshape(1, 10, 8)
    np.testing.assert_array_equal(fit_labels(labels, (4, 2), crop=True), labels[:, 3:7, 3:5])
