"""`segpaint export`: both formats with their report, sizes, a wrong name."""

from pathlib import Path

import keras
import numpy as np

from keras_segpaint.export import LiteRTModel, ONNXModel, read_metadata


def test_litert(segpaint, trained, tmp_path: Path):
    target = tmp_path / "model.tflite"
    result = segpaint("export", trained[0], target, "--size", "16x24")
    assert result.exit_code == 0, result.output
    assert LiteRTModel(target)(np.zeros((1, 16, 24, 3), np.float32)).shape == (1, 16, 24, 3)
    printed = dict(line.split("  ", 1) for line in result.stdout.splitlines() if "  " in line)
    assert "CONV_2D" in printed["operators"]
    assert float(printed["largest difference"]) < 1e-4
    assert printed["equal argmax"].split()[0] == "100.0000%"
    assert "ms per image" in printed["time"]
    assert printed["size"].strip() == f"{target.stat().st_size / 1e6:.2f} MB"


def test_saved_model(segpaint, trained, tmp_path: Path):
    result = segpaint("export", trained[0], tmp_path / "model")
    assert result.exit_code == 0, result.output
    assert (tmp_path / "model" / "saved_model.pb").exists()
    assert "equal argmax        100.0000%" in result.stdout


def test_litert_needs_its_suffix(segpaint, trained, tmp_path: Path):
    result = segpaint("export", trained[0], tmp_path / "model", "--format", "litert")
    assert result.exit_code == 2
    assert "must end in .tflite" in result.stderr


def test_size_is_needed_for_a_lone_file_of_any_size(segpaint, trained, tmp_path: Path):
    lone = tmp_path / "model.keras"
    lone.write_bytes((trained[0] / "checkpoints" / "best.keras").read_bytes())
    result = segpaint("export", lone, tmp_path / "model.tflite")
    assert result.exit_code == 1
    assert "--size 360x480" in result.stderr
    assert not (tmp_path / "model.tflite").exists()


def test_integers_from_bytes_to_classes(segpaint, trained, shapes, tmp_path: Path):
    target = tmp_path / "model.tflite"
    options = ("--precision", "int8", "--input", "uint8", "--output", "classes")
    result = segpaint("export", trained[0], target, "--size", "16x24", *options, "--calibration-images", 4)
    assert result.exit_code == 0, result.output
    printed = dict(line.split("  ", 1) for line in result.stdout.splitlines() if "  " in line)
    file, keras_model = printed["mean IoU"].split(", of the Keras model ")
    assert abs(float(file) - float(keras_model)) < 0.1
    assert "largest difference" not in printed
    classes = LiteRTModel(target)(np.zeros((1, 16, 24, 3), np.uint8))
    assert classes.shape == (1, 16, 24) and classes.dtype == np.uint8
    description = read_metadata(target)
    assert len(description["classes"]) == len(description["palette"]) == 3


def test_a_folder_of_images_calibrates(segpaint, trained, shapes, tmp_path: Path):
    target = tmp_path / "model.tflite"
    options = ("--precision", "int8", "--calibration", shapes / "images", "--calibration-images", 3)
    result = segpaint("export", trained[0], target, "--size", "16x24", *options)
    assert result.exit_code == 0, result.output
    assert "mean IoU" not in result.stdout and "largest difference" in result.stdout


def test_integers_need_images(segpaint, trained, tmp_path: Path):
    lone = tmp_path / "model.keras"
    lone.write_bytes((trained[0] / "checkpoints" / "best.keras").read_bytes())
    result = segpaint("export", lone, tmp_path / "model.tflite", "--size", "16x24", "--precision", "int8")
    assert result.exit_code == 1
    assert "--calibration" in result.stderr


def test_precision_is_for_litert(segpaint, trained, tmp_path: Path):
    result = segpaint("export", trained[0], tmp_path / "model", "--precision", "float16")
    assert result.exit_code == 1
    assert "OUT.tflite" in result.stderr


def test_onnx(segpaint, trained, tmp_path: Path):
    target = tmp_path / "model.onnx"
    result = segpaint("export", trained[0], target, "--size", "16x24")
    assert result.exit_code == 0, result.output
    assert ONNXModel(target)(np.zeros((1, 16, 24, 3), np.float32)).shape == (1, 16, 24, 3)
    assert "(opset 18)" in result.stdout and "equal argmax        100.0000%" in result.stdout
    result = segpaint("export", trained[0], tmp_path / "model.tflite", "--format", "onnx")
    assert result.exit_code == 2
    assert "must end in .onnx" in result.stderr


def test_a_preset_is_opened_too(segpaint, trained, tmp_path: Path):
    model = keras.saving.load_model(trained[0] / "checkpoints" / "best.keras", compile=False)
    model.save_to_preset(tmp_path / "preset")
    result = segpaint("info", tmp_path / "preset")
    assert result.exit_code == 0, result.output
    assert str(tmp_path / "preset") in result.stdout and type(model).__name__ in result.stdout
    result = segpaint("info", "hf://unet")
    assert result.exit_code == 1
    assert "hf://user/name. Received: 'hf://unet'" in result.stderr
