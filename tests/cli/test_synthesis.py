"""From images with label maps to a network that makes images, and from label maps to images, by commands alone."""

import json
import re
import shutil
from pathlib import Path

import cv2
import keras
import numpy as np
import pytest
from PIL import Image

from keras_segpaint import models
from keras_segpaint.data import DataError
from keras_segpaint.data.label_files import read_labels
from keras_segpaint.inference import Synthesizer
from keras_segpaint.training import AdversarialSynthesis
from tests.cli.folders import CLASSES, run_segpaint, write_folder
from tests.conformance.cases import fill_weights

PALETTE = [(0, 0, 0), (200, 30, 30), (20, 60, 220)]
# Compiles the fastest of the networks with a critic.
NETWORK = "Pix2PixHDGenerator"
SETTINGS = (
    "model.base_filters=2",
    "model.downsampling=1",
    "model.blocks=1",
    "critic.base_filters=2",
    "critic.num_layers=2",
)
TINY = (
    *("--size", 32, "--epochs", 1, "--batch-size", 2, "--set", "loss.features=none"),
    *(part for setting in SETTINGS for part in ("--set", setting)),
)


@pytest.fixture(scope="module")
def pairs(tmp_path_factory) -> Path:
    folder = write_folder(tmp_path_factory.mktemp("synthesis") / "pairs", 5, np.random.default_rng(4))
    lines = [f"class {label} #{bytes(colour).hex()}" for label, colour in enumerate(PALETTE)]
    (folder / "classes.txt").write_text("\n".join(lines))
    return folder


@pytest.fixture(scope="module")
def trained(pairs):
    out = pairs.parent / "run"
    result = run_segpaint("train", NETWORK, "--data", pairs, "--out", out, *TINY)
    assert result.exit_code == 0, result.output
    return out, result


@pytest.fixture(scope="module")
def coloured(trained):
    """The run with weights that make colours, which so few steps do not."""
    folder = trained[0].parent / "coloured"
    shutil.copytree(trained[0], folder)
    return coloured_run(folder)


@pytest.fixture(scope="module")
def network(coloured):
    return keras.saving.load_model(coloured / "checkpoints" / "best.keras", compile=False)


def coloured_run(folder: Path) -> Path:
    best = folder / "checkpoints" / "best.keras"
    model = keras.saving.load_model(best, compile=False)
    for network in (getattr(model, "generator", model), getattr(model, "encoder", None)):
        if network is not None:
            fill_weights(network, settled=True)
    model.save(best)
    return folder


@pytest.fixture(scope="module")
def styled(trained):
    """A run with an encoder, as training leaves it."""
    folder = trained[0].parent / "styled"
    shutil.copytree(trained[0], folder)
    narrow = dict(base_filters=2)
    networks = AdversarialSynthesis(
        models.SPADEGenerator(CLASSES, hidden=4, latent_dim=4, input_shape=(32, 32, 3), **narrow),
        models.MultiscaleDiscriminator(CLASSES, **narrow),
        models.SPADEEncoder(4, size=128, **narrow),
    )
    networks.save(folder / "checkpoints" / "best.keras")
    return coloured_run(folder)


def test_train(trained, pairs):
    out, result = trained
    assert "val L1" in result.stdout and "Best epoch on the validation images" in result.stdout
    row = next(line for line in result.stdout.splitlines() if line.startswith(" made")).split()
    assert len(row) == 5 and row[-1] == "1"
    assert f"segpaint evaluate {out} --data {pairs}" in result.stdout
    record = json.loads((out / "config.json").read_text())
    assert record["palette"] == [list(colour) for colour in PALETTE] and record["task"] == "synthesis"


