"""Checkpoints of TensorFlow's graphs: the authors' DeepFill v1 and v2."""

import shutil
import sys

import numpy as np
import pytest
from keras import ops

from keras_segpaint import convert, models
from keras_segpaint.convert.mapping import match
from tests.convert.generative_inpainting import compute, of_training, shapes

tf = pytest.importorskip("tensorflow")

VERSIONS = {"jiahuiyu/deepfill_v1": (4, False), "jiahuiyu/deepfill_v2": (8, True)}
PUBLISHED = {
    "jiahuiyu/deepfill_v1": (dict(width=32, gated=False), "DeepFillV1", 3_601_542),
    "jiahuiyu/deepfill_v2": (dict(width=48, gated=True), "DeepFillV2", 4_052_478),
    "a sketch": (dict(width=48, gated=True, sketch=True), "DeepFillV2", 4_053_678),
}


def save(prefix, variables):
    names = list(variables)
    tensors = [tf.constant(variables[name]) for name in names]
    tf.raw_ops.SaveV2(prefix=str(prefix), tensor_names=names, shape_and_slices=[""] * len(names), tensors=tensors)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """The variables of a narrow network by source, and the prefix of its checkpoint with all that training saves."""
    found = {}
    for source, (width, gated) in VERSIONS.items():
        # Activations stay of order 1.
        rng, gain = np.random.default_rng(0), 3.0 if gated else 1.3
        variables = {
            name: rng.normal(scale=(gain / np.prod(shape[:3])) ** 0.5 if len(shape) == 4 else 0.1, size=shape)
            for name, shape in shapes(width, gated).items()
        }
        variables = {name: value.astype("float32") for name, value in variables.items()}
        others = {name: np.ones(shape, "float32") for name, shape in of_training(shapes(width, gated)).items()}
        folder = tmp_path_factory.mktemp(source.replace("/", "_"))
        save(folder / "snap-0", {**variables, **others, "global_step": np.int32(7)})
        # As it was written where the authors trained.
        (folder / "checkpoint").write_text('model_checkpoint_path: "/home/a/model_logs/snap-0"\n')
        found[source] = variables, folder / "snap-0"
    return found


@pytest.mark.parametrize("source", VERSIONS)
def test_the_network_computes_what_the_graph_does(source, trained, rng):
    variables, prefix = trained[source]
    model = convert.build(prefix.parent, source, data_format="channels_last")
    assert model.get_config()["variant"] == "tensorflow"
    counts = f"{2 * len(variables) + 4} variables of the optimizer, 2 variables of the discriminators"
    assert model.card["left_out"] == counts
    image = rng.uniform(-1, 1, (2, 48, 72, 3)).astype("float32")
    mask = np.zeros((1, 48, 72, 1), "float32")
    mask[:, 13:30, 20:41] = 1
    # Images are blue, green and red there.
    expected = compute(variables, image[..., ::-1], mask, VERSIONS[source][1])[..., ::-1]
    output = ops.convert_to_numpy(model([image, np.repeat(mask, 2, 0)], training=False))
    assert expected.std() > 0.05
    np.testing.assert_allclose(output, expected, atol=1e-4)
    plain = type(model).from_config({**model.get_config(), "variant": "pytorch"})
    plain.set_weights(model.get_weights())
    other = ops.convert_to_numpy(plain([image, np.repeat(mask, 2, 0)], training=False))
    assert abs(other - expected).max() > 0.01


@pytest.mark.parametrize("name", PUBLISHED)
def test_every_variable_of_the_published_networks_is_used(name, undrawn_weights):
    arguments, network, parameters = PUBLISHED[name]
    source = convert.get(name if name in VERSIONS else "jiahuiyu/deepfill_v2")
    state = {key: np.broadcast_to(np.float32(0), shape) for key, shape in shapes(**arguments).items()}
    layout = source.layout(state)
    assert layout.model == network and layout.arguments.get("sketch", False) == arguments.get("sketch", False)
    model = getattr(models, network)(**layout.arguments)
    found = match(model, layout.adapt(state), layout.rename(model))
    assert not found.unused and not found.unknown and not found.misshapen and not found.missing
    assert model.count_params() == parameters


def test_a_checkpoint_by_its_files_and_its_folder(trained, tmp_path):
    source = "jiahuiyu/deepfill_v1"
    variables, prefix = trained[source]
    kernel = variables["inpaint_net/conv3/kernel"]
    for path in (prefix, prefix.with_name("snap-0.index"), prefix.with_name("checkpoint"), prefix.parent):
        model = convert.build(path, source)
        np.testing.assert_array_equal(model.get_layer("coarse_conv3").get_weights()[0], kernel)
    save(tmp_path / "snap-5", variables)
    assert convert.build(tmp_path, source).card["file"] == tmp_path.name
    save(tmp_path / "snap-6", variables)
    with pytest.raises(ValueError, match=r"has several checkpoints: snap-5, snap-6. Name one, as .*snap-5"):
        convert.build(tmp_path, source)
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match="has no checkpoint: no file .index"):
        convert.build(tmp_path / "empty", source)
    (tmp_path / "weights.pth").touch()
    with pytest.raises(ValueError, match=r"weights.pth is no checkpoint of TensorFlow, which is several files"):
        convert.build(tmp_path / "weights.pth", source)
    with pytest.raises(FileNotFoundError):
        convert.build(tmp_path / "snap-7", source)


def test_what_does_not_fit_is_named(trained, tmp_path):
    variables, prefix = trained["jiahuiyu/deepfill_v2"]
    with pytest.raises(convert.ConversionError, match="sees 3 channels: give source='jiahuiyu/deepfill_v2'"):
        convert.build(prefix, "jiahuiyu/deepfill_v1")
    save(tmp_path / "more", {**variables, "inpaint_net/conv18/kernel": np.zeros((1, 1, 3, 3), "float32")})
    with pytest.raises(
        convert.ConversionError, match=r"the model lacks coarse_conv18 \(for inpaint_net/conv18/kernel\)"
    ):
        convert.build(tmp_path / "more", "jiahuiyu/deepfill_v2")
    save(tmp_path / "less", {key: value for key, value in variables.items() if "xconv3/bias" not in key})
    with pytest.raises(convert.ConversionError, match="nothing for .*refine_conv3/conv/bias"):
        convert.build(tmp_path / "less", "jiahuiyu/deepfill_v2")
    with pytest.raises(convert.ConversionError, match=r"inpaint_net/allconv11/bias is \(32,\), refine_conv11"):
        convert.load(models.DeepFillV2(4), prefix, "jiahuiyu/deepfill_v2")


def test_a_damaged_checkpoint_and_no_tensorflow(trained, tmp_path, monkeypatch):
    _, prefix = trained["jiahuiyu/deepfill_v2"]
    shutil.copy(prefix.with_name("snap-0.index"), tmp_path / "alone.index")
    with pytest.raises(ValueError, match=r"alone is damaged, or one of its files is not there"):
        convert.build(tmp_path / "alone", "jiahuiyu/deepfill_v2")
    monkeypatch.setitem(sys.modules, "tensorflow", None)
    message = (
        r'Reading a checkpoint of TensorFlow needs the package `tensorflow`.*pip install "keras_segpaint\[tensorflow\]"'
    )
    with pytest.raises(ImportError, match=message):
        convert.build(prefix, "jiahuiyu/deepfill_v2")
