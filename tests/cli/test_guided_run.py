"""From a segmentation data set to a fill guided by a label map, by commands alone."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.cli.folders import run_segpaint, write_folder

WIDTHS = ("--set", "model.base_filters=2", "--set", "model.guide_filters=2", "--set", "critic.base_filters=2")


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp("guided")
    folder = write_folder(root / "shapes", 6, np.random.default_rng(0))
    out = root / "run"
    tiny = ("--size", 32, "--epochs", 1, "--batch-size", 3, "--workers", 0, *WIDTHS)
    result = run_segpaint("train", "SemanticGuidedInpainting", "--data", folder, "--out", out, *tiny)
    assert result.exit_code == 0, result.output
    return out


@pytest.fixture
def files(trained, tmp_path):
    image = next((trained.parent / "shapes" / "images").iterdir())
    mask = np.zeros((32, 32), np.uint8)
    mask[6:20, 9:25] = 255
    Image.fromarray(mask).save(tmp_path / "hole.png")
    return image, trained.parent / "shapes" / "masks" / image.name, tmp_path


@pytest.mark.filterwarnings("default:skipped")
def test_inpaint_with_labels(trained, files):
    image, labels, folder = files
    common = ("inpaint", image, "--mask", folder / "hole.png", "--out", folder / "filled.png", "--model", trained)
    result = run_segpaint(*common, "--labels", labels)
    assert result.exit_code == 0, result.output
    before, after = (np.array(Image.open(path).convert("RGB")) for path in (image, folder / "filled.png"))
    hole = np.array(Image.open(folder / "hole.png")) > 0
    np.testing.assert_array_equal(after[~hole], before[~hole])
    assert (after[hole] != before[hole]).any()

    result = run_segpaint(*common)
    assert result.exit_code != 0 and "--labels" in result.output
    Image.fromarray(np.full((32, 32), 9, np.uint8)).save(folder / "wrong.png")
    result = run_segpaint(*common, "--labels", folder / "wrong.png")
    assert result.exit_code != 0 and "the labels 9" in result.output and "could not be filled" in result.output
    result = run_segpaint(
        "inpaint", image, "--mask", folder / "hole.png", "--out", folder / "x.png", "--labels", labels
    )
    assert result.exit_code != 0 and "not guided by label maps" in result.output


def test_evaluate_and_report(trained, files):
    *_, folder = files
    data = trained.parent / "shapes"
    result = run_segpaint("evaluate", trained, "--data", data, "--baselines", "none", "--json", folder / "scores.json")
    assert result.exit_code == 0, result.output
    assert json.loads((folder / "scores.json").read_text())["scores"]["model"]["all"]["images"] > 0
    result = run_segpaint("report", trained, "--out", folder / "report.html")
    assert result.exit_code == 0, result.output
    assert "SemanticGuidedInpainting" in (folder / "report.html").read_text()


def test_photographs_without_labels_cannot_train_it(tmp_path):
    Image.new("RGB", (40, 40)).save(tmp_path / "a.png")
    result = run_segpaint(
        "train", "SemanticGuidedInpainting", "--data", tmp_path, "--out", tmp_path / "run", "--size", 32
    )
    assert result.exit_code != 0 and not (tmp_path / "run").exists()