def test_evaluate_with_a_segmentation_network(segpaint, trained, pairs, tmp_path):
    out, training = trained
    seeing = tmp_path / "seeing"
    arguments = ("--size", 32, "--epochs", 1, "--batch-size", 4, "--set", "model.base_filters=2")
    assert segpaint("train", "SegNetBasic", "--data", pairs, "--out", seeing, *arguments).exit_code == 0
    target = tmp_path / "scores.json"
    result = segpaint("evaluate", out, "--data", pairs, "--segmenter", seeing, "--json", target)
    assert result.exit_code == 0, result.output
    assert f"{pairs}, val: 1 images at 32 x 32" in result.stdout
    stored = json.loads(target.read_text())
    # The same crops as in training, whose scores are of the same epoch.
    row = next(line for line in training.stdout.splitlines() if line.startswith(" made")).split()
    assert 100 * stored["scores"]["l1"] == pytest.approx(float(row[1]), abs=0.2)
    assert set(stored["segmentation"]) == {"made", "real"}
    assert 0 <= stored["segmentation"]["made"]["mean_iou"] <= 1
    assert re.search(r"real +0\.\d{4} +0\.\d{4} +1", result.stdout)
    wrong = segpaint("evaluate", out, "--data", pairs, "--segmenter", out)
    assert wrong.exit_code == 1 and "holds a model that makes images" in wrong.stderr


def test_report(segpaint, trained, tmp_path):
    page = tmp_path / "page.html"
    result = segpaint("report", trained[0], "--out", page)
    assert result.exit_code == 0, result.output
    text = page.read_text()
    cards = {label: value for value, label in re.findall(r"<div class='card'><b>(.*?)</b><span>(.*?)</span>", text)}
    assert cards["images judged"] == "1" and cards["best epoch"] == "1" and cards["L1"].endswith(" %")
    assert f"<h3>best: L1 {cards['L1'][:-2]} %, " in text
    assert text.count("<figcaption>") == 3 and "Confusion" not in text and "MultiscaleDiscriminator" in text


def test_make_images(segpaint, coloured, pairs, network, tmp_path):
    out = coloured
    result = segpaint("synthesize", pairs / "masks", "--run", out, "--out", tmp_path / "made", "--compare")
    assert result.exit_code == 0, result.output
    assert sorted(path.name for path in (tmp_path / "made").glob("0?.png")) == [f"0{index}.png" for index in range(5)]
    labels = cv2.imread(str(pairs / "masks" / "00.png"), cv2.IMREAD_UNCHANGED)
    made = np.asarray(Image.open(tmp_path / "made" / "00.png"))
    np.testing.assert_array_equal(made, Synthesizer(network)(labels))
    assert made.std() > 3
    compared = np.asarray(Image.open(tmp_path / "made" / "00_compare.png"))
    np.testing.assert_array_equal(compared[:, 32:], made)
    np.testing.assert_array_equal(compared[:, :32], np.array(PALETTE, np.uint8)[labels])

    # A map in the colours of the run, of another size, with pixels of which nothing is known, to one file.
    ids = np.full((45, 50), 255, np.uint8)
    ids[5:40, 7:30] = 2
    ids[20:30, 20:50] = 1
    colours = np.concatenate([np.array(PALETTE, np.uint8), np.full((253, 3), 128, np.uint8)])[ids]
    Image.fromarray(colours).save(tmp_path / "map.png")
    result = segpaint("synthesize", tmp_path / "map.png", "--run", out, "--out", tmp_path / "one.png")
    assert result.exit_code == 0, result.output
    made = np.asarray(Image.open(tmp_path / "one.png"))
    assert made.shape == (45, 50, 3)
    np.testing.assert_array_equal(made, Synthesizer(network)(ids))
    sized = segpaint(
        "synthesize", tmp_path / "map.png", "--run", out, "--out", tmp_path / "sized.png", "--size", "32x64"
    )
    assert sized.exit_code == 0 and cv2.imread(str(tmp_path / "sized.png")).shape == (32, 64, 3)


def test_styles(segpaint, styled, pairs, tmp_path):
    labels, image = pairs / "masks" / "00.png", pairs / "images" / "03.png"
    pictures = {}
    for name, arguments in {
        "first": (),
        "other": ("--seed", 5),
        "like": ("--style", image),
    }.items():
        target = tmp_path / f"{name}.png"
        result = segpaint("synthesize", labels, "--run", styled, "--out", target, *arguments)
        assert result.exit_code == 0, result.output
        pictures[name] = np.asarray(Image.open(target))
    model = keras.saving.load_model(styled / "checkpoints" / "best.keras", compile=False)
    again = Synthesizer(model, seed=0)(cv2.imread(str(labels), cv2.IMREAD_UNCHANGED))
    np.testing.assert_array_equal(pictures["first"], again)
    assert (pictures["first"] != pictures["other"]).any() and (pictures["first"] != pictures["like"]).any()


