"""`segpaint convert`, `segpaint info`, and `segpaint evaluate` of published weights."""

import json

import numpy as np
import pytest
from PIL import Image

ENET = "davidtvs/enet"


@pytest.fixture(scope="module")
def checkpoint(shared):
    return shared / "fixtures" / "enet.weights.safetensors"


@pytest.fixture
def camvid(tmp_path):
    """Two test images in CamVid's layout."""
    rng = np.random.default_rng(0)
    for folder in ("test", "testannot", "train", "trainannot"):
        (tmp_path / "CamVid" / folder).mkdir(parents=True)
    for part in ("test", "train"):
        for name in ("a", "b"):
            image, labels = rng.integers(0, 256, (24, 32, 3), np.uint8), rng.integers(0, 12, (24, 32), np.uint8)
            Image.fromarray(image).save(tmp_path / "CamVid" / part / f"{name}.png")
            Image.fromarray(labels).save(tmp_path / "CamVid" / f"{part}annot" / f"{name}.png")
    return tmp_path / "CamVid"


def test_convert_and_info(segpaint, checkpoint, tmp_path):
    target = tmp_path / "enet.keras"
    result = segpaint("convert", checkpoint, target, "--source", ENET)
    assert result.exit_code == 0, result.output
    told = segpaint("info", target)
    assert told.exit_code == 0, told.output
    for line in (
        "model               ENet",
        "parameters          350,652",
        "licence             MIT",
        "pole, road, pavement",
    ):
        assert line in told.stdout
    assert "52.1 % mean IoU" in told.stdout and "52.1 % mean IoU" in result.stdout


def test_published_weights_are_judged_as_their_authors_do(segpaint, checkpoint, camvid, tmp_path):
    import keras

    from keras_segpaint import convert

    scores = tmp_path / "scores.json"
    result = segpaint(
        "evaluate", "--source", ENET, "--weights", checkpoint, "--data", camvid, "--split", "test", "--json", scores
    )
    assert result.exit_code == 0, result.output
    model = convert.build(checkpoint, ENET, data_format="channels_last")
    union, common, right, pixels = np.zeros(11), np.zeros(11), 0, 0
    for name in ("a", "b"):
        image = np.asarray(Image.open(camvid / "test" / f"{name}.png"), "float32")[None] / 255
        labels = np.asarray(Image.open(camvid / "testannot" / f"{name}.png"))
        predicted = keras.ops.convert_to_numpy(model(image, training=False))[0].argmax(-1)
        # Unlabelled pixels do not count, nor what is taken for unlabelled.
        counted = (labels < 11) & (predicted < 11)
        for label in range(11):
            common[label] += (counted & (labels == label) & (predicted == label)).sum()
            union[label] += (counted & ((labels == label) | (predicted == label))).sum()
        right, pixels = right + (counted & (labels == predicted)).sum(), pixels + counted.sum()
    stored = json.loads(scores.read_text())["scores"]
    np.testing.assert_allclose(stored["iou"], common / union, atol=2e-3)
    assert stored["pixel_accuracy"] == pytest.approx(right / pixels, abs=2e-3)
    assert "pedestrian" in result.stdout and f"{stored['mean_iou']:.4f}" in result.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("convert",), "Give FILE, OUT.keras and --source"),
        (("convert", "{file}", "{out}", "--source", "enet"), "must be one of: daa233/deepfill_v1, davidtvs/enet"),
        (("convert", "missing.pth", "{out}", "--source", ENET), "missing.pth"),
        (("convert", "{file}", "{out}", "--source", ENET, "--set", "epochs=3"), "only model.ARGUMENT=VALUE"),
        (("evaluate", "--data", "{file}", "--weights", "{file}"), "Give a run or a model, or --weights FILE"),
    ],
)
def test_mistakes(segpaint, checkpoint, tmp_path, arguments, message):
    out = tmp_path / "out.keras"
    result = segpaint(*(str(text).format(file=checkpoint, out=out) for text in arguments))
    assert result.exit_code == 1
    assert message in " ".join(result.stderr.split())
    assert not out.exists()


def test_list(segpaint):
    result = segpaint("convert", "--list")
    assert result.exit_code == 0, result.output
    assert "davidtvs/enet" in result.stdout and "torchvision" in result.stdout
