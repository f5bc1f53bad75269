"""The table of files for phones: resumable, one network at a time, from runs or from a short training."""

import json
from types import SimpleNamespace

import keras
import numpy as np
import pytest
from PIL import Image

from benchmarks import __main__ as command
from benchmarks import environment, mobile, mobile_networks


@pytest.fixture
def folder(tmp_path):
    for split, count in (("train", 4), ("val", 2)):
        for kind in ("images", "masks"):
            (tmp_path / split / kind).mkdir(parents=True)
        for index in range(count):
            mask = np.zeros((64, 64), np.uint8)
            mask[:, 10 + index :] = 1
            image = np.where(mask[..., None] == 1, [200, 150, 40], [30, 60, 120]).astype(np.uint8)
            Image.fromarray(image).save(tmp_path / split / "images" / f"{index}.png")
            Image.fromarray(mask).save(tmp_path / split / "masks" / f"{index}.png")
    return tmp_path


@pytest.fixture
def exported(monkeypatch):
    """The export room without LiteRT: a file is the model itself, of int8 one that is off by a class and takes half the time.

    What it was asked to write, by file.
    """
    from keras_segpaint import export

    asked = {}

    def to_litert(model, path, input_shape, check, precision="float32", calibration=None):
        assert check is False
        if precision == "dynamic_int8":
            raise export.ExportError("no such operator")
        asked[path] = SimpleNamespace(
            model=model, precision=precision, calibration=calibration, shape=tuple(input_shape)
        )
        path.write_bytes(bytes(1000))

    def run(path):
        file = asked[path]

        def function(inputs):
            assert inputs.shape == (1, *file.shape) and 0 <= inputs.min() and inputs.max() <= 1
            if file.shape[-1] == 4:
                filled = mobile_networks.filled_by(file.model, inputs)
                return filled if file.precision == "float32" else 1 - filled
            logits = np.asarray(file.model.predict_on_batch(inputs))
            return logits if file.precision == "float32" else np.flip(logits, -1)

        return function

    def benchmark(path, threads, seconds, operators):
        times = [(2.0 if path.stem == "int8" else 4.0) / count for count in threads]
        rows = zip(threads, times, strict=True)
        return SimpleNamespace(
            latencies=[export.Latency(count, 9, time, time, time, time, time, 7_000_000) for count, time in rows]
        )

    monkeypatch.setattr(export, "to_litert", to_litert)
    monkeypatch.setattr(export, "LiteRTModel", run)
    monkeypatch.setattr(export, "benchmark", benchmark)
    monkeypatch.setenv("KERAS_BACKEND", keras.backend.backend())
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    return asked


def options(folder, tmp_path, *more):
    common = [
        "--data",
        str(folder),
        "--out",
        str(tmp_path / "out"),
        "--batch-size",
        "2",
        "--threads",
        "1",
        "--width",
        "4",
    ]
    return [*common, "--size", "32x32", "--steps", "2", "--fill-steps", "1", *more]


def rows(shown):
    lines = [
        [cell.strip() for cell in line.strip("|").split("|")] for line in shown.splitlines() if line.startswith("|")
    ]
    return {(line[0], line[2]): line for line in lines[2:]}


def test_mobile_has_its_own_command(monkeypatch):
    given = []
    monkeypatch.setattr(mobile, "main", given.append)
    assert command.main(["mobile", "--data", "x"]) == []
    assert given == [["--data", "x"]]


@pytest.mark.parametrize("wrong", [["--size", "60x64"], ["--run", "ENet"], ["--run", "NoNet=x"], []])
def test_wrong_options(wrong, capsys):
    with pytest.raises(SystemExit):
        mobile.parse([*(["--data", "x"] if wrong else []), *wrong])
    assert "multiples of 8" in (text := capsys.readouterr().err) or "NAME=FOLDER" in text or "--data" in text


