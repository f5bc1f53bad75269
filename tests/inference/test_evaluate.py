"""Evaluation of whole data sets."""

import numpy as np
import pytest

from keras_segpaint.data import Example, SegmentationDataset
from keras_segpaint.inference import Segmenter, evaluate
from tests.inference.networks import brightness_model


@pytest.fixture
def image() -> np.ndarray:
    """Dark left, bright right."""
    image = np.full((10, 14, 3), 20, np.uint8)
    image[:, 7:] = 220
    return image


@pytest.fixture
def truth() -> np.ndarray:
    return np.repeat([[0] * 7 + [1] * 7], 10, axis=0)


class Pairs(SegmentationDataset):
    def __init__(self, examples, names=("dark", "bright")):
        super().__init__("pairs", names)
        self.examples = examples

    def __len__(self):
        return len(self.examples)

    def _load(self, index):
        return Example(*self.examples[index], f"pair {index}")


def test_evaluation_counts_at_full_size(image, truth):
    mask = truth.astype(np.uint8)
    mask[0] = 255
    mask[1, 0] = 1
    done = []
    data = Pairs([(image, mask), (image[:4, :6], truth[:4, :6])])
    matrix = evaluate(brightness_model(), data, progress=lambda *args: done.append(args))
    assert matrix.tolist() == [[62 + 24, 0], [1, 63]]
    assert done == [(1, 2), (2, 2)]
    assert evaluate(Segmenter(brightness_model(), tile=(4, 4)), data).tolist() == matrix.tolist()


def test_evaluation_with_another_number_of_classes_is_refused(image, truth):
    with pytest.raises(ValueError, match="2 classes and the data set pairs has 3"):
        evaluate(brightness_model(), Pairs([(image, truth)], ("a", "b", "c")))
