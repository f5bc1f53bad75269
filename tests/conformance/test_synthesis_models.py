"""What every public network that makes images from something else, its critics and its encoders must do."""

import keras
import numpy as np
import pytest

from keras_segpaint.models import synthesis
from tests.conformance.cases import DATA_FORMATS, SYNTHESIS, can_train, fill_weights, policies, to_format
from tests.conformance.outputs import stored_output
from tests.conformance.programs import predict

CASES = pytest.mark.parametrize("name", sorted(SYNTHESIS))
BUILT: dict[tuple[str, str], keras.Model] = {}


def build(name: str, data_format: str = "channels_last") -> keras.Model:
    """A network with reproducible weights, built once."""
    if (name, data_format) not in BUILT:
        case = SYNTHESIS[name]
        size = {} if case.any_size else {"input_shape": (*case.sizes[-1], 3)}
        model = case.build(data_format=data_format, **size)
        fill_weights(model, settled=True)
        BUILT[name, data_format] = model
    return BUILT[name, data_format]


def arrays_for(name: str, size: tuple[int, int], batch: int = 1) -> list[np.ndarray]:
    return SYNTHESIS[name].inputs(size, batch)


def in_format(arrays: list[np.ndarray], data_format: str) -> list[np.ndarray]:
    """Maps in a data format; labels and vectors as they are."""
    return [to_format(x, data_format) if x.ndim == 4 else x for x in arrays]


def outputs_of(model: keras.Model, arrays: list[np.ndarray]) -> list[np.ndarray]:
    """All that a network makes, with the channels last."""
    outputs = keras.tree.flatten(predict(model, arrays if len(arrays) > 1 else arrays[0]))
    first = model.data_format == "channels_first"
    return [np.moveaxis(np.asarray(x), 1, -1) if first and x.ndim == 4 else np.asarray(x) for x in outputs]


def test_every_public_network_has_a_case():
    assert {name.partition("-")[0] for name in SYNTHESIS} == set(synthesis.__all__)


@CASES
def test_any_size(name):
    case = SYNTHESIS[name]
    model = build(name)
    # Sizes are computed alike on every backend, and JAX compiles the network for each.
    few = keras.backend.backend() == "jax" or not case.any_size
    for size in case.sizes[-1:] if few else case.sizes:
        outputs = outputs_of(model, arrays_for(name, size))
        expected = [(*size, 3)] if case.outputs is None else case.outputs(size)
        assert [output.shape for output in outputs] == [(1, *shape) for shape in expected]
        for output in outputs:
            assert output.dtype == np.float32
            assert np.isfinite(output).all()
        if case.outputs is None and case.bounded:
            assert np.abs(outputs[0]).max() <= 1


@CASES
def test_stored_outputs_in_both_data_formats(name):
    arrays = arrays_for(name, SYNTHESIS[name].sizes[-1])
    # The layers are tried in both formats on every backend.
    for data_format in DATA_FORMATS[:1] if keras.backend.backend() == "jax" else DATA_FORMATS:
        outputs = outputs_of(build(name, data_format), in_format(arrays, data_format))
        output = outputs[0] if len(outputs) == 1 else np.concatenate([x.ravel() for x in outputs])
        expected = stored_output(f"synthesis-{name}", output)
        scale = max(1.0, np.abs(expected).max())
        np.testing.assert_allclose(output / scale, expected / scale, rtol=1e-4, atol=1e-4)


@CASES
def test_saving(name, tmp_path):
    model = build(name)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras", safe_mode=True)
    assert type(loaded) is type(model)
    assert loaded.get_config() == model.get_config()
    for own, other in zip(loaded.variables, model.variables, strict=True):
        np.testing.assert_array_equal(keras.ops.convert_to_numpy(own), keras.ops.convert_to_numpy(other))


# JAX compiles every one of these networks for seconds: there some of them are trained.
ON_JAX = ("CRN", "MultiscaleDiscriminator", "SPADEEncoder")


@pytest.mark.parametrize(("name", "dtype"), policies(SYNTHESIS, ON_JAX))
def test_training_step(name, dtype):
    case = SYNTHESIS[name]
    keras.utils.set_random_seed(0)
    model = case.build(input_shape=(*case.fit_size, 3), data_format="channels_last", dtype=dtype)
    # Tracing a graph for two steps costs more than the steps; JAX is the other way round.
    model.compile(keras.optimizers.Adam(1e-2), "mse", run_eagerly=keras.backend.backend() != "jax")
    assert all(output.dtype == "float32" for output in model.outputs)
    before = [keras.ops.convert_to_numpy(weight).copy() for weight in model.trainable_weights]
    arrays = arrays_for(name, case.fit_size, batch=2)
    target = keras.tree.map_structure(lambda x: np.full((2, *x.shape[1:]), 0.3, "float32"), model.output)
    history = model.fit(arrays if len(arrays) > 1 else arrays[0], target, epochs=2, batch_size=2, verbose=0)
    assert np.isfinite(history.history["loss"]).all()
    if dtype == "float32":
        for weight, old in zip(model.trainable_weights, before, strict=True):
            moved = np.abs(keras.ops.convert_to_numpy(weight) - old).max() > 0
            assert moved or not can_train(weight.path), f"{weight.path} was not trained"


@pytest.mark.skipif(
    keras.backend.backend() != "torch", reason="what is counted is the same on every backend, PyTorch is the fastest"
)
@pytest.mark.parametrize(
    ("model", "arguments", "expected"),
    [
        pytest.param(model, arguments, count, id=f"{model.__name__}-{count}")
        for model in (getattr(synthesis, name) for name in synthesis.__all__)
        for arguments, count in model.reference_parameters
    ],
)
def test_parameter_count(model, arguments, expected, undrawn_weights):
    assert sum(int(np.prod(weight.shape)) for weight in model(**arguments).trainable_weights) == expected
