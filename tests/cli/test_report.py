"""`segpaint report`: the page has the run's numbers, and mistakes are named."""

import html
import json
import re
import shutil
from pathlib import Path

import keras
import numpy as np
import pytest

from keras_segpaint import data, inference, metrics
from keras_segpaint.cli.report_contents import read_history
from tests.cli.folders import write_folder


@pytest.fixture
def run(trained, tmp_path: Path) -> Path:
    """A copy of the run that a test may change."""
    return Path(shutil.copytree(trained[0], tmp_path / "run"))


def cards(page: str) -> dict[str, str]:
    return {label: value for value, label in re.findall(r"<div class='card'><b>(.*?)</b><span>(.*?)</span>", page)}


def rows(page: str) -> dict[str, str]:
    """Setting and value of the table of the recipe."""
    return dict(re.findall(r"<tr><td>([^<]*)</td><td>([^<]*)</td><td>[^<]*</td></tr>", page))


def test_page_has_the_numbers_of_the_run(segpaint, run: Path, shapes: Path, tmp_path: Path):
    result = segpaint("report", run)
    assert result.exit_code == 0, result.output
    page = html.unescape((run / "report.html").read_text())
    model = keras.saving.load_model(run / "checkpoints" / "best.keras", compile=False)
    dataset = data.load_dataset(str(shapes), "val")
    confusion = inference.evaluate(model, dataset, (32, 32))
    scores = metrics.scores(confusion)
    found = cards(page)
    assert found["mean IoU"] == f"{scores.mean_iou:.4f}" and found["pixel accuracy"] == f"{scores.pixel_accuracy:.4f}"
    assert found["parameters"] == f"{model.count_params():,}"
    assert (found["epochs"], found["best epoch"], found["checkpoint"]) == ("1", "1", "best.keras")
    assert found["images judged"] == str(len(dataset))
    for iou, accuracy in zip(scores.iou, scores.class_accuracy, strict=True):
        assert f"<td class='n'>{100 * iou:.2f} %</td><td class='n'>{100 * accuracy:.2f} %</td>" in page
    recipe = json.loads((run / "config.json").read_text())["recipe"]
    table = rows(page)
    assert table["crop size"] == "32 x 32" and table["epochs"] == "1" and table["batch size"] == "4"
    assert f"learning_rate {recipe['optimizer']['learning_rate']:g}" in table["optimizer"]
    # What the run changed is told from what the paper says.
    assert re.search(r"<td>epochs</td><td>1</td><td>this run; the model's recipe has \d+</td>", page)
    assert "<td>sgd: learning_rate 0.1, momentum 0.9</td><td>this run" not in page
    assert table["model args"] == "base_filters 2"
    assert table["seed"] == "0"
    trained_on = len(data.load_dataset(str(shapes), "train"))
    assert f"<h2>Classes of the {trained_on} images trained on</h2>" in page
    for heading in ("Classes", "Images", "Learning curves", "Confusion", "Classes of the", "Recipe"):
        assert f"<h2>{heading}" in page
    assert f"judged {run / 'checkpoints' / 'best.keras'}" in result.stdout and f"{scores.mean_iou:.4f}" in result.stdout


def test_best_median_and_worst_image(segpaint, trained, shapes: Path, tmp_path: Path):
    out = tmp_path / "pages" / "all.html"
    result = segpaint("report", trained[0], "--data", shapes, "--split", "all", "--out", out)
    assert result.exit_code == 0, result.output
    assert not (trained[0] / "report.html").exists()
    model = keras.saving.load_model(trained[0] / "checkpoints" / "best.keras", compile=False)
    dataset = data.load_dataset(str(shapes), "all")
    scores = {}
    segmenter = inference.Segmenter(model, size=(32, 32))
    for example in dataset:
        predicted = segmenter(example.image).classes.astype(int)
        pixels = np.bincount((example.mask.astype(int) * 3 + predicted).ravel(), minlength=9).reshape(3, 3)
        scores[Path(example.name).name] = metrics.scores(pixels).mean_iou
    order = sorted(scores.values(), reverse=True)
    shown = re.findall(r"<h3>(\w+): mean IoU ([\d.]+), (.*?)</h3>", out.read_text())
    assert [verdict for verdict, _, _ in shown] == ["best", "median", "worst"]
    assert [value for _, value, _ in shown] == [f"{order[place]:.4f}" for place in (0, 5, 9)]
    for _, value, name in shown:
        assert value == f"{scores[name]:.4f}"


def test_last_checkpoint_where_there_is_no_best(segpaint, run: Path):
    (run / "checkpoints" / "best.keras").unlink()
    (run / "history.csv").unlink()
    result = segpaint("report", run)
    assert result.exit_code == 0, result.output
    assert f"judged {run / 'checkpoints' / 'last.keras'}" in result.stdout
    page = (run / "report.html").read_text()
    assert cards(page)["checkpoint"] == "last.keras"
    assert "epochs" not in cards(page) and "Learning curves" not in page


def test_data_elsewhere(segpaint, run: Path, tmp_path: Path, rng):
    config = json.loads((run / "config.json").read_text())
    config["config"]["data"] = str(tmp_path / "moved")
    (run / "config.json").write_text(json.dumps(config))
    result = segpaint("report", run)
    assert result.exit_code == 1
    assert "cannot be used" in result.stderr and "moved" in result.stderr and "Name others with --data" in result.stderr
    assert not (run / "report.html").exists()
    other = write_folder(tmp_path / "other", 4, rng)
    result = segpaint("report", run, "--data", other, "--split", "all")
    assert result.exit_code == 0, result.output
    page = (run / "report.html").read_text()
    assert cards(page)["images judged"] == "4" and f"{other} (all)" in page

    config["config"]["data"] = ""
    (run / "config.json").write_text(json.dumps(config))
    result = segpaint("report", run)
    assert result.exit_code == 1 and "does not say what it was trained on" in result.stderr

    (other / "classes.txt").write_text("sky\nroad\ncar\ntree\n")
    result = segpaint("report", run, "--data", other)
    assert result.exit_code == 1 and "has 3 classes" in result.stderr


def test_mistakes(segpaint, run: Path, shapes: Path, tmp_path: Path):
    for arguments, message in (
        ((tmp_path / "none",), "no such folder"),
        ((shapes,), "holds no run, there is no"),
        ((run / "checkpoints" / "best.keras",), "holds no run"),
        ((run, "--out", tmp_path), "is a folder"),
        ((run, "--data", tmp_path / "nowhere"), "There is no data set"),
        ((run, "--split", "test"), "has no split 'test'"),
    ):
        result = segpaint("report", *arguments)
        assert result.exit_code == 1, result.output
        assert message in result.stderr and "Traceback" not in result.output
    shutil.rmtree(run / "checkpoints")
    result = segpaint("report", run)
    assert result.exit_code == 1 and "has no checkpoint yet" in result.stderr and "--resume" in result.stderr


def test_history(tmp_path: Path):
    file = tmp_path / "history.csv"
    assert read_history(file) == {}
    file.write_text("epoch,loss,val_loss\n1,2.5,nan\n2,1.5,2.0\n")
    history = read_history(file)
    assert list(history) == ["loss", "val_loss"] and history["loss"] == [2.5, 1.5]
    np.testing.assert_array_equal(history["val_loss"], [np.nan, 2.0])
    file.write_text("epoch,loss\n1,much\n")
    with pytest.raises(Exception, match="damaged"):
        read_history(file)