@pytest.mark.skipif(keras.backend.backend() != "torch", reason="compiling takes longer than the run on other backends")
def test_one_network_after_the_other(folder, tmp_path, exported, monkeypatch, capsys):
    saved = []
    monkeypatch.setattr(mobile, "append", saved.extend)
    mobile.main(options(folder, tmp_path, "--only", "SegNet"))
    table = rows(shown := capsys.readouterr().out)
    assert set(table) == {("SegNet", precision) for precision in mobile.PRECISIONS}
    assert table["SegNet", "float32"][3:7] == ["0.00", "4.0", "2.0", "7"]
    assert table["SegNet", "dynamic_int8"][3] == "not written"
    keras_score, lost = (float(value) for value in table["SegNet", "float32"][8:10])
    assert 0 < keras_score <= 1 and lost == 0
    assert float(table["SegNet", "int8"][9]) != 0
    assert "mobile, SegNet" in shown and saved == []
    files = {path.stem: file for path, file in exported.items()}
    assert files["float32"].calibration is None and files["float32"].shape == (32, 32, 3)
    assert files["int8"].calibration.shape == (4, 32, 32, 3)
    # As the statistics of a training of two steps should.
    norms = [
        layer for layer in files["int8"].model._flatten_layers() if "normalization" in type(layer).__name__.lower()
    ]
    assert norms and all(layer.momentum <= mobile_networks.MOMENTUM for layer in norms)
    record = json.loads((tmp_path / "out" / "SegNet" / "int8.json").read_text())
    assert record["size"] == "32x32" and record["bytes"] == 1000

    exported.clear()
    mobile.main(options(folder, tmp_path, "--only", "SegNet", "--save"))
    assert exported == {} and "epochs" not in capsys.readouterr().out
    (row,) = saved
    assert (row.case, row.size, row.ours, row.peer) == ("mobile, SegNet", "32x32", {"int8": 1.0}, {"float32": 2.0})
    assert row.ratio() == 2 and "ai-edge-litert" in row.versions

    trained = tmp_path / "out" / "SegNet" / "training"
    arguments = options(folder, tmp_path, "--only", "SegNet", "--run", f"SegNet={trained}", "--precisions", "float16")
    mobile.main(arguments)
    assert [file.precision for file in exported.values()] == ["float16"]
    record = json.loads((tmp_path / "out" / "SegNet" / "float16.json").read_text())
    assert record["run"] == str(trained) and "milliseconds" in json.dumps(
        mobile.finished(mobile.parse(arguments))["SegNet", "float16"]
    )


@pytest.mark.skipif(keras.backend.backend() != "torch", reason="compiling takes longer than the run on other backends")
def test_a_network_that_fills_holes(folder, tmp_path, exported, capsys):
    mobile.main(options(folder, tmp_path, "--only", "PConvUNet", "--precisions", "float32", "int8", "--size", "64x64"))
    table = rows(capsys.readouterr().out)
    assert set(table) == {("PConvUNet", "float32"), ("PConvUNet", "int8")}
    row = table["PConvUNet", "float32"]
    assert row[7] == "PSNR" and 3 < float(row[8]) < 60 and float(row[9]) == 0
    file = next(file for file in exported.values() if file.precision == "int8")
    assert file.shape == (64, 64, 4) and file.calibration.shape == (4, 64, 64, 4)
    assert set(np.unique(file.calibration[..., 3])) == {0, 1}

    assert float(table["PConvUNet", "int8"][9]) != 0


def test_the_peer_is_converted_in_an_environment_of_its_own(tmp_path, exported, monkeypatch, capsys):
    ran = []
    monkeypatch.setattr(environment, "peers_python", lambda folder, requirements: (folder, requirements.name))
    monkeypatch.setattr(mobile.subprocess, "run", lambda command, **_: ran.append(command))
    mobile.main(["--peer", "--out", str(tmp_path)])
    ((python, *words),) = ran
    assert "peers_litert.txt" in python and ".venv-peers-litert" in python
    assert words[:2] == ["-m", "benchmarks.peers.litert_unet_smp"] and words[3:] == ["256", "512", "19"]
    (file,) = exported.values()
    assert file.shape == (256, 512, 3) and type(file.model).__name__ == "ENet"
    assert "U-Net on MobileNetV2" in capsys.readouterr().out
