"""What every public layer must do."""

import keras
import numpy as np
import pytest

from keras_segpaint import layers
from tests.conformance.cases import DATA_FORMATS, LAYERS, can_train, fill_weights, images, policies, to_format
from tests.conformance.outputs import stored_output

CASES = pytest.mark.parametrize("name", sorted(LAYERS))


def arrays_for(name: str, batch: int = 2) -> list[np.ndarray]:
    return [images((batch, *shape), seed=index) for index, shape in enumerate(LAYERS[name].inputs)]


def model_of(name: str, data_format: str = "channels_last", static: bool = True) -> keras.Model:
    """The layer in a functional model."""
    case = LAYERS[name]
    inputs = []
    for shape in case.inputs:
        shape = shape if static else (None, None, shape[-1])
        inputs.append(keras.Input(shape if data_format == "channels_last" else (shape[-1], *shape[:-1])))
    return keras.Model(inputs, case.apply(case.build(data_format), inputs))


def test_every_public_layer_has_a_case():
    public = {name for name in layers.__all__ if issubclass(getattr(layers, name), keras.layers.Layer)}
    assert {name.partition("-")[0] for name in LAYERS} == public


@CASES
@pytest.mark.parametrize("static", [True, False], ids=["static", "dynamic"])
def test_stored_outputs_in_both_data_formats(name, static):
    for data_format in DATA_FORMATS:
        model = model_of(name, data_format, static)
        fill_weights(model, LAYERS[name].settled)
        output = np.asarray(model.predict_on_batch([to_format(x, data_format) for x in arrays_for(name)]))
        output = np.moveaxis(output, 1, -1) if data_format == "channels_first" else output
        np.testing.assert_allclose(output, stored_output(f"layer-{name}", output), rtol=1e-4, atol=1e-5)


@CASES
def test_symbolic_shape_is_the_real_one(name):
    model = model_of(name)
    assert tuple(model.predict_on_batch(arrays_for(name)).shape[1:]) == tuple(model.output.shape[1:])


@CASES
def test_saving(name, tmp_path):
    model = model_of(name)
    fill_weights(model, LAYERS[name].settled)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras", safe_mode=True)
    x = arrays_for(name)
    np.testing.assert_array_equal(np.asarray(loaded.predict_on_batch(x)), np.asarray(model.predict_on_batch(x)))


@CASES
def test_config(name):
    layer = LAYERS[name].build("channels_first")
    again = type(layer).from_config(layer.get_config())
    assert again.get_config() == layer.get_config()


@pytest.mark.parametrize(("name", "dtype"), policies(LAYERS, each_on=("torch", "tensorflow")))
def test_training_behind_a_convolution(name, dtype):
    case = LAYERS[name]
    keras.config.set_dtype_policy(dtype)
    try:
        inputs = [keras.Input(shape) for shape in case.inputs]
        conv = keras.layers.Conv2D(case.inputs[0][-1], 3, padding="same", data_format="channels_last")
        layer = case.build("channels_last")
        output = case.apply(layer, [conv(inputs[0]), *inputs[1:]])
    finally:
        keras.config.set_dtype_policy("float32")
    assert output.dtype == keras.dtype_policies.get(dtype).compute_dtype
    model = keras.Model(inputs, output)
    # Tracing a graph for two steps costs more than the steps; JAX is the other way round.
    model.compile("adam", "mse", jit_compile=False, run_eagerly=keras.backend.backend() != "jax")
    before = [keras.ops.convert_to_numpy(weight).copy() for weight in model.trainable_weights]
    x = arrays_for(name)
    history = model.fit(x, np.ones((2, *output.shape[1:]), "float32"), epochs=2, verbose=0)
    assert np.isfinite(history.history["loss"]).all()
    for weight, old in zip(model.trainable_weights, before, strict=True):
        assert np.abs(keras.ops.convert_to_numpy(weight) - old).max() > 0 or not can_train(weight.path), weight.path
