"""From photographs to filled holes by commands alone."""

import io
import json
import re
from pathlib import Path

import keras
import numpy as np
import pytest
from PIL import Image
from rich.console import Console

from keras_segpaint.export import LiteRTModel
from keras_segpaint.inference import Inpainter
from keras_segpaint.metrics import FillScores
from tests.cli.folders import run_segpaint

TINY = (
    "--size",
    32,
    "--epochs",
    1,
    "--batch-size",
    2,
    "--set",
    "model.base_filters=2",
    "--set",
    "model.levels=4",
    "--set",
    "loss.features=none",
)


@pytest.fixture(scope="module")
def photos(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("inpainting") / "photos"
    folder.mkdir()
    rng = np.random.default_rng(3)
    for index in range(5):
        small = Image.fromarray(rng.integers(0, 255, (3, 4, 3)).astype(np.uint8))
        small.resize((48, 40), Image.Resampling.BILINEAR).save(folder / f"{index}.png")
    return folder


@pytest.fixture(scope="module")
def trained(photos):
    out = photos.parent / "run"
    result = run_segpaint("train", "PConvUNet", "--data", photos, "--out", out, *TINY)
    assert result.exit_code == 0, result.output
    return out, result


def test_the_table_fits_eighty_characters():
    from keras_segpaint.cli.console import fill_table

    scores = FillScores(6240, l1=0.1234, psnr=15.47, ssim=0.461, hole_l1=0.3011, hole_psnr=19.29, hole_ssim=0.105)
    text = io.StringIO()
    Console(file=text, width=80).print(fill_table([("10-20 %", "biharmonic", scores)]))
    rows = text.getvalue().splitlines()
    assert max(map(len, rows)) <= 80 and "…" not in text.getvalue()
    assert "10-20 % biharmonic 12.34 15.47 0.461 30.11 19.29 0.105 6240" in [" ".join(row.split()) for row in rows]


def test_train(trained, photos):
    out, result = trained
    assert "epoch 1/1  loss " in result.stdout and "val hole L1" in result.stdout
    assert "Best epoch on the validation images" in result.stdout
    row = next(line for line in result.stdout.splitlines() if line.startswith(" all"))
    assert row.split()[:2] == ["all", "PConvUNet"] and len(row.split()) == 9 and "…" not in row
    assert f"segpaint evaluate {out} --data {photos}" in result.stdout
    record = json.loads((out / "config.json").read_text())
    assert len(record["val_photographs"]) == 1
    assert record["recipe"]["loss"] == {"name": "PartialConvolutionLoss", "features": None}


def test_evaluate_its_own_photographs_and_others(segpaint, trained, photos, tmp_path):
    out, _ = trained
    target = tmp_path / "scores.json"
    result = segpaint("evaluate", out, "--data", photos, "--baselines", "telea,ns", "--json", target)
    assert result.exit_code == 0, result.output
    assert f"{photos}, val: 1 photographs at 32 x 32" in result.stdout
    assert "holes filled: 18 in" in result.stdout
    stored = json.loads(target.read_text())
    assert list(stored["scores"]) == ["model", "telea", "ns"]
    assert stored["scores"]["telea"]["all"]["images"] == 6
    assert set(stored["scores"]["model"]) == {
        "all",
        "1-10 %",
        "10-20 %",
        "20-30 %",
        "30-40 %",
        "40-50 %",
        "50-60 %",
    }
    assert stored["scores"]["telea"]["all"]["hole_l1"] < stored["scores"]["model"]["all"]["hole_l1"]
    assert f"{100 * stored['scores']['telea']['all']['l1']:.2f}" in result.stdout

    flipped = segpaint(
        "evaluate", out, "--data", photos, "--baselines", "none", "--flip", "horizontal", "--json", target
    )
    assert flipped.exit_code == 0, flipped.output
    mean = json.loads(target.read_text())["scores"]["model"]["all"]
    assert mean["hole_psnr"] != stored["scores"]["model"]["all"]["hole_psnr"]
    assert mean["images"] == 6

    other = segpaint("evaluate", out, "--data", f"{photos}/*.png", "--baselines", "none", "--size", 24)
    assert other.exit_code == 0, other.output
    assert "all: 5 photographs at 24 x 24" in other.stdout and "telea" not in other.stdout


def test_report(segpaint, trained, photos, tmp_path):
    out, training = trained
    page = tmp_path / "page.html"
    result = segpaint("report", out, "--out", page)
    assert result.exit_code == 0, result.output
    text = page.read_text()
    cards = {label: value for value, label in re.findall(r"<div class='card'><b>(.*?)</b><span>(.*?)</span>", text)}
    # The same holes as in training, whose scores of the best epoch are those of the page.
    row = next(line for line in training.stdout.splitlines() if line.startswith(" all")).split()
    assert cards["L1 in the holes"] == f"{row[5]} %" and cards["PSNR in the holes"] == f"{row[6]} dB"
    assert (cards["photographs judged"], cards["checkpoint"], cards["best epoch"]) == ("1", "best.keras", "1")
    model = keras.saving.load_model(out / "checkpoints" / "best.keras", compile=False)
    assert cards["parameters"] == f"{model.count_params():,}"
    assert f"<h3>best: L1 in the holes {row[5]} %, " in text and "<h3>worst" not in text
    assert text.count("<figcaption>") == 3 and "Confusion" not in text and "Learning curves" in text
    assert "<td>telea</td>" in text and "<td>network</td>" in text and "PartialConvolutionLoss" in text

    every = segpaint("report", out, "--out", page, "--data", f"{photos}/*.png")
    assert every.exit_code == 0, every.output
    shown = re.findall(r"<h3>(\w+): L1 in the holes ([\d.]+) %", page.read_text())
    assert [verdict for verdict, _ in shown] == ["best", "median", "worst"]
    assert float(shown[0][1]) < float(shown[1][1]) < float(shown[2][1])

    missing = segpaint("report", out, "--out", page, "--data", tmp_path / "nowhere")
    assert missing.exit_code == 1 and "nowhere" in missing.stderr


def test_inpaint_with_the_run(segpaint, trained, photos, tmp_path):
    out, _ = trained
    mask = np.zeros((40, 48), np.uint8)
    mask[10:20, 12:30] = 255
    Image.fromarray(mask).save(tmp_path / "m.png")
    filled = tmp_path / "filled.png"
    result = segpaint("inpaint", photos / "0.png", "--mask", tmp_path / "m.png", "--model", out, "--out", filled)
    assert result.exit_code == 0, result.output
    before, after = (np.array(Image.open(path)) for path in (photos / "0.png", filled))
    np.testing.assert_array_equal(after[mask == 0], before[mask == 0])
    assert (after[mask > 0] != before[mask > 0]).any()


def test_validation_photographs_of_their_own(segpaint, photos, tmp_path):
    result = segpaint("train", "PConvUNet", "--data", photos, "--val-data", photos, "--out", tmp_path / "run", *TINY)
    assert result.exit_code == 0, result.output
    record = json.loads((tmp_path / "run" / "config.json").read_text())
    assert (record["train_photographs"], len(record["val_photographs"])) == (5, 5)


def test_export(segpaint, trained, photos, tmp_path):
    target = tmp_path / "fill.tflite"
    result = segpaint("export", trained[0], target)
    assert result.exit_code == 0, result.output
    printed = dict(line.split("  ", 1) for line in result.stdout.splitlines() if "  " in line)
    assert float(printed["largest difference"]) < 1e-4 and "equal argmax" not in printed
    picture = np.asarray(Image.open(photos / "0.png"), np.float32)[:32, :32] / 255
    hole = np.zeros((32, 32), np.uint8)
    hole[4:20, 6:18] = 1
    (filled,) = LiteRTModel(target)(np.dstack([picture, hole])[None].astype("float32"))
    np.testing.assert_allclose(filled[hole == 0], picture[hole == 0], atol=1e-6)
    model = keras.saving.load_model(trained[0] / "checkpoints" / "best.keras", compile=False)
    np.testing.assert_allclose(filled, Inpainter(model)(picture, hole), atol=1e-4)


def test_segmenting_with_it_is_refused(segpaint, trained, photos, tmp_path):
    result = segpaint("predict", trained[0], photos, "--out", tmp_path / "out")
    assert result.exit_code == 1
    assert "holds an inpainting model" in result.stderr and "segpaint inpaint" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("train", "DeepFilV2", "--data", "photos", "--out", "new"), 2, "Did you mean DeepFillV2?"),
        (("train", "PConvUNet", "--data", "nowhere", "--out", "new", *TINY), 1, "nowhere"),
        (("train", "DeepFillV2", "--data", "photos", "--out", "new", "--size", 30), 1, "multiples of 8"),
        (("evaluate", "run", "--data", "photos", "--baselines", "magic"), 1, "there is no magic"),
    ],
)
def test_mistakes(segpaint, tmp_path, monkeypatch, arguments, code, message):
    monkeypatch.chdir(tmp_path)
    result = segpaint(*arguments)
    assert result.exit_code == code
    assert message in " ".join(result.stderr.split())
    assert not (tmp_path / "new").exists()
