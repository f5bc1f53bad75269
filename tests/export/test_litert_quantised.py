"""LiteRT files of fewer bits and for apps: what they compute, take, give and say about themselves."""

import zipfile

import keras
import numpy as np
import pytest
from keras import layers

from keras_segpaint import export
from keras_segpaint.layers import MaxPoolingWithArgmax2D, MaxUnpooling2D, Resize, SymmetricPadding2D
from keras_segpaint.models import DeepFillV2

pytest.importorskip("tensorflow")
pytest.importorskip("ai_edge_litert")

in_process = pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="the conversion is the same; the tests that run cover the hand-over"
)
SIZE = (24, 32)


def scenes(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Discs (class 1) and bars (class 2) on a ground of shades, with their labels; a corner counts for nothing."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[: SIZE[0], : SIZE[1]]
    images = rng.integers(0, 90, (count, 1, 1, 3)) + rng.integers(0, 40, (count, *SIZE, 3))
    labels = np.zeros((count, *SIZE), np.uint8)
    for image, label in zip(images, labels, strict=True):
        top, left = rng.integers(0, SIZE[0] - 8), rng.integers(0, SIZE[1] - 12)
        bar = (top <= y) & (y < top + 8) & (left <= x) & (x < left + 12)
        disc = np.hypot(y - rng.integers(6, 18), x - rng.integers(6, 26)) < rng.integers(4, 7)
        for number, (where, colour) in enumerate(((bar, (160, 40, 30)), (disc, (40, 60, 190))), start=1):
            image[where] = colour + rng.integers(-30, 30, (int(where.sum()), 3))
            label[where] = number
    labels[:, 0, 0] = 255
    return images.clip(0, 255).astype(np.uint8), labels


def network() -> keras.Model:
    """What makes integers hard or slow: pooling with positions, PReLU, padding with minus infinity, a last resize."""
    keras.utils.set_random_seed(5)
    form = dict(data_format="channels_last")
    image = keras.Input((*SIZE, 3))
    x = layers.Conv2D(8, 3, padding="same", **form)(image)
    x = skip = layers.PReLU(shared_axes=[1, 2])(layers.BatchNormalization(momentum=0.8)(x))
    x, positions = MaxPoolingWithArgmax2D(2, padding="same", **form)(x)
    x = SymmetricPadding2D(3, value=float("-inf"), **form)(x)
    x = layers.MaxPooling2D(3, 1, **form)(x)
    x = layers.PReLU(shared_axes=[1, 2])(layers.Conv2D(8, 3, dilation_rate=2, padding="same", **form)(x))
    x = layers.Add()([MaxUnpooling2D(2, padding="same", **form)(x, positions, like=skip), skip])
    x = layers.Conv2D(3, 3, strides=2, padding="same", **form)(x)
    model = keras.Model(image, Resize(scale=2, **form)(x), name="scenes")
    model.data_format = "channels_last"
    return model


@pytest.fixture(scope="module")
def trained() -> keras.Model:
    model = network()
    images, labels = scenes(96, seed=1)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=255)
    model.compile(keras.optimizers.Adam(0.01), loss)
    model.fit(images.astype("float32") / 255, labels, batch_size=16, epochs=25, verbose=0)
    return model


@in_process
@pytest.mark.parametrize(
    ("precision", "least_equal", "largest_loss"),
    [("float32", 0.9999, 1e-4), ("float16", 0.999, 1e-3), ("dynamic_int8", 0.98, 0.01), ("int8", 0.97, 0.02)],
)
def test_precisions_keep_what_was_learnt(trained, tmp_path, precision, least_equal, largest_loss):
    images, labels = scenes(8, seed=2)
    report = export.to_litert(
        trained,
        tmp_path / "scenes.tflite",
        images=images,
        labels=labels,
        precision=precision,
        calibration=scenes(16, seed=3)[0] if precision == "int8" else None,
        input_dtype="uint8",
        output="classes",
    )
    assert (report.precision, report.input_dtype, report.output) == (precision, "uint8", "classes")
    assert report.mean_iou_keras > 0.8
    assert abs(report.mean_iou - report.mean_iou_keras) < largest_loss
    assert report.equal_argmax > least_equal and report.max_difference is None
    assert "mean IoU" in str(report) and "uint8" in str(report)
    file = export.LiteRTModel(report.path)
    classes = file(images)
    assert classes.dtype == np.uint8 and classes.shape == labels.shape
    expected = np.argmax(trained.predict_on_batch(images.astype("float32") / 255), -1)
    assert np.mean(classes == expected) == pytest.approx(report.equal_argmax)
    # Floats are turned into bytes.
    np.testing.assert_array_equal(file(images.astype("float32") / 255), classes)
    if precision == "int8":
        assert not {"PRELU", "EQUAL", "SELECT_V2", "DEQUANTIZE"} & set(report.operators)


