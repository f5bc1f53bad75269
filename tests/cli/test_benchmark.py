"""`segpaint benchmark`: its tables, its options and its errors; the figures themselves are tested with the export room."""

from pathlib import Path

import pytest

from keras_segpaint import export


@pytest.fixture
def measured(monkeypatch) -> list[dict]:
    """What the command asked for."""
    asked = []

    def benchmark(path, **arguments):
        asked.append({"path": path, **arguments})
        return export.Benchmark(
            path,
            1_234_567,
            (export.TensorSummary("image", "uint8", (1, 64, 96, 3), (1 / 255,), (0,)),),
            (export.TensorSummary("classes", "uint8", (1, 64, 96)),),
            (export.Latency(2, 9, 1.0, 2.0, 3.0, 4.0, 2.25, 5_000_000),),
            (3, 1),
            (
                export.OperatorTime("CONV_2D", 4, 4, 3.0),
                export.OperatorTime("SIN", 1, 0, 1.0),
                export.OperatorTime("IF", 1, 0, None),
            ),
        )

    monkeypatch.setattr(export, "benchmark", benchmark)
    return asked


def test_tables(segpaint, measured):
    result = segpaint("benchmark", "enet.tflite", "--threads", 2, "--threads", 4, "--runs", 9, "--seconds", 0.5)
    assert result.exit_code == 0, result.output
    assert measured == [dict(path=Path("enet.tflite"), threads=(2, 4), runs=9, seconds=0.5, operators=True)]
    shown = result.stdout
    assert "size        1.23 MB" in shown
    assert "image: uint8 1 x 64 x 96 x 3, scale 0.00392157, zero point 0" in shown
    assert "classes: uint8 1 x 64 x 96" in shown
    rows = {
        cells[0]: cells[1:]
        for line in shown.splitlines()
        if len(cells := line.strip("│ ").replace("│", " ").split()) > 3
    }
    assert rows["2"] == ["1.00", "2.00", "3.00", "4.00", "2.25", "9", "5.0", "MB"]
    assert rows["CONV_2D"] == ["4", "4", "3.000", "75.0%"]
    assert rows["IF"] == ["1", "0", "?", "?"]
    assert "XNNPACK runs 4 operators in 2 partitions." in shown and "timed alone" in shown


def test_a_missing_file(segpaint, tmp_path):
    result = segpaint("benchmark", tmp_path / "none.tflite")
    assert result.exit_code == 1
    assert "none.tflite: No such file" in result.stderr


def test_no_threads(segpaint):
    assert segpaint("benchmark", "enet.tflite", "--threads", 0).exit_code == 2
