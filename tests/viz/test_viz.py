"""Pictures say what they show."""

import base64
import io
import re

import numpy as np
import pytest
from PIL import Image

from keras_segpaint import viz


def test_default_palette_is_distinct():
    palette = viz.default_palette(40)
    assert palette.shape == (40, 3) and palette.dtype == np.uint8
    assert len({tuple(colour) for colour in palette}) == 40
    np.testing.assert_array_equal(palette[:5], viz.default_palette(5))


def test_colorize_and_overlay():
    palette = np.array([[10, 20, 30], [200, 100, 0]])
    class_map = np.array([[0, 1], [255, -1]])
    assert viz.colorize(class_map, palette).tolist() == [[[10, 20, 30], [200, 100, 0]], [[128] * 3, [128] * 3]]
    image = np.full((2, 2, 3), 100, "uint8")
    assert viz.overlay(image, class_map, palette, alpha=0.0).tolist() == image.tolist()
    assert viz.overlay(image, class_map, palette, alpha=0.25)[0, 1].tolist() == [125, 100, 75]
    half = viz.overlay(np.full((2, 2), 0.4, "float32"), class_map, palette, alpha=0.5)
    assert half[0, 0].tolist() == [56, 61, 66]


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_to_rgb(channels):
    image = np.arange(4 * channels, dtype="uint8").reshape(2, 2, channels)
    rgb = viz.to_rgb(image)
    expected = image[..., :3] if channels >= 3 else np.repeat(image[..., :1], 3, -1)
    np.testing.assert_array_equal(rgb, expected)


def test_error_map():
    errors = viz.error_map(np.array([[0, 1, 255]]), np.array([[0, 2, 1]]))
    assert len({tuple(pixel) for pixel in errors[0]}) == 3
    without = viz.error_map(np.array([[0, 1, 255]]), np.array([[0, 2, 1]]), ignore_class=None)
    assert without[0, 2].tolist() == without[0, 1].tolist()


def test_history_has_one_panel_a_quantity():
    figure = viz.plot_history({"loss": [3, 2], "val_loss": [3, 2.5], "mean_iou": [0.1, 0.2], "val_other": [1, 2]})
    assert [axes.get_title() for axes in figure.axes] == ["loss", "mean iou", "val other"]
    assert [len(axes.lines) for axes in figure.axes] == [2, 1, 1]
    np.testing.assert_array_equal(figure.axes[0].lines[1].get_ydata(), [3, 2.5])


def test_confusion_is_in_percent_of_the_true_class():
    figure = viz.plot_confusion([[30, 10], [0, 0]], ["a", "b"])
    assert [text.get_text() for text in figure.axes[0].texts] == ["75.0", "25.0", "0.0", "0.0"]


def test_report_is_one_file_with_everything(tmp_path, rng):
    truth = rng.integers(0, 2, (8, 9))
    sample = viz.Sample(rng.random((8, 9, 1)), truth, truth.copy(), "slice <1>")
    sample.prediction[0, 0] ^= 1
    sample.truth[1, 1] = 255
    page = viz.write_report(
        tmp_path / "new" / "index.html",
        title="Demo & more",
        summary={"mean IoU": "0.912"},
        history={"loss": [2.0, 1.0], "val_loss": [2.0, 1.5]},
        confusion=[[50, 10], [0, 40]],
        class_names=["background", "cell"],
        palette=np.array([[0, 0, 0], [255, 0, 0]]),
        samples=[sample],
        tables={"Exported file": [{"size": "1.5 MB", "latency": "9 ms"}]},
    )
    text = page.read_text(encoding="utf-8")
    assert "<h1>Demo &amp; more</h1>" in text and "slice &lt;1&gt;" in text
    assert "83.33 %" in text and "80.00 %" in text and "0.912" in text and "1.5 MB" in text
    assert f"{100 * 70 / 71:.1f} % right" in text
    sources = re.findall(r"src='([^']+)'", text)
    assert len(sources) == 6
    assert all(source.startswith("data:image/png;base64,") for source in sources)
    assert "http" not in text
    shown = Image.open(io.BytesIO(base64.b64decode(sources[2].split(",")[1])))
    assert shown.size == (9, 8)


def test_bad_arguments(tmp_path):
    with pytest.raises(ValueError, match="`alpha`"):
        viz.overlay(np.zeros((1, 1)), np.zeros((1, 1), int), np.zeros((1, 3)), alpha=2)
    with pytest.raises(ValueError, match="same size"):
        viz.overlay(np.zeros((1, 1)), np.zeros((1, 2), int), np.zeros((1, 3)))
    with pytest.raises(ValueError, match="same size"):
        viz.error_map(np.zeros((1, 1)), np.zeros((1, 2)))
    with pytest.raises(ValueError, match="`palette`"):
        viz.colorize(np.zeros((1, 1), int), np.zeros((3, 2)))
    with pytest.raises(ValueError, match="`history`"):
        viz.plot_history({})
    with pytest.raises(ValueError, match="one row for each of the 1 names"):
        viz.plot_confusion([[1, 2], [3, 4]], ["a"])
    with pytest.raises(ValueError, match="same classes"):
        viz.write_report(
            tmp_path / "x.html",
            title="",
            summary={},
            history={},
            confusion=[[1]],
            class_names=["a", "b"],
            palette=[[0, 0, 0]],
            samples=[],
        )
