"""Filled holes scored beside classical methods."""

import keras
import numpy as np
import pytest

from keras_segpaint import inference
from keras_segpaint.data import Example, RectangleMask, SegmentationDataset
from keras_segpaint.metrics import L1, PSNR, SSIM, FillScoring


class Even(SegmentationDataset):
    """Photographs of one colour."""

    def __len__(self):
        return 3

    def _load(self, index):
        image = np.full((40, 48, 3), 60 + 40 * index, np.uint8)
        return Example(image, image[..., 0], f"even {index}")


@pytest.fixture(scope="module")
def grey():
    """Fills with middle grey."""
    image, mask = keras.Input((None, None, 3)), keras.Input((None, None, 1))
    return keras.Model([image, mask], keras.layers.Rescaling(0.0)(image + mask))


def test_known_numbers_in_every_bucket(grey):
    calls = []
    results = inference.evaluate_inpainting(
        grey,
        Even("even", ["photograph"]),
        size=(32, 32),
        baselines=["telea"],
        masks_per_bucket=2,
        progress=lambda done, total: calls.append((done, total)),
    )
    assert list(results) == ["model", "telea"]
    assert calls[-1] == (72, 72)
    # Middle grey is off by |60 + 40 i - 127.5| / 255, whatever the hole.
    expected = np.mean([67.5, 27.5, 12.5]) / 255
    for name, result in results.items():
        assert len(result.by_hole_ratio) == 6 and result.scores.images == 36
        for (low, high), scores in result.by_hole_ratio.items():
            assert scores.images == 6
            if name == "model":
                assert scores.hole_l1 == pytest.approx(expected, rel=1e-4)
                assert low * expected * 0.9 < scores.l1 < high * expected * 1.6
            else:
                # Even colours are filled exactly but for eight bits.
                assert scores.hole_l1 < 0.01 and scores.ssim > 0.99
    assert results["model"].scores.hole_l1 == pytest.approx(expected, rel=1e-4)


def test_one_seed_one_result(grey):
    def scores(seed):
        return inference.evaluate_inpainting(
            grey, Even("even", ["photograph"]).subset([0]), size=(24, 24), baselines=(), seed=seed
        )["model"]

    assert scores(1) == scores(1)
    assert scores(1).scores.l1 != scores(2).scores.l1


def test_scoring_is_the_metrics(rng):
    truth, filled = rng.random((2, 2, 16, 16, 3)).astype("float32")
    masks = np.zeros((2, 16, 16, 1), "float32")
    masks[0, 4:12, 4:12] = masks[1, 6:9, 6:9] = 1
    scoring = FillScoring((0, 1), "channels_last")
    scoring.update(truth, filled, masks)
    scores = scoring.scores()
    for prefix, region in (("", "image"), ("hole_", "hole")):
        for name, cls in (("l1", L1), ("psnr", PSNR), ("ssim", SSIM)):
            metric = cls(region, value_range=(0, 1), data_format="channels_last")
            metric.update_state(truth, filled, masks)
            assert getattr(scores, f"{prefix}{name}") == pytest.approx(float(metric.result()), rel=1e-5)
    assert {ratio: part.images for ratio, part in scoring.by_hole_ratio().items()} == {(0.01, 0.1): 1, (0.2, 0.3): 1}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"masks_per_bucket": 0}, "`masks_per_bucket`"),
        ({"size": (8, 32)}, "at least 11"),
        ({"baselines": ["patchmatch"]}, "`method` must be one of"),
        ({"masks": RectangleMask((0.9, 0.9), (0.9, 0.9))}, "share of holes"),
    ],
)
def test_mistakes(grey, arguments, message):
    with pytest.raises(ValueError, match=message):
        inference.evaluate_inpainting(
            grey, Even("even", ["photograph"]), **{"baselines": (), "size": (32, 32), **arguments}
        )
