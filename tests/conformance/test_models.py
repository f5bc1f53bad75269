"""What every public model and backbone must do."""

import keras
import numpy as np
import pytest

from keras_segpaint import backbones, models
from tests.conformance.cases import DATA_FORMATS, MODELS, can_train, fill_weights, images, policies, to_format
from tests.conformance.outputs import stored_output
from tests.conformance.programs import predict

CASES = pytest.mark.parametrize("name", sorted(MODELS))
BUILT: dict[tuple, keras.Model] = {}


def build(name: str, data_format: str = "channels_last", **kwargs) -> keras.Model:
    """A model with reproducible weights, built once."""
    key = (name, data_format, *sorted(kwargs.items()))
    if key not in BUILT:
        channels = MODELS[name].channels
        model = MODELS[name].build(input_shape=(None, None, channels), data_format=data_format, **kwargs)
        fill_weights(model)
        BUILT[key] = model
    return BUILT[key]


def run(model: keras.Model, x: np.ndarray) -> np.ndarray:
    """The output in inference mode; of a backbone, its deepest features."""
    output = predict(model, x)
    return np.asarray(output["level5"] if isinstance(output, dict) else output)


def trainable_parameters(model: keras.Model) -> int:
    return sum(int(np.prod(weight.shape)) for weight in model.trainable_weights)


def is_backbone(name: str) -> bool:
    return hasattr(backbones, name.partition("-")[0])


def test_every_public_model_has_a_case():
    covered = {name.partition("-")[0] for name in MODELS}
    public = {name: getattr(room, name) for room in (models.segmentation, backbones) for name in room.__all__}
    assert covered == {name for name, value in public.items() if isinstance(value, type)}


@CASES
def test_any_size(name):
    case = MODELS[name]
    if is_backbone(name):
        pytest.skip("a backbone has no logits of the image's size")
    model = build(name)
    # Sizes are computed alike on every backend, and JAX compiles the network for each.
    for size in case.sizes[-1:] if keras.backend.backend() == "jax" else case.sizes:
        # One image of the last size is what other tests ask for: they share its program.
        batch = 1 if size == case.sizes[-1] else 2
        logits = run(model, images((batch, *size, case.channels)))
        expected = tuple(-(-(extent - case.margin) // case.reduction) for extent in size)
        assert logits.shape == (batch, *expected, 3)
        assert logits.dtype == np.float32
        assert np.isfinite(logits).all()


@CASES
def test_stored_outputs_in_both_data_formats(name):
    case = MODELS[name]
    x = images((1, *case.sizes[-1], case.channels), seed=1)
    # The layers are tried in both formats on every backend.
    for data_format in DATA_FORMATS[:1] if keras.backend.backend() == "jax" else DATA_FORMATS:
        output = run(build(name, data_format), to_format(x, data_format))
        output = np.moveaxis(output, 1, -1) if data_format == "channels_first" else output
        expected = stored_output(f"model-{name}", output)
        scale = max(1.0, np.abs(expected).max())
        np.testing.assert_allclose(output / scale, expected / scale, rtol=1e-4, atol=1e-4)


@CASES
def test_saving(name, tmp_path):
    model = build(name)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras", safe_mode=True)
    assert type(loaded) is type(model)
    assert loaded.get_config() == model.get_config()
    for own, other in zip(loaded.weights, model.weights, strict=True):
        np.testing.assert_array_equal(keras.ops.convert_to_numpy(own), keras.ops.convert_to_numpy(other))
    if keras.backend.backend() != "jax":
        x = images((1, *MODELS[name].sizes[-1], MODELS[name].channels))
        expected = run(model, x)
        # oneDNN may order its sums differently from call to call.
        np.testing.assert_allclose(run(loaded, x), expected, rtol=1e-4, atol=1e-5 * np.abs(expected).max())


@pytest.mark.parametrize(("name", "dtype"), policies(name for name in MODELS if not is_backbone(name)))
def test_training_step(name, dtype):
    case = MODELS[name]
    height, width = case.fit_size
    keras.utils.set_random_seed(0)  # so narrow a network can start with all units of a layer dead
    model = case.build(input_shape=(height, width, case.channels), data_format="channels_last", dtype=dtype)
    # Tracing a graph for two steps costs more than the steps; JAX is the other way round.
    model.compile(
        keras.optimizers.Adam(1e-2),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        run_eagerly=keras.backend.backend() != "jax",
    )
    assert model.output.dtype == "float32"
    assert isinstance(model.optimizer, keras.optimizers.LossScaleOptimizer) == (dtype == "mixed_float16")
    before = [keras.ops.convert_to_numpy(weight).copy() for weight in model.trainable_weights]
    x = images((2, height, width, case.channels))
    logits = tuple(-(-(extent - case.margin) // case.reduction) for extent in case.fit_size)
    y = np.random.default_rng(0).integers(0, 3, (2, *logits)).astype("int32")
    history = model.fit(x, y, epochs=2, batch_size=2, verbose=0)
    assert np.isfinite(history.history["loss"]).all()
    if dtype == "float32":
        for weight, old in zip(model.trainable_weights, before, strict=True):
            change = np.abs(keras.ops.convert_to_numpy(weight) - old).max()
            assert change > 0 or not can_train(weight.path), f"{weight.path} was not trained"


@pytest.mark.skipif(
    keras.backend.backend() != "torch",
    reason="what is counted is the same on every backend, and PyTorch is the fastest to make 130 million weights",
)
@pytest.mark.parametrize(
    ("model", "arguments", "expected"),
    [
        pytest.param(model, arguments, count, id=f"{model.__name__}-{count}")
        for room in (models.segmentation, backbones)
        for model in (getattr(room, name) for name in room.__all__)
        for arguments, count in getattr(model, "reference_parameters", ())
    ],
)
def test_parameter_count(model, arguments, expected, undrawn_weights):
    assert trainable_parameters(model(**arguments)) == expected