def save(path: Path, array: np.ndarray) -> Path:
    Image.fromarray(array).save(path)
    return path


@pytest.mark.filterwarnings("default:skipped")
def test_bad_label_maps(segpaint, trained, pairs, tmp_path):
    out, _ = trained
    unknown = save(tmp_path / "unknown.png", np.array([[0, 1], [7, 9]], np.uint8))
    colours = save(tmp_path / "colours.png", np.array([[PALETTE[1], (9, 8, 7)]], np.uint8))
    (tmp_path / "text.png").write_text("no image")
    result = segpaint("synthesize", f"{tmp_path}/*.png", "--run", out, "--out", tmp_path / "made")
    assert result.exit_code == 1
    text = " ".join(result.stderr.split())
    assert f"{unknown}: the label map holds the ids 7, 9; allowed are 0 to {CLASSES - 1} and 255" in text
    assert f"{colours}: the label map has colours without a label: (9, 8, 7)" in text and "(20, 60, 220)" in text
    assert "text.png: cannot be read as an image" in text
    assert "3 of 3 label maps could not be used" in text

    file = out / "checkpoints" / "best.keras"
    alone = tmp_path / "alone.keras"
    alone.write_bytes(file.read_bytes())
    coloured = save(tmp_path / "fine.png", np.array([[PALETTE[1], PALETTE[0]]], np.uint8))
    result = segpaint("synthesize", coloured, "--run", alone, "--out", tmp_path / "made")
    assert result.exit_code == 1 and "Give the folder of the model's run" in " ".join(result.stderr.split())


def test_label_files(tmp_path):
    same = [(0, 0, 0), (0, 0, 0)]
    path = save(tmp_path / "map.png", np.zeros((2, 2, 3), np.uint8))
    with pytest.raises(DataError, match="one colour for several labels"):
        read_labels(path, 2, palette=same)
    ids = save(tmp_path / "ids.png", np.array([[0, 255]], np.uint8))
    assert read_labels(ids, 2).tolist() == [[0, 255]]
    with pytest.raises(DataError, match="holds the ids 255; allowed are 0 to 1,"):
        read_labels(ids, 2, ignore_class=None)
    lossy = tmp_path / "map.jpg"
    Image.fromarray(np.full((8, 8), 9, np.uint8)).save(lossy)
    with pytest.raises(DataError, match="A JPEG changes the ids"):
        read_labels(lossy, 2)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("synthesize", "labels", "--run", "run", "--out", "made", "--style", "image"), "has no encoder"),
        (("synthesize", "labels", "--run", "nowhere", "--out", "made"), "nowhere"),
        (("synthesize", "label", "--run", "run", "--out", "made.jpg"), "made.jpg"),
        (("synthesize", "labels", "--run", "run", "--out", "labels"), "overwrite the label map itself"),
        (("predict", "run", "labels", "--out", "made"), "segpaint synthesize LABELS --run"),
        (("inpaint", "label", "--mask", "label", "--model", "run", "--out", "made"), "this command is for inpainting"),
        (("export", "run", "made.tflite"), "holds a model for synthesis. Files are written of models for segmentation"),
    ],
)
def test_mistakes(segpaint, trained, pairs, tmp_path, arguments, message):
    places = {
        "labels": pairs / "masks",
        "label": pairs / "masks" / "00.png",
        "image": pairs / "images" / "00.png",
        "run": trained[0],
        "made": tmp_path / "made",
        "made.jpg": tmp_path / "made.jpg",
        "made.tflite": tmp_path / "made.tflite",
    }
    result = segpaint(*(places.get(argument, argument) for argument in arguments))
    assert result.exit_code == 1
    assert message in " ".join(result.stderr.split())


def test_synthesis_with_another_network_is_refused(segpaint, pairs, tmp_path):
    from keras_segpaint.models import UNet

    UNet(3, base_filters=2).save(tmp_path / "unet.keras")
    result = segpaint("synthesize", pairs / "masks", "--run", tmp_path / "unet.keras", "--out", tmp_path / "made")
    assert result.exit_code == 1 and "holds a segmentation model" in result.stderr
    assert "segpaint predict" in result.stderr
