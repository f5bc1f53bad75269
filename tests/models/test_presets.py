"""Presets: folders and repositories that models are written to and read from, and what is refused."""

import json
from pathlib import Path

import huggingface_hub
import keras
import numpy as np
import pytest

from keras_segpaint import models
from keras_segpaint.models import DeepFillV2, PConvUNet, StyleTransfer, UNet

CARD = {"source": "milesial/unet", "licence": "GPL-3.0", "classes": ["road", "car"], "palette": [[0, 0, 0], [1, 2, 3]]}


def unet() -> UNet:
    model = UNet(2, base_filters=2, attention="se", dtype="mixed_bfloat16")
    model.card = dict(CARD)
    return model


@pytest.fixture(scope="module")
def saved(tmp_path_factory) -> tuple[UNet, Path]:
    model = unet()
    folder = tmp_path_factory.mktemp("presets") / "new" / "unet"
    model.save_to_preset(folder)
    return model, folder


def copy(folder: Path, to: Path) -> Path:
    to.mkdir()
    for file in folder.iterdir():
        (to / file.name).write_bytes(file.read_bytes())
    return to


def outputs(model: keras.Model) -> np.ndarray:
    rng = np.random.default_rng(0)
    shapes = [[extent or (1, 32, 32)[axis] for axis, extent in enumerate(tensor.shape)] for tensor in model.inputs]
    values = [rng.random(shape).astype("float32") for shape in shapes]
    return np.asarray(model.predict_on_batch(values if len(values) > 1 else values[0]))


@pytest.mark.parametrize(
    "make",
    [
        unet,
        lambda: PConvUNet(levels=4, base_filters=2, data_format="channels_last"),
        lambda: StyleTransfer(base_filters=2, data_format="channels_last"),
    ],
    ids=["segmentation", "inpainting", "synthesis"],
)
def test_a_model_of_each_family_comes_back(tmp_path, make):
    model = make()
    rng = np.random.default_rng(1)
    # Initial biases and statistics are the same in every model.
    model.set_weights([abs(w + rng.normal(0, 0.05, w.shape)) if w.ndim == 1 else w for w in model.get_weights()])
    model.save_to_preset(tmp_path)
    for read in (type(model).from_preset, models.from_preset, type(model).__mro__[1].from_preset):
        again = read(tmp_path)
        assert type(again) is type(model) and again.get_config() == model.get_config()
        for before, after in zip(model.get_weights(), again.get_weights(), strict=True):
            np.testing.assert_array_equal(before, after)
    np.testing.assert_array_equal(outputs(again), outputs(model))


def test_the_layout_is_that_of_keras_hub(saved):
    model, folder = saved
    assert sorted(file.name for file in folder.iterdir()) == [
        "README.md",
        "config.json",
        "metadata.json",
        "model.weights.h5",
    ]
    config = json.loads((folder / "config.json").read_text())
    assert set(config) == {"module", "class_name", "config", "registered_name"}
    assert (config["module"], config["class_name"]) == ("keras_segpaint.models.segmentation.unet", "UNet")
    assert config["registered_name"] == "keras_segpaint>UNet"
    assert keras.saving.deserialize_keras_object(config).get_config() == model.get_config()
    metadata = json.loads((folder / "metadata.json").read_text())
    assert metadata["keras_version"] == keras.__version__
    assert metadata["parameter_count"] == model.count_params()
    assert len(metadata["date_saved"]) == len("2024-01-01@00:00:00")


def test_the_card_travels_and_is_shown(saved):
    _, folder = saved
    assert UNet.from_preset(folder).card == CARD
    page = (folder / "README.md").read_text()
    assert page.startswith("---\nlibrary_name: keras\nlicense: other\n")
    assert "| licence | GPL-3.0 |" in page and "| classes | road, car |" in page and "palette" not in page
    assert UNet.paper in page


def test_a_page_of_ones_own_is_left_alone_and_the_rest_replaced(saved, tmp_path):
    folder = copy(saved[1], tmp_path / "mine")
    (folder / "README.md").write_text("my words")
    UNet(5, base_filters=2).save_to_preset(folder)
    assert (folder / "README.md").read_text() == "my words"
    assert models.from_preset(folder).num_classes == 5
    assert len(list(folder.iterdir())) == 4


