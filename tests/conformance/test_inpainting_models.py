"""What every public inpainting network and critic must do."""

import keras
import numpy as np
import pytest

from keras_segpaint.models import inpainting
from tests.conformance.cases import DATA_FORMATS, INPAINTING, fill_weights, images, policies, to_format
from tests.conformance.outputs import stored_output
from tests.conformance.programs import predict

CASES = pytest.mark.parametrize("name", sorted(INPAINTING))
BUILT: dict[tuple[str, str], keras.Model] = {}


def build(name: str, data_format: str = "channels_last") -> keras.Model:
    """A network with reproducible weights, built once."""
    if (name, data_format) not in BUILT:
        model = INPAINTING[name].build(data_format=data_format)
        fill_weights(model)
        BUILT[name, data_format] = model
    return BUILT[name, data_format]


def arrays_for(name: str, size: tuple[int, int], batch: int = 1) -> list[np.ndarray]:
    """Image, mask of another hole for each sample, and sketch or labels where there are any."""
    height, width = size
    image = images((batch, *size, 3), seed=1) * 2 - 1
    mask = np.zeros((batch, *size, 1), "float32")
    for sample in range(batch):
        mask[sample, height // 4 : height // 2, width // 4 + sample : width // 2 + sample] = 1
    if INPAINTING[name].labels:
        labels = np.arange(height)[:, None] // 9 + np.arange(width) // 13
        labels = np.where(labels % 4 == 3, 255, labels % 4).astype("int32")
        return [image, mask, np.broadcast_to(labels[None, ..., None], (batch, *size, 1))]
    sketch = np.round(images((batch, *size, 1), seed=2))
    return [image, mask, sketch] if INPAINTING[name].sketch else [image, mask]


def outputs_of(model: keras.Model, arrays: list[np.ndarray]) -> dict[str, np.ndarray]:
    output = predict(model, arrays)
    return {key: np.asarray(x) for key, x in (output if isinstance(output, dict) else {"image": output}).items()}


def test_every_public_network_has_a_case():
    covered = {name.partition("-")[0] for name in INPAINTING}
    # A critic of one input and of known size is tested beside its network.
    assert covered | {"DeepFillV1Critic"} == set(inpainting.__all__)


@CASES
def test_any_size(name):
    case = INPAINTING[name]
    model = build(name)
    # Sizes are computed alike on every backend, and JAX compiles the network for each.
    for size in case.sizes[-1:] if keras.backend.backend() == "jax" else case.sizes:
        for output in outputs_of(model, arrays_for(name, size)).values():
            expected = tuple(-(-extent // case.stride) for extent in size) if case.critic else size
            reached = (
                {expected} if "Coherence" not in name else {tuple(side // by for side in size) for by in (1, 2, 4, 8)}
            )
            assert output.shape[0] == 1 and output.shape[1:3] in reached
            assert output.dtype == np.float32
            assert np.isfinite(output).all()


@CASES
def test_stored_outputs_in_both_data_formats(name):
    arrays = arrays_for(name, INPAINTING[name].sizes[-1])
    # The layers are tried in both formats on every backend.
    for data_format in DATA_FORMATS[:1] if keras.backend.backend() == "jax" else DATA_FORMATS:
        output = outputs_of(build(name, data_format), [to_format(x, data_format) for x in arrays])["image"]
        output = np.moveaxis(output, 1, -1) if data_format == "channels_first" else output
        expected = stored_output(f"inpainting-{name}", output)
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


@pytest.mark.parametrize("name", [name for name, case in INPAINTING.items() if not case.critic])
def test_what_is_in_the_hole_does_not_matter(name):
    arrays = arrays_for(name, INPAINTING[name].sizes[-1])
    expected = outputs_of(build(name), arrays)["image"]
    image = np.where(arrays[1] > 0, np.float32(0.5), arrays[0])
    np.testing.assert_allclose(outputs_of(build(name), [image, *arrays[1:]])["image"], expected, atol=1e-5)


# JAX compiles every one of these networks for seconds: there some of them are trained.
ON_JAX = ("DeepFillV2", "PConvUNet", "SNPatchDiscriminator")


@pytest.mark.parametrize(("name", "dtype"), policies(INPAINTING, ON_JAX))
def test_training_step(name, dtype):
    case = INPAINTING[name]
    keras.utils.set_random_seed(0)
    model = case.build(input_shape=(*case.fit_size, 3), data_format="channels_last", dtype=dtype)
    # Tracing a graph for two steps costs more than the steps; JAX is the other way round.
    model.compile(keras.optimizers.Adam(1e-2), "mse", run_eagerly=keras.backend.backend() != "jax")
    assert all(output.dtype == "float32" for output in model.outputs)
    before = [keras.ops.convert_to_numpy(weight).copy() for weight in model.trainable_weights]
    arrays = arrays_for(name, case.fit_size, batch=2)
    # Of two stages, which are judged by one image.
    output = model.output["image"] if isinstance(model.output, dict) else model.output
    target = np.full((2, *output.shape[1:]), 0.3, "float32")
    weights = None
    if getattr(model, "guidance", None) == "target":
        target = {"image": target, "labels": np.tile([0, 1, 2, 255], (2, 32, 10))}
        weights = dict.fromkeys(target, np.ones_like(arrays[1]))
    history = model.fit(arrays, target, sample_weight=weights, epochs=2, batch_size=2, verbose=0)
    assert np.isfinite(history.history["loss"]).all()
    if dtype == "float32":
        for weight, old in zip(model.trainable_weights, before, strict=True):
            assert np.abs(keras.ops.convert_to_numpy(weight) - old).max() > 0, f"{weight.path} was not trained"


@pytest.mark.skipif(
    keras.backend.backend() != "torch", reason="what is counted is the same on every backend, PyTorch is the fastest"
)
@pytest.mark.parametrize(
    ("model", "arguments", "expected"),
    [
        pytest.param(model, arguments, count, id=f"{model.__name__}-{count}")
        for model in (getattr(inpainting, name) for name in inpainting.__all__)
        for arguments, count in model.reference_parameters
    ],
)
def test_parameter_count(model, arguments, expected, undrawn_weights):
    assert sum(int(np.prod(weight.shape)) for weight in model(**arguments).trainable_weights) == expected
