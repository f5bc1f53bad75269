"""`segpaint train`: the run's folder, what is printed, resuming, options."""

import json
from pathlib import Path

import keras
import pytest
import typer

from keras_segpaint import training
from keras_segpaint.cli.settings import parse_settings
from tests.cli.folders import TINY


def test_run_and_table(trained, shapes: Path):
    out, result = trained
    assert {path.name for path in (out / "checkpoints").iterdir()} == {"best.keras", "last.keras"}
    stored = json.loads((out / "config.json").read_text())["config"]
    assert (stored["model"], stored["size"], stored["epochs"], stored["batch_size"]) == ("SegNetBasic", [32, 32], 1, 4)
    assert stored["model_args"] == {"base_filters": 2}
    lines = result.stdout.splitlines()
    assert any(line.startswith("epoch 1/1  loss ") and "val mIoU" in line for line in lines)
    for name in ("class 0", "class 1", "class 2", "mean", "frequency-weighted", "pixels"):
        assert any(name in line for line in lines)
    assert str(out / "checkpoints" / "best.keras") in result.stdout


def test_resume_continues_after_the_last_epoch(segpaint, shapes: Path, tmp_path: Path):
    command = ("train", "SegNetBasic", "--data", shapes, "--out", tmp_path / "run", *TINY)

    class Stop(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            raise KeyboardInterrupt

    real = training.train

    def interrupted(*arguments, callbacks, **options):
        return real(*arguments, callbacks=[*callbacks, Stop()], **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(training, "train", interrupted)
        result = segpaint(*command, "--epochs", 2)
    assert result.exit_code == 130
    resume = result.stderr.splitlines()[-1]
    assert resume.startswith("resume with: segpaint train SegNetBasic ")
    assert resume.endswith(" --resume")

    result = segpaint(*resume.split()[3:])
    assert result.exit_code == 0, result.output
    assert "epoch 2/2" in result.stdout
    assert "epoch 1/2" not in result.stdout


def test_start_from_another_run(segpaint, trained, shapes: Path, tmp_path: Path):
    out, _ = trained
    command = ("train", "SegNetBasic", "--data", shapes, "--out", tmp_path / "run", "--epochs", 1, *TINY)
    result = segpaint(*command, "--initial-weights", out)
    assert result.exit_code == 0, result.output
    record = json.loads((tmp_path / "run" / "config.json").read_text())
    assert record["config"]["initial_weights"] == str(out / "checkpoints" / "best.keras")

    result = segpaint(*command[:5], tmp_path / "other", "--initial-weights", tmp_path / "nowhere")
    assert result.exit_code == 1
    assert f"{tmp_path / 'nowhere'}: no such file or folder" in result.stderr


def test_new_run_in_the_folder_of_another(segpaint, trained, shapes: Path):
    out, _ = trained
    result = segpaint("train", "SegNetBasic", "--data", shapes, "--out", out, *TINY)
    assert result.exit_code == 1
    assert f"{out} already holds a run" in result.stderr
    assert "--resume" in result.stderr


def test_resume_without_a_run(segpaint, shapes: Path, tmp_path: Path):
    result = segpaint("train", "SegNetBasic", "--data", shapes, "--out", tmp_path / "new", "--resume")
    assert result.exit_code == 1
    assert f"{tmp_path / 'new'} holds no run to continue" in result.stderr


def test_misspelt_model(segpaint, shapes: Path, tmp_path: Path):
    result = segpaint("train", "segnetbasik", "--data", shapes, "--out", tmp_path / "new")
    assert result.exit_code == 2
    assert "Did you mean SegNetBasic?" in result.stderr
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("model.colour=red", "SegNetBasic has no argument `colour`"),
        ("momentum=0.9", "A recipe has no momentum"),
        ("class_weights=heavy", "class_weights='heavy'"),
    ],
)
def test_unknown_setting(segpaint, shapes: Path, tmp_path: Path, setting: str, message: str):
    result = segpaint("train", "SegNetBasic", "--data", shapes, "--out", tmp_path / "new", "--set", setting)
    assert result.exit_code == 1
    assert message in result.stderr
    assert not (tmp_path / "new").exists()


def test_other_backend_in_this_process(segpaint, shapes: Path, tmp_path: Path):
    other = {"tensorflow": "jax", "jax": "torch", "torch": "tensorflow"}[keras.backend.backend()]
    result = segpaint("train", "ENet", "--data", shapes, "--out", tmp_path / "new", "--backend", other)
    assert result.exit_code == 1
    assert f"Keras already runs on {keras.backend.backend()}" in result.stderr


def test_settings():
    texts = ["model.stage=encoder", "optimizer.learning_rate=1e-3", "two_stage=true", "class_weights=none", "epochs=3"]
    assert parse_settings(texts, own=("two_stage",)) == {
        "two_stage": True,
        "model_args": {"stage": "encoder"},
        "recipe": {"optimizer": {"learning_rate": 1e-3}, "class_weights": None, "epochs": 3},
    }


@pytest.mark.parametrize("text", ["epochs", "=3", "a.b.c=1", ".a=1", "model=3"])
def test_wrong_settings(text: str):
    with pytest.raises(typer.BadParameter):
        parse_settings([text], own=())


def test_setting_given_twice():
    with pytest.raises(typer.BadParameter, match="twice"):
        parse_settings(["epochs=3", "epochs=4"], own=())