def test_arguments_replace_the_stored_ones(saved):
    model, folder = saved
    other = UNet.from_preset(folder, dtype="float32", data_format="channels_first")
    assert (other.compute_dtype, other.data_format) == ("float32", "channels_first")
    for before, after in zip(model.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_array_equal(before, after)


def test_another_class_is_named(saved):
    with pytest.raises(ValueError, match=r"holds a UNet, not a ENet. Use UNet.from_preset, or models.from_preset"):
        models.ENet.from_preset(saved[1])
    with pytest.raises(ValueError, match="holds a UNet, not a InpaintingModel"):
        DeepFillV2.__mro__[1].from_preset(saved[1])


def test_what_is_missing_or_damaged_is_said(saved, tmp_path):
    with pytest.raises(FileNotFoundError, match="save_to_preset wrote, or hf://user/name: '.*nowhere'"):
        UNet.from_preset(tmp_path / "nowhere")
    for name in ("config.json", "model.weights.h5"):
        folder = copy(saved[1], tmp_path / f"without {name}")
        (folder / name).unlink()
        with pytest.raises(FileNotFoundError, match=f"lacks this file.*{name}"):
            UNet.from_preset(folder)
    folder = copy(saved[1], tmp_path / "truncated")
    weights = (folder / "model.weights.h5").read_bytes()
    (folder / "model.weights.h5").write_bytes(weights[: len(weights) // 2])
    with pytest.raises(ValueError, match="model.weights.h5 is damaged, or of another UNet .* again"):
        UNet.from_preset(folder)
    UNet(2, base_filters=3).save_weights(folder / "model.weights.h5")
    with pytest.raises(ValueError, match="of another UNet than config.json says"):
        UNet.from_preset(folder)
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "config": {"no_such": 3}}))
    with pytest.raises(ValueError, match="cannot be built from config.json: .*no_such"):
        UNet.from_preset(folder)
    (folder / "config.json").write_text('{"config":')
    with pytest.raises(ValueError, match="is not the config.json of a preset"):
        UNet.from_preset(folder)
    with pytest.raises(ValueError, match="are not those of UNet with {'base_filters': 3}"):
        UNet.from_preset(saved[1], base_filters=3)
    with pytest.raises(ValueError, match="are not those of UNet with .*no_such"):
        UNet.from_preset(saved[1], no_such=3)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"registered_name": "other_package>UNet"}, "other_package>UNet, which is no model of this package"),
        ({"registered_name": "keras_segpaint>Resize"}, "no model of this package"),
        ({"registered_name": "Dense"}, "no model of this package"),
        (
            {"config": {"num_classes": 2, "dtype": {"module": "evil_module", "class_name": "Run", "config": {}}}},
            "evil_module.Run in its configuration",
        ),
    ],
)
def test_nothing_is_imported_by_a_name_in_a_file(saved, tmp_path, monkeypatch, change, message):
    (tmp_path / "evil_module.py").write_text("raise SystemExit('imported')")
    monkeypatch.syspath_prepend(tmp_path)
    folder = copy(saved[1], tmp_path / "folder")
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "module": "evil_module", **change}))
    with pytest.raises(ValueError, match=message):
        models.from_preset(folder)


def test_another_program_s_folder_is_not_written_to(tmp_path):
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(FileExistsError, match="something else than a preset"):
        UNet(2, base_filters=2).save_to_preset(tmp_path)
    with pytest.raises(FileExistsError, match="choose a folder"):
        UNet(2, base_filters=2).save_to_preset(tmp_path / "config.json")
    assert [file.name for file in tmp_path.iterdir()] == ["config.json"]


def test_a_repository_of_the_hub(saved, monkeypatch):
    asked = []

    def download(name, revision=None, allow_patterns=None):
        asked.append((name, revision))
        assert "model.weights.h5" in allow_patterns
        return str(saved[1])

    monkeypatch.setattr(huggingface_hub, "snapshot_download", download)
    assert UNet.from_preset("hf://someone/unet").card == CARD
    models.from_preset("hf://someone/unet@v2")
    assert asked == [("someone/unet", None), ("someone/unet", "v2")]
    for wrong in ("hf://unet", "hf://someone/unet/more", "hf:///unet"):
        with pytest.raises(ValueError, match="is named hf://user/name"):
            models.from_preset(wrong)


def test_without_a_network(monkeypatch, tmp_path):
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(ConnectionError, match="hf://someone/unet could not be downloaded .*hf download someone/unet"):
        UNet.from_preset("hf://someone/unet")
