"""The comparison of networks with and without label maps: resumable, one network at a time."""

import json

import keras
import numpy as np
import pytest
from PIL import Image

from benchmarks import __main__ as command
from benchmarks import guidance


@pytest.fixture
def folder(tmp_path):
    for split, count in (("train", 4), ("val", 2)):
        for kind in ("images", "masks"):
            (tmp_path / split / kind).mkdir(parents=True)
        for index in range(count):
            mask = np.zeros((32, 32), np.uint8)
            mask[:, 10 + index :] = 1
            image = np.where(mask[..., None] == 1, [200, 150, 40], [30, 60, 120]).astype(np.uint8)
            Image.fromarray(image).save(tmp_path / split / "images" / f"{index}.png")
            Image.fromarray(mask).save(tmp_path / split / "masks" / f"{index}.png")
    return tmp_path


def test_guidance_has_its_own_command(monkeypatch):
    given = []
    monkeypatch.setattr(guidance, "main", given.append)
    assert command.main(["guidance", "--data", "x"]) == []
    assert given == [["--data", "x"]]


def test_widths_are_nearest_in_parameters():
    assert guidance.nearest(lambda width: width**2, 50) == 7
    assert guidance.nearest(lambda width: 100 * width, 5) == 1
    assert guidance.nearest(lambda width: 10 * width, 44) == 4


def test_networks_have_as_many_parameters(undrawn_weights):
    from keras_segpaint import models

    options = guidance.parse(["--data", "x"])
    counts = [
        getattr(models, name)(5, input_shape=(128, 128, 3), **guidance.arguments_of(name, options, 5)).count_params()
        for name in guidance.NETWORKS[1:]
    ]
    baseline = models.DeepFillV2(options.cnum).count_params()
    assert all(abs(count / baseline - 1) < 0.2 for count in counts), (counts, baseline)


@pytest.mark.skipif(keras.backend.backend() != "torch", reason="compiling takes longer than the run on other backends")
def test_one_network_after_the_other(folder, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("KERAS_BACKEND", keras.backend.backend())
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    common = ["--data", str(folder), "--out", str(tmp_path / "out"), "--size", "32", "--steps", "2", "--cnum", "4"]
    common += ["--segmentation-steps", "2", "--batch-size", "2", "--threads", "1"]
    guidance.main([*common, "--only", "SemanticGuidedInpainting"])
    assert "No network is judged" in capsys.readouterr().out
    guidance.main([*common, "--only", "ENet"])
    shown = capsys.readouterr().out
    assert "| SemanticGuidedInpainting | labels to train and to fill |" in shown and "DeepFillV2 |" not in shown
    scores = json.loads((tmp_path / "out" / "SemanticGuidedInpainting" / "scores.json").read_text())
    assert 0 <= scores["miou_filled_hole"] <= 1 and scores["hole_l1"] > 0 and scores["images"] == 2
    guidance.main([*common, "--only", "ENet"])
    assert "epochs" not in capsys.readouterr().out
