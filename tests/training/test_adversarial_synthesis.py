"""A generator of images from label maps, its critic and encoder under plain `fit`."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_segpaint import training
from tests.conformance.outputs import stored_output
from tests.training import synthesizers as tiny
from tests.training.adversaries import weights_of

RATE = 0.5


@pytest.fixture(scope="module")
def batch():
    return tiny.batch()


def adversaries(codes=False, dtype="float32", **kwargs):
    coder = tiny.encoder(dtype) if codes else None
    return training.AdversarialSynthesis(tiny.generator(codes, dtype), tiny.critic(dtype), coder, **kwargs)


def fit(model, batch, **kwargs):
    labels, images = batch
    x = labels if model.encoder is None else [labels, images]
    return model.fit(x, images, batch_size=len(images), shuffle=False, verbose=0, **kwargs)


def assert_same_steps(before, values, expected):
    steps = [np.abs(new - old).max() for new, old in zip(expected, before, strict=True)]
    for value, new, old, step in zip(values, expected, before, steps, strict=True):
        np.testing.assert_allclose(value - old, new - old, atol=1e-4 * step + 1e-6)
    assert max(steps) > 1e-3


@pytest.mark.parametrize("codes", [False, True], ids=["labels", "codes"])
def test_each_network_takes_the_step_that_it_takes_alone(batch, codes, monkeypatch):
    """Under plain gradient descent the change of a weight is its gradient, times the rate."""
    labels, images = batch
    noise = np.random.default_rng(1).normal(size=(2, tiny.CODES)).astype("float32")
    monkeypatch.setattr(keras.random, "normal", lambda *args, **kwargs: ops.convert_to_tensor(noise))
    model = adversaries(codes)
    networks = [model.generator, model.critic, *([model.encoder] if codes else [])]
    before = [weights_of(network) for network in networks]
    made = model([labels, images], training=True)["image"] if codes else model(labels, training=True)
    model.compile(keras.optimizers.SGD(RATE), loss="mae")
    fit(model, batch)

    alone = tiny.MakerStep(tiny.generator(codes), tiny.critic(), tiny.encoder() if codes else None, noise)
    alone.compile(keras.optimizers.SGD(RATE))
    alone.fit([labels, images] if codes else labels, images, batch_size=2, shuffle=False, verbose=0)
    judge = tiny.JudgeStep(tiny.critic())
    judge.compile(keras.optimizers.SGD(RATE))
    judge.fit([labels, images, ops.convert_to_numpy(made)], np.zeros(2), batch_size=2, shuffle=False, verbose=0)

    references = [alone.made, judge.judge, *([alone.coder] if codes else [])]
    for network, reference, start in zip(networks, references, before, strict=True):
        assert_same_steps(start, weights_of(network), weights_of(reference))


@pytest.mark.parametrize("adversarial", ["hinge", "least_squares"])
def test_three_steps_agree_on_all_backends(batch, adversarial):
    model = adversaries(adversarial=adversarial)
    model.compile(keras.optimizers.SGD(0.01), critic_optimizer=keras.optimizers.SGD(0.04), loss="mae")
    history = fit(model, batch, epochs=3).history
    names = [tracker.name for tracker in model.trackers]
    image = ops.convert_to_numpy(model.predictor()(batch[0]))
    result = np.concatenate([*(history[name] for name in names), image[:, ::4, ::4].ravel()])
    expected = stored_output(f"adversarial-synthesis-{adversarial}-three-steps", result)
    np.testing.assert_allclose(result, expected, rtol=1e-3, atol=1e-3)


def test_two_learning_rates(batch):
    model = adversaries(codes=True)
    model.compile(keras.optimizers.Adam(0.0), critic_optimizer=keras.optimizers.Adam(1e-2), loss="mae")
    before = {name: weights_of(getattr(model, name)) for name in model.networks}
    fit(model, batch)
    for name, old in before.items():
        moved = max(np.abs(a - b).max() for a, b in zip(weights_of(getattr(model, name)), old, strict=True))
        assert (moved > 1e-3) if name == "critic" else (moved == 0), name


@pytest.mark.parametrize("dtype", ["float32", "mixed_float16"])
def test_it_learns_and_reports(batch, dtype):
    model = adversaries(codes=True, dtype=dtype, adversarial_weight=0.1, feature_matching_weight=1.0)
    model.compile(keras.optimizers.Adam(1e-2), loss="mae", metrics=[keras.metrics.MeanAbsoluteError(name="l1")])
    assert isinstance(model.optimizer, keras.optimizers.LossScaleOptimizer) == (dtype == "mixed_float16")
    labels, images = batch
    history = fit(model, batch, epochs=12, validation_data=([labels, images], images)).history
    names = {
        "reconstruction_loss",
        "adversarial_loss",
        "feature_matching_loss",
        "critic_loss",
        "real_score",
        "fake_score",
        "divergence",
        "l1",
        "loss",
    }
    assert set(history) == names | {f"val_{name}" for name in names}
    assert all(np.isfinite(values).all() for values in history.values())
    assert history["reconstruction_loss"][-1] < 0.95 * history["reconstruction_loss"][0]
    assert history["critic_loss"][-1] < history["critic_loss"][0]
    # Judged without noise, the validation is the same every time.
    first, second = (model.evaluate([labels, images], images, verbose=0, return_dict=True) for _ in range(2))
    assert first == second


def test_weights_of_the_terms(batch):
    history = {}
    for weight in (0.0, 10.0):
        model = adversaries(feature_matching_weight=weight)
        model.compile(keras.optimizers.SGD(0.0))
        history[weight] = fit(model, batch).history
    assert history[0.0]["feature_matching_loss"] == [0.0] and history[10.0]["feature_matching_loss"][0] > 0.01
    # Without a compiled loss.
    assert history[0.0]["reconstruction_loss"] == [0.0]
    expected = {name: values[0] for name, values in history[10.0].items()}
    total = expected["adversarial_loss"] + 10 * expected["feature_matching_loss"] + expected["critic_loss"]
    assert expected["loss"] == pytest.approx(total, rel=1e-5)


def test_a_saved_model_goes_on_as_if_never_stopped(batch, tmp_path):
    def start():
        model = adversaries(codes=True)
        model.compile(keras.optimizers.Adam(1e-3), critic_optimizer=keras.optimizers.Adam(4e-3), loss="mae")
        return model

    through, stopped = start(), start()
    # A `.keras` file leaves the states of random generators out; checkpoints of runs have them.
    for model in (through, stopped):
        fit(model, batch, epochs=1)
    stopped.save(tmp_path / "gan.keras")
    again = keras.saving.load_model(tmp_path / "gan.keras")
    again.random.state.assign(stopped.random.state)
    for model in (through, again):
        fit(model, batch, epochs=2)
    for network in model.networks:
        for value, expected in zip(
            weights_of(getattr(again, network)), weights_of(getattr(through, network)), strict=True
        ):
            np.testing.assert_allclose(value, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"adversarial": "wasserstein"}, "`adversarial` must be one of hinge, least_squares"),
        ({"feature_matching_weight": -1.0}, "`feature_matching_weight` must be >= 0"),
        ({"critic_steps": 0}, "`critic_steps` must be an integer >= 1"),
        ({"encoder": True}, "codes if and only if there is an `encoder`"),
    ],
)
def test_errors(arguments, message):
    if arguments.pop("encoder", False):
        arguments["encoder"] = tiny.encoder()
    with pytest.raises(ValueError, match=message):
        training.AdversarialSynthesis(tiny.generator(), tiny.critic(), **arguments)


def test_an_encoder_needs_images(batch):
    with pytest.raises(ValueError, match=r"inputs must be \(labels, images\)"):
        adversaries(codes=True)(batch[0])
