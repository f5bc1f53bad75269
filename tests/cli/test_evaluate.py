"""`segpaint evaluate`: the table, the JSON file, a data set of other classes."""

import json
from pathlib import Path

import numpy as np
import pytest


def test_table_and_json(segpaint, trained, shapes: Path, tmp_path: Path):
    out, _ = trained
    target = tmp_path / "scores.json"
    result = segpaint("evaluate", out, "--data", shapes, "--split", "all", "--json", target)
    assert result.exit_code == 0, result.output
    stored = json.loads(target.read_text())
    confusion = np.array(stored["confusion"])
    assert confusion.sum() == 10 * 32 * 32
    union = confusion.sum(0) + confusion.sum(1) - np.diag(confusion)
    np.testing.assert_allclose(stored["scores"]["iou"], np.diag(confusion) / union)
    assert stored["scores"]["pixel_accuracy"] == pytest.approx(np.trace(confusion) / confusion.sum())
    predicted = confusion.sum(0)
    precision = np.divide(np.diag(confusion), predicted, out=np.full(3, np.nan), where=predicted > 0)
    np.testing.assert_allclose(np.array(stored["scores"]["precision"], float), precision)
    dice = 2 * np.diag(confusion) / (predicted + confusion.sum(1))
    assert stored["scores"]["mean_dice"] == pytest.approx(dice.mean())
    assert f"{dice.mean():.4f}" in result.stdout and "precision" in result.stdout
    assert stored["class_names"] == ["class 0", "class 1", "class 2"]
    assert f"{stored['scores']['mean_iou']:.4f}" in result.stdout
    assert "10 images" in " ".join(result.stdout.split())


def test_flips(segpaint, trained, shapes: Path, tmp_path: Path):
    import keras

    from keras_segpaint import data, inference

    target = tmp_path / "scores.json"
    result = segpaint("evaluate", trained[0], "--data", shapes, "--split", "all", "--flip", "both", "--json", target)
    assert result.exit_code == 0, result.output
    model = keras.saving.load_model(trained[0] / "checkpoints" / "best.keras", compile=False)
    segmenter = inference.Segmenter(model, size=(32, 32), flips="both")
    confusion = inference.evaluate(segmenter, data.load_dataset(str(shapes), "all"))
    assert json.loads(target.read_text())["confusion"] == confusion.tolist()


def test_model_file_gives_the_same_as_its_run(segpaint, trained, shapes: Path):
    out, _ = trained
    of_run = segpaint("evaluate", out, "--data", shapes).stdout
    of_file = segpaint("evaluate", out / "checkpoints" / "best.keras", "--data", shapes).stdout
    assert [line for line in of_file.splitlines() if "│" in line] == [
        line for line in of_run.splitlines() if "│" in line
    ]


def test_other_number_of_classes(segpaint, trained, folder: Path):
    (folder / "classes.txt").write_text("sky\nroad\ncar\ntree\n")
    result = segpaint("evaluate", trained[0], "--data", folder)
    assert result.exit_code == 1
    assert f"{trained[0]} has 3 classes, the data set {folder} has others" in result.stderr
    assert "class names, 4" in result.stderr


def test_no_such_split(segpaint, trained, shapes: Path):
    result = segpaint("evaluate", trained[0], "--data", shapes, "--split", "test")
    assert result.exit_code == 1
    assert f"{shapes} has no split 'test'" in result.stderr


def test_no_model(segpaint, shapes: Path, tmp_path: Path):
    result = segpaint("evaluate", tmp_path / "missing", "--data", shapes)
    assert result.exit_code == 1
    assert f"{tmp_path / 'missing'}: no such file or folder" in result.stderr


def test_folder_without_a_run(segpaint, shapes: Path):
    result = segpaint("evaluate", shapes, "--data", shapes)
    assert result.exit_code == 1
    assert "holds no run" in result.stderr


def test_damaged_model(segpaint, trained, shapes: Path, tmp_path: Path):
    damaged = tmp_path / "damaged.keras"
    damaged.write_bytes((trained[0] / "checkpoints" / "best.keras").read_bytes()[:5000])
    result = segpaint("evaluate", damaged, "--data", shapes)
    assert result.exit_code == 1
    assert f"{damaged}: cannot be loaded as a Keras model" in result.stderr
