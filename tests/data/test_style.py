"""Pairs of contents and styles: reproducible, of the right scale, whatever cannot be read."""

import numpy as np
import pytest
from PIL import Image

from keras_segpaint.data import StyleDataset


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """Six contents and five styles, each of one colour: red the number, blue 0 for contents and 255 for styles."""
    root = tmp_path_factory.mktemp("style")
    for kind, count, blue in (("contents", 6, 0), ("styles", 5, 255)):
        (root / kind).mkdir()
        for number in range(count):
            colour = (10 * number, 7, blue)
            Image.new("RGB", (50 + number, 40), colour).save(root / kind / f"{number}.png")
    return root


def dataset(folders, **kwargs):
    settings = dict(batch_size=4, size=(16, 16), resize=32, data_format="channels_last", workers=0)
    return StyleDataset(folders / "contents", folders / "styles", **{**settings, **kwargs})


def numbers(batch):
    ((contents, styles),) = batch
    return [[round(float(image[0, 0, 0]) * 25.5) for image in images] for images in (contents, styles)]


def test_pairs(folders):
    batches = dataset(folders)
    assert len(batches) == 2
    ((contents, styles),) = batches[0]
    assert contents.shape == styles.shape == (4, 16, 16, 3)
    assert contents.dtype == styles.dtype == np.float32
    assert contents[..., 2].max() == 0 and styles[..., 2].min() == pytest.approx(1)
    drawn = [numbers(batches[index]) for index in range(2)]
    assert sorted(drawn[0][0] + drawn[1][0]) == list(range(6))
    assert len(set(drawn[0][1] + drawn[1][1])) > 1


def test_workers_and_epochs(folders):
    batches, threaded = dataset(folders), dataset(folders, workers=2)
    first = [numbers(batches[index]) for index in range(2)]
    assert [numbers(threaded[index]) for index in range(2)] == first
    batches.epoch = 1
    assert [numbers(batches[index]) for index in range(2)] != first
    fixed = dataset(folders, fixed=True)
    before = [np.concatenate(fixed[index][0]) for index in range(2)]
    fixed.epoch = 3
    for index in range(2):
        np.testing.assert_array_equal(np.concatenate(fixed[index][0]), before[index])


def test_channels_first(folders):
    ((contents, styles),) = dataset(folders, data_format="channels_first")[1]
    assert contents.shape == styles.shape == (2, 3, 16, 16)
    assert styles[:, 2].min() == pytest.approx(1)


def test_smaller_side_before_the_cut(tmp_path):
    """A sample of 16 pixels of an image whose smaller side, 64, would be 32: half of it in each direction."""
    ramp = np.tile(np.arange(64, dtype=np.uint8)[:, None, None] * 4, (1, 90, 3))
    Image.fromarray(ramp).save(tmp_path / "ramp.png")
    ((content, style),) = StyleDataset(
        tmp_path, tmp_path, batch_size=1, size=(16, 16), resize=32, data_format="channels_last", workers=0
    )[0]
    for image in (content[0], style[0]):
        rows = image[:, 0, 0] * 255 / 4
        np.testing.assert_allclose(np.diff(rows), 2.0, atol=0.3)
    assert not np.array_equal(content, style)


def test_unreadable_files_are_counted(folders, tmp_path):
    for kind in ("contents", "styles"):
        (tmp_path / kind).mkdir()
        (tmp_path / kind / "broken.png").write_bytes(b"no picture")
        for file in sorted((folders / kind).iterdir())[:2]:
            (tmp_path / kind / file.name).write_bytes(file.read_bytes())
    batches = dataset(tmp_path, batch_size=3)
    with pytest.warns(UserWarning, match="Skipped an unreadable example"):
        for epoch in range(6):
            batches.epoch = epoch
            assert batches[0][0][0].shape == (3, 16, 16, 3)
    assert sorted(batches.skipped) == [str(tmp_path / kind / "broken.png") for kind in ("contents", "styles")]


def test_errors(folders):
    with pytest.raises(ValueError, match="`resize` must be at least the larger side of `size`, 16. Received: resize=8"):
        dataset(folders, resize=8)
    with pytest.raises(FileNotFoundError):
        StyleDataset(folders / "contents", folders / "nothing", batch_size=1)
