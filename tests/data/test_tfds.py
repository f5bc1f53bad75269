import warnings

import numpy as np
import pytest

from keras_segpaint import data
from keras_segpaint.data.tfds import CITYSCAPES_IDS, FIELDS, known_field

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    tfds = pytest.importorskip("tensorflow_datasets", reason="tensorflow-datasets is not installed")

pytestmark = pytest.mark.filterwarnings("ignore")


def masks_of(index, low, high):
    return np.random.default_rng(index).integers(low, high, (8, 10, 1), dtype=np.uint8)


class TinyPets(tfds.core.GeneratorBasedBuilder):
    VERSION = tfds.core.Version("1.0.0")
    low, high = 0, 4
    image_key, mask_key = "image", "segmentation_mask"

    def _info(self):
        return self.dataset_info_from_configs(
            features=tfds.features.FeaturesDict(
                {
                    self.image_key: tfds.features.Image(shape=(None, None, 3)),
                    self.mask_key: tfds.features.Image(shape=(None, None, 1), encoding_format="png"),
                }
            )
        )

    def _split_generators(self, dl_manager):
        return {"train": self._generate_examples(5), "test": self._generate_examples(3)}

    def _generate_examples(self, count):
        for index in range(count):
            mask = masks_of(index, self.low, self.high)
            yield index, {self.image_key: np.repeat(mask * 20, 3, axis=-1), self.mask_key: mask}


class OxfordIiitPet(TinyPets):
    """Has the name, the fields and the label range of the real one."""

    name = "oxford_iiit_pet"
    low, high = 1, 4


class NoMask(TinyPets):
    mask_key = "other"


def build(cls, folder):
    return cls(data_dir=str(folder), file_format="array_record")


def test_any_builder_with_a_mask(tmp_path):
    dataset = data.TFDSDataset(build(TinyPets, tmp_path), "train")
    assert len(dataset) == 5 and dataset.num_classes == 4
    dataset.validate()
    for example in dataset:
        np.testing.assert_array_equal(example.image[..., 0], example.mask * 20)
    assert len(data.TFDSDataset(build(TinyPets, tmp_path), "val", num_classes=4)) == 3
    images, masks = data.Pipeline(dataset, batch_size=5)[0]
    assert images.shape == (5, 8, 10, 3) and masks.max() == 3


def test_known_labels_start_at_0(tmp_path):
    dataset = data.TFDSDataset(build(OxfordIiitPet, tmp_path), "test")
    assert dataset.class_names == ("pet", "background", "outline")
    assert sorted(np.unique([example.mask for example in dataset]).tolist()) == [0, 1, 2]
    for example in dataset:
        np.testing.assert_array_equal(example.image[..., 0], (example.mask + 1) * 20)
    dataset.validate()


def test_what_is_known_about_the_real_ones():
    assert known_field("scene_parse150") is FIELDS["ade20k"]
    cityscapes = FIELDS["cityscapes"]
    assert len(cityscapes.class_names) == len(CITYSCAPES_IDS) == 19
    assert cityscapes.labels[7] == 0 and cityscapes.labels[33] == 18 and cityscapes.labels[0] == -1
    assert FIELDS["ade20k"].labels[0] == -1 and FIELDS["ade20k"].labels[150] == 149


def test_clear_errors(tmp_path):
    with pytest.raises(data.DataError, match="no image with a segmentation mask.*other"):
        data.TFDSDataset(build(NoMask, tmp_path))
    with pytest.raises(data.DataError, match="no split 'dev'. Available: train, test, all"):
        data.TFDSDataset(build(TinyPets, tmp_path), "dev")
    with pytest.raises(data.DataError, match="no data set 'no_such_set'.*oxford_iiit_pet"):
        data.load_dataset("tfds:no_such_set")
