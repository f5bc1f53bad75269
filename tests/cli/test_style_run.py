"""A run of StyleTransfer by commands: trained on contents and styles, continued, and painted with."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from keras_segpaint import training
from keras_segpaint.training.optimizers import build_schedule


@pytest.fixture(scope="module")
def root(tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp("style_run")
    rng = np.random.default_rng(0)
    for kind in ("contents", "styles"):
        (root / kind).mkdir()
        for number in range(4):
            Image.fromarray(rng.integers(0, 255, (40, 36, 3)).astype(np.uint8)).save(root / kind / f"{number}.png")
    return root


def test_run(segpaint, root):
    out = root / "run"
    arguments = ["train", "StyleTransfer", "--data", root / "contents", "--styles", root / "styles", "--out", out]
    arguments += ["--size", "16x16", "--batch-size", 3, "--workers", 0, "--set", "model.base_filters=4"]
    arguments += ["--set", "encoder_weights=none"]
    result = segpaint(*arguments, "--epochs", 1)
    assert result.exit_code == 0, result.output
    assert "style loss" in result.stdout and "segpaint stylize CONTENT" in result.stdout
    record = json.loads((out / "config.json").read_text())
    assert record["task"] == "style" and len(record["val_styles"]) == 1 and record["train_styles"] == 3
    result = segpaint(*arguments, "--epochs", 2, "--resume")
    assert result.exit_code == 0, result.output
    history = np.genfromtxt(out / "history.csv", delimiter=",", names=True)
    assert len(history) == 2 and {"content_loss", "style_loss", "val_loss"} <= set(history.dtype.names)
    painted = root / "painted.png"
    style = root / "styles" / "0.png"
    result = segpaint("stylize", root / "contents" / "1.png", "--style", style, "--run", out, "--out", painted)
    assert result.exit_code == 0, result.output
    with Image.open(painted) as image:
        assert image.size == (36, 40)


def test_styles_are_needed(segpaint, root):
    result = segpaint("train", "StyleTransfer", "--data", root / "contents", "--out", root / "other")
    assert result.exit_code == 1
    assert "give `styles` (--styles)" in " ".join(result.stderr.split())


def test_schedule():
    schedule = build_schedule(training.recipes.get("StyleTransfer"), steps_per_epoch=10)
    rates = [float(schedule(step)) for step in (0, 20_000, 160_000)]
    np.testing.assert_allclose(rates, [1e-4, 5e-5, 1e-4 / 9], rtol=1e-4)