@in_process
def test_small_outputs_and_floats_of_integers(trained, tmp_path):
    images, _ = scenes(4, seed=2)
    small = export.to_litert(trained, tmp_path / "small.tflite", images=images, output="small_logits")
    assert small.max_difference < 1e-3
    logits = export.LiteRTModel(small.path)(images)
    assert logits.shape == (4, 12, 16, 3)
    calibration = (image / 255 for image in scenes(8, seed=3)[0].astype("float32"))
    report = export.to_litert(
        trained, tmp_path / "q.tflite", images=images, output="small_classes", precision="int8", calibration=calibration
    )
    classes = export.LiteRTModel(report.path)(images)
    assert classes.shape == (4, 12, 16) and np.mean(classes == np.argmax(logits, -1)) > 0.95
    with pytest.raises(ValueError, match="outputs of the input's size"):
        export.to_litert(trained, small.path, images=images, labels=images[..., 0], output="small_logits")


def test_small_outputs_need_a_last_resize(tmp_path):
    image = keras.Input((8, 8, 3))
    model = keras.Model(image, layers.Conv2D(2, 1, name="classifier")(image))
    with pytest.raises(ValueError, match="ends with classifier, a Conv2D"):
        export.to_litert(model, tmp_path / "model.tflite", output="small_logits")


def test_calibration_travels_to_tensorflow(tmp_path):
    """The one of these tests that runs on every backend."""
    image = keras.Input((8, 12, 3))
    x = layers.PReLU(shared_axes=[1, 2])(layers.Conv2D(4, 3, padding="same", data_format="channels_last")(image))
    model = keras.Model(image, layers.Conv2D(3, 1, data_format="channels_last")(x), name="tiny")
    model.data_format = "channels_last"
    # The same weights on every backend: how far the rarest values are cut off depends on them.
    rng = np.random.default_rng(1)
    model.set_weights([rng.normal(0, 0.3, w.shape) if w.ndim == 4 else w for w in model.get_weights()])
    images = np.random.default_rng(0).integers(0, 256, (6, 8, 12, 3), np.uint8)
    report = export.to_litert(
        model, tmp_path / "tiny.tflite", images=images, precision="int8", calibration=images, input_dtype="uint8"
    )
    assert report.equal_argmax > 0.95 and "QUANTIZE" in report.operators
    expected = np.asarray(model.predict_on_batch(images.astype("float32") / 255))
    logits = export.LiteRTModel(report.path)(images)
    assert logits.dtype == np.float32
    # Some steps of 1/255 of the range, after two layers.
    steps = np.abs(logits - expected) * 255 / np.ptp(expected)
    assert steps.max() < 6 and np.quantile(steps, 0.99) < 3 and np.quantile(steps, 0.5) < 1


@in_process
def test_filled_images(tmp_path):
    keras.utils.set_random_seed(0)
    model = DeepFillV2(4, data_format="channels_last")
    rng = np.random.default_rng(3)
    planes = np.zeros((3, 16, 24, 4), np.uint8)
    planes[..., :3] = rng.integers(0, 256, planes[..., :3].shape)
    planes[:, 4:9, 6:14, 3] = 255
    for precision in ("float32", "int8"):
        report = export.to_litert(
            model,
            tmp_path / "fill.tflite",
            (16, 24, 4),
            images=planes,
            precision=precision,
            calibration=planes if precision == "int8" else None,
            input_dtype="uint8",
            output="image",
        )
        assert report.psnr > 30 and report.equal_argmax is None
        filled = export.LiteRTModel(report.path)(planes)
        assert filled.dtype == np.uint8
        known = planes[..., 3] == 0
        apart = np.abs(filled[known].astype(int) - planes[known][:, :3])
        assert apart.max() <= (0 if precision == "float32" else 2)
    description = export.read_metadata(report.path)
    assert description["input"]["channels"][3] == "hole (255 is a hole, 0 is known)"
    with pytest.raises(ValueError, match="of an inpainting model must be"):
        export.to_litert(model, report.path, output="classes")


