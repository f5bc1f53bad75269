"""Time and memory of LiteRT files, and their operators one by one."""

import json
from pathlib import Path

import keras
import numpy as np
import pytest
from keras import layers

from keras_segpaint import export
from keras_segpaint.export.operators import cut, operator_names
from tests.cli.folders import run_segpaint

pytest.importorskip("ai_edge_litert")
interpreter = pytest.importorskip("ai_edge_litert.interpreter")
pytestmark = pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="a file is measured in a process without Keras; this one writes it"
)


@pytest.fixture(scope="module")
def model() -> keras.Model:
    keras.utils.set_random_seed(3)
    image = keras.Input((16, 24, 3))
    x = layers.Conv2D(4, 3, padding="same", activation="relu")(image)
    # The same convolution twice, of which one is measured.
    y = layers.Conv2D(4, 3, padding="same", activation="relu")(
        layers.Conv2D(4, 3, padding="same", activation="relu")(x)
    )
    # And operators that XNNPACK does not run.
    x = keras.ops.where(keras.ops.equal(x, y), x, keras.ops.sin(y))
    return keras.Model(image, layers.Conv2D(5, 1)(x), name="small")


@pytest.fixture(scope="module")
def file(model: keras.Model, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("measure") / "small.tflite"
    return export.to_litert(model, path, check=False).path


@pytest.fixture(scope="module")
def half(model: keras.Model, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The same model with weights of half precision, which operators of their own bring back to float32."""
    import tensorflow as tf

    folder = tmp_path_factory.mktemp("half")
    model.export(folder, format="tf_saved_model", verbose=False)
    converter = tf.lite.TFLiteConverter.from_saved_model(str(folder))
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.target_spec.supported_types = [tf.float16]
    return converter.convert()


def test_everything_is_measured(file):
    result = export.benchmark(file, threads=(1, 2), runs=7, seconds=0.2)
    assert result.path == file and result.size_bytes == file.stat().st_size
    (image,), (logits,) = result.inputs, result.outputs
    assert (image.dtype, image.shape, image.scales) == ("float32", (1, 16, 24, 3), ())
    assert (logits.dtype, logits.shape) == ("float32", (1, 16, 24, 5))
    assert [latency.threads for latency in result.latencies] == [1, 2]
    for latency in result.latencies:
        assert latency.runs == 7
        assert 0 < latency.minimum <= latency.p50 <= latency.p90 <= latency.p99
        assert latency.minimum <= latency.mean
        # The process's own interpreter and this file; neither Keras nor TensorFlow.
        assert 0 < latency.peak_bytes < 100e6
    counts = {time.kind: (time.count, time.delegated) for time in result.operators}
    assert counts["CONV_2D"] == (4, 4)
    assert counts["EQUAL"] == (1, 0)
    assert sum(count for count, _ in counts.values()) == len(operator_names(file.read_bytes()))
    assert sum(delegated for _, delegated in counts.values()) == sum(result.partitions)
    times = [time.milliseconds for time in result.operators]
    assert all(time > 0 for time in times) and times == sorted(times, reverse=True)


def test_operators_alone_compute_what_they_compute_together(file, tmp_path):
    content = file.read_bytes()
    whole = interpreter.Interpreter(
        model_content=content,
        experimental_preserve_all_tensors=True,
        experimental_op_resolver_type=interpreter.OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
    )
    whole.allocate_tensors()
    image = np.random.default_rng(0).random((1, 16, 24, 3), np.float32)
    whole.set_tensor(whole.get_input_details()[0]["index"], image)
    whole.invoke()
    cuts = cut(content, tmp_path)
    nodes = whole._get_ops_details()
    names = {tensor["name"]: tensor["index"] for tensor in whole.get_tensor_details()}
    assert sorted(position for one in cuts for position in one.positions) == list(range(len(nodes)))
    assert sorted(len(one.positions) for one in cuts if one.kind == "CONV_2D") == [1, 1, 2]
    for one in cuts:
        alone = interpreter.Interpreter(model_path=str(one.path), num_threads=1)
        alone.allocate_tensors()
        for tensor in alone.get_input_details():
            alone.set_tensor(tensor["index"], whole.get_tensor(names[tensor["name"]]))
        alone.invoke()
        (made,) = alone.get_output_details()
        expected = whole.get_tensor(int(nodes[one.positions[0]]["outputs"][0]))
        np.testing.assert_allclose(alone.get_tensor(made["index"]), expected, atol=1e-5)


def test_what_is_computed_of_constants_goes_along_with_what_takes_it(half, tmp_path):
    names = operator_names(half)
    assert names.count("DEQUANTIZE") >= 4
    cuts = cut(half, tmp_path)
    assert {one.kind for one in cuts} == set(names) - {"DEQUANTIZE"}
    for one in cuts:
        alone = operator_names(one.path.read_bytes())
        assert alone[-1] == one.kind and set(alone[:-1]) <= {"DEQUANTIZE"}
        assert ("DEQUANTIZE" in alone) == (one.kind == "CONV_2D")
    path = tmp_path / "half.tflite"
    path.write_bytes(half)
    times = {time.kind: time.milliseconds for time in export.benchmark(path, runs=1, seconds=0.05).operators}
    assert times["DEQUANTIZE"] == 0 and times["CONV_2D"] > 0


def test_the_command_prints_json(file):
    result = run_segpaint("benchmark", file, "--threads", 2, "--runs", 3, "--no-operators", "--json")
    assert result.exit_code == 0, result.output
    printed = json.loads(result.stdout)
    assert printed["latencies"][0]["threads"] == 2 and printed["latencies"][0]["runs"] == 3
    assert printed["inputs"][0]["shape"] == [1, 16, 24, 3] and printed["operators"] == []


def test_what_cannot_be_measured(file, tmp_path):
    with pytest.raises(FileNotFoundError, match="No such file"):
        export.benchmark(tmp_path / "none.tflite")
    other = tmp_path / "model.onnx"
    other.write_bytes(file.read_bytes())
    with pytest.raises(ValueError, match="must be a .tflite file.*model.onnx"):
        export.benchmark(other)
    damaged = tmp_path / "damaged.tflite"
    damaged.write_bytes(file.read_bytes()[:300])
    with pytest.raises(ValueError, match="damaged.tflite is not a LiteRT model that can be run"):
        export.benchmark(damaged)
    for arguments in (dict(threads=(0,)), dict(threads=()), dict(runs=0), dict(seconds=0)):
        with pytest.raises(ValueError, match=f"`{next(iter(arguments))}` must be"):
            export.benchmark(file, **arguments)
