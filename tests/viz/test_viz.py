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
    assert [axes.get_title() for axes in figure.axes] == ["loss", "mean IoU", "val other"]
    assert [len(axes.lines) for axes in figure.axes] == [2, 1, 1]
    np.testing.assert_array_equal(figure.axes[0].lines[1].get_ydata(), [3, 2.5])


def test_confusion_is_in_percent_of_the_true_class():
    figure = viz.plot_confusion([[30, 10], [0, 0]], ["a", "b"])
    assert [text.get_text() for text in figure.axes[0].texts] == ["75.0", "25.0"]
    np.testing.assert_allclose(figure.axes[0].images[0].get_array()[..., 3], [[0.75, 0.25], [0, 0]])


def test_confusion_of_many_classes_has_no_numbers():
    figure = viz.plot_confusion(np.eye(21) * 9, [f"class {index}" for index in range(21)])
    assert not figure.axes[0].texts
    assert max(figure.get_size_inches()) < 8


def test_history_of_keras():
    """Per-class metrics are arrays in a Keras history, and a single epoch is a point."""
    history = {"loss": [1.0], "per_class_iou": [np.array([0.5, 0.7])], "val_loss": [2.0], "empty": []}
    figure = viz.plot_history(history)
    assert [axes.get_title() for axes in figure.axes] == ["loss"]
    assert {line.get_marker() for line in figure.axes[0].lines} == {"o"}
    assert len(viz.plot_history({name: [1.0, 2.0] for name in "abcd"}).axes) == 4
    assert viz.plot_history({"hole_l1": [1.0]}).axes[0].get_title() == "hole L1"


def test_figures_leave_the_global_state_alone():
    import sys

    viz.plot_confusion([[1]], ["a"])
    pyplot = sys.modules.get("matplotlib.pyplot")
    assert pyplot is None or not pyplot.get_fignums()


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
        tables={"Exported file": [{"size": "1.5 MB", "ms": 8.123456}]},
    )
    text = page.read_text(encoding="utf-8")
    assert "<h1>Demo &amp; more</h1>" in text and "slice &lt;1&gt;" in text
    assert "83.33 %" in text and "80.00 %" in text and "0.912" in text and "1.5 MB" in text
    assert "class='n'>8.1235<" in text
    assert f"{100 * 70 / 71:.1f} % right" in text
    assert "http" not in text and "<script" not in text and "url(" not in text
    sources = re.findall(r"(?:src|srcset)='([^']+)'", text)
    pictures = [decoded(source) for source in sources]
    # Image, truth, prediction and errors, then curves and confusion for a dark and a light page each.
    assert len(pictures) == 4 + 2 * 2
    assert [picture.size for picture in pictures[:4]] == [(9, 8)] * 4
    np.testing.assert_array_equal(
        np.asarray(pictures[3]), viz.error_map(sample.truth, sample.prediction, ignore_class=255)
    )
    for dark, light in (pictures[4:6], pictures[6:8]):
        assert dark.size == light.size
        assert text_brightness(dark) > 128 > text_brightness(light)


def test_report_of_filled_holes(tmp_path, rng):
    image, filled = rng.random((2, 6, 5, 3))
    mask = np.zeros((6, 5))
    mask[2:4, 1:3] = 1
    figure = viz.plot_history({"loss": [2.0, 1.0]})
    page = viz.write_report(
        tmp_path / "x.html",
        title="Holes",
        summary={},
        history={},
        fills=[viz.FillSample(image, mask, filled, "photo <1>")],
        figures={"Further & more": figure},
    )
    text = page.read_text(encoding="utf-8")
    assert "photo &lt;1&gt;" in text and "<h2>Further &amp; more</h2>" in text
    assert "Confusion" not in text and "Classes" not in text
    before, holed, after, *_ = [np.asarray(decoded(source)) for source in re.findall(r"(?<=src=')[^']+", text)]
    np.testing.assert_array_equal(before, viz.to_rgb(image))
    np.testing.assert_array_equal(after, viz.to_rgb(filled))
    np.testing.assert_array_equal(holed[mask == 0], before[mask == 0])
    assert (holed[mask == 1] == (255, 0, 160)).all()
    with pytest.raises(ValueError, match="photo 2"):
        viz.write_report(
            tmp_path / "y.html",
            title="",
            summary={},
            history={},
            fills=[viz.FillSample(image, mask[1:], filled, "photo 2")],
        )


def test_report_without_history_and_samples(tmp_path):
    page = write(tmp_path, confusion=[[0, 0], [0, 0]])
    text = page.read_text(encoding="utf-8")
    assert "Learning curves" not in text and "Images" not in text
    assert text.count("–") == 6  # IoU and accuracy of the two classes and their means


def test_report_of_an_image_that_is_all_ignored(tmp_path):
    ignored = np.full((4, 4), 255)
    page = write(tmp_path, samples=[viz.Sample(np.zeros((4, 4)), ignored, np.zeros((4, 4), int), "void")])
    assert "nothing judged" in page.read_text(encoding="utf-8")


def write(folder, **arguments):
    defaults = dict(title="", summary={}, history={}, confusion=[[1, 0], [0, 1]], class_names=["a", "b"], samples=[])
    return viz.write_report(folder / "x.html", palette=viz.default_palette(2), **(defaults | arguments))


def decoded(source):
    kind, content = source.split(",")
    assert kind == "data:image/png;base64"
    return Image.open(io.BytesIO(base64.b64decode(content)))


def text_brightness(figure):
    """Mean brightness of the grey, opaque pixels: the text and the axes."""
    pixels = np.asarray(figure.convert("RGBA")).astype(int)
    grey = (np.ptp(pixels[..., :3], axis=-1) < 24) & (pixels[..., 3] == 255)
    assert grey.any()
    return pixels[grey][:, :3].mean()


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
    with pytest.raises(ValueError, match="`num_classes`"):
        viz.default_palette(0)
    with pytest.raises(ValueError, match="same classes"):
        write(tmp_path, confusion=[[1]])
    small = viz.Sample(np.zeros((2, 2)), np.zeros((2, 2), int), np.zeros((3, 3), int), "slice 7")
    with pytest.raises(ValueError, match="slice 7"):
        write(tmp_path, samples=[small])
    assert not (tmp_path / "x.html").exists()