@in_process
def test_the_file_describes_itself(tmp_path):
    model = network()
    model.card = {"source": "somebody/scenes", "licence": "MIT", "classes": ["a", "b", "c"]}
    more = {"classes": ["ground", "bar", "disc"], "palette": np.eye(3, dtype=np.uint8) * 255}
    path = tmp_path / "scenes.tflite"
    export.to_litert(model, path, check=False, metadata=more, input_dtype="uint8", output="classes")
    with zipfile.ZipFile(path) as archive:
        assert archive.read("labels.txt") == b"ground\nbar\ndisc\n"
    description = export.read_metadata(path)
    assert description["licence"] == "MIT" and description["palette"][1] == [0, 255, 0]
    assert description["input"] == {
        "shape": [1, 24, 32, 3],
        "dtype": "uint8",
        "range": [0, 255],
        "channels": ["red", "green", "blue"],
        "normalization": "none: all that the network needs is in the file",
    }
    assert description["output"] == {"kind": "classes", "shape": [1, 24, 32], "dtype": "uint8"}
    content = path.read_bytes()
    export.to_litert(model, path, check=False, metadata=more, input_dtype="uint8", output="classes")
    assert path.read_bytes() == content
    export.to_litert(model, path, check=False, metadata=False)
    with pytest.raises(ValueError, match="holds no description"):
        export.read_metadata(path)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"precision": "int4"}, "`precision` must be one of"),
        ({"input_dtype": "int8"}, "`input_dtype` must be one of"),
        ({"output": "mask"}, "`output` must be one of"),
        ({"output": "image"}, "`output` of a segmentation model must be one of"),
        ({"precision": "int8"}, "`calibration` must be given"),
        ({"precision": "int8", "calibration": []}, "at least one image"),
        ({"precision": "int8", "calibration": np.zeros((2, 9, 9, 3), np.uint8)}, "Resize them first"),
        ({"precision": "int8", "calibration": np.full((2, *SIZE, 3), 200.0)}, r"floating ones in \[0, 1\]"),
        ({"labels": np.zeros((1, 2, 2), int)}, "one map for each of"),
    ],
)
def test_choices_are_checked_first(tmp_path, arguments, message):
    with pytest.raises(ValueError, match=message):
        export.to_litert(network(), tmp_path / "model.tflite", **arguments)
    assert list(tmp_path.iterdir()) == []


@in_process
@pytest.mark.parametrize("constant", [True, False])
def test_a_file_of_integers_that_is_grossly_wrong_is_refused(trained, tmp_path, monkeypatch, constant):
    from keras_segpaint.export import litert

    images, _ = scenes(2, seed=2)
    wrong = np.zeros((1, *SIZE), np.uint8) if constant else np.random.default_rng(0).integers(0, 3, (1, *SIZE))
    monkeypatch.setattr(litert, "write_litert", lambda model, shape, path, *_: path.write_bytes(b""))
    monkeypatch.setattr(litert, "LiteRTModel", lambda path: lambda images: wrong)
    message = "gives class 0 everywhere, the Keras model 3 classes" if constant else "equal class in"
    with pytest.raises(export.ExportError, match=message):
        export.to_litert(
            trained, tmp_path / "q.tflite", images=images, output="classes", precision="int8", calibration=images
        )
    assert list(tmp_path.iterdir()) == []


@in_process
def test_a_file_that_does_not_run_is_refused(trained, tmp_path, monkeypatch):
    from keras_segpaint.export import litert

    def fail(images):
        raise RuntimeError("div.cc: data[i] != zero_point was not true")

    monkeypatch.setattr(litert, "write_litert", lambda model, shape, path, *_: path.write_bytes(b""))
    monkeypatch.setattr(litert, "LiteRTModel", lambda path: fail)
    images, _ = scenes(2, seed=2)
    with pytest.raises(export.ExportError, match=r"in int8 does not run: div.cc"):
        export.to_litert(trained, tmp_path / "q.tflite", images=images, precision="int8", calibration=images)
    assert list(tmp_path.iterdir()) == []
