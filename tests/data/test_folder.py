import json
import shutil

import numpy as np
import pytest
from PIL import Image

from keras_segpaint.data import CamVid, DataError, FolderDataset, InstanceDataset, available_splits, load_dataset
from tests.data.folders import PALETTE, truncate, write_dataset


@pytest.fixture
def root(tmp_path):
    return write_dataset(tmp_path / "set")


def test_reads_images_masks_and_classes(root):
    dataset = FolderDataset(root)
    dataset.validate()
    image, mask, name = dataset[2]
    assert len(dataset) == 6 and dataset.num_classes == 3 and name == "002.png"
    assert image.dtype == np.uint8 and image.shape == (24, 32, 3)
    np.testing.assert_array_equal(image[..., 0], 20 + 80 * mask)
    assert dataset.palette.shape == (3, 3)


def test_other_suffixes_and_uneven_lists_are_matched_by_stem(root):
    Image.open(root / "images" / "000.png").save(root / "images" / "000.BMP")
    (root / "images" / "000.png").unlink()
    (root / "masks" / "extra.png").write_bytes((root / "masks" / "001.png").read_bytes())
    (root / "images" / "notes.md").write_text("not an image")
    assert len(FolderDataset(root)) == 6


def test_undivided_folder_holds_out_every_fifth(root):
    train, val = load_dataset(str(root), "train"), load_dataset(str(root), "val")
    assert [example.name for example in val] == ["004.png"]
    assert len(train) == 5 and available_splits(str(root)) == ["train", "val"]
    with pytest.raises(DataError, match=r"no split 'test'. Available: train, val, all"):
        load_dataset(str(root), "test")


@pytest.mark.parametrize("layout", ["{split}/{kind}", "{kind}/{split}"])
def test_divided_folders(tmp_path, layout):
    for split, count in (("train", 3), ("val", 2)):
        source = write_dataset(tmp_path / f"source {split}", count)
        for kind in ("images", "masks"):
            shutil.copytree(source / kind, tmp_path / "set" / layout.format(split=split, kind=kind))
    root = str(tmp_path / "set")
    assert [len(load_dataset(root, split)) for split in ("train", "val", "all")] == [3, 2, 5]
    assert available_splits(root) == ["train", "val"]


def test_class_files(root):
    (root / "classes.txt").write_text("sky #0000ff\nroad #808080\nC# code #ff0000\n")
    dataset = FolderDataset(root)
    assert dataset.class_names == ("sky", "road", "C# code")
    assert dataset.palette.tolist() == [[0, 0, 255], [128, 128, 128], [255, 0, 0]]
    (root / "classes.txt").unlink()
    (root / "classes.json").write_text(json.dumps(["sky", {"name": "road"}, "car"]))
    assert FolderDataset(root).class_names == ("sky", "road", "car")
    with pytest.raises(ValueError, match="num_classes.*3.*Received: num_classes=4"):
        FolderDataset(root, num_classes=4)
    (root / "classes.json").write_text("{")
    with pytest.raises(DataError, match=r"classes\.json: must be a list"):
        FolderDataset(root)


def test_palette_and_16_bit_masks_give_indices(root):
    labels = np.arange(24 * 32).reshape(24, 32) % 3
    palette_image = Image.fromarray(labels.astype(np.uint8), mode=None).convert("L").convert("P")
    palette_image = Image.frombytes("P", (32, 24), labels.astype(np.uint8).tobytes())
    palette_image.putpalette(PALETTE)
    palette_image.save(root / "masks" / "000.png")
    Image.fromarray(labels.astype(np.uint16)).save(root / "masks" / "001.png")
    dataset = FolderDataset(root)
    dataset.validate()
    np.testing.assert_array_equal(dataset[0].mask, labels)
    np.testing.assert_array_equal(dataset[1].mask, labels)
    assert dataset[1].mask.dtype == np.int32


def test_label_map_of_colours_and_greys(root):
    colours = np.array([[0, 0, 0], [255, 0, 0], [0, 0, 255]], np.uint8)
    labels = [np.asarray(Image.open(path)) for path in sorted((root / "masks").iterdir())]
    for index, mask in enumerate(labels):
        Image.fromarray(colours[mask]).save(root / "masks" / f"{index:03d}.png")
    with pytest.raises(DataError, match=r"000\.png: the mask has RGB colours .*label_map"):
        FolderDataset(root)
    mapping = {tuple(map(int, colour)): index for index, colour in enumerate(colours)}
    dataset = FolderDataset(root, label_map=mapping)
    dataset.validate()
    for example, mask in zip(dataset, labels, strict=True):
        np.testing.assert_array_equal(example.mask, mask)
    del mapping[0, 0, 255]
    with pytest.raises(DataError, match=r"the mask holds \(0, 0, 255\), which `label_map` lacks"):
        FolderDataset(root, label_map=mapping, num_classes=3).validate()
    with pytest.raises(DataError, match="maps grey values"):
        FolderDataset(root, label_map={0: 0}, num_classes=1).validate()


def test_binary_masks_of_0_and_255_are_pointed_out(root):
    for path in (root / "masks").iterdir():
        Image.fromarray((np.asarray(Image.open(path)) > 0).astype(np.uint8) * 255).save(path)
    with pytest.raises(DataError, match=r"hold only 0 and 255.*label_map=\{0: 0, 255: 1\}"):
        FolderDataset(root, num_classes=2).validate()
    dataset = FolderDataset(root, label_map={0: 0, 255: 1})
    dataset.validate()
    assert dataset.num_classes == 2 and dataset.class_counts().pixels.min() > 0


def test_problems_are_found_before_training(root):
    """Each kind of bad file is named with what to do, all in one error."""
    masks = root / "masks"
    Image.fromarray(np.zeros((24, 30), np.uint8)).save(masks / "000.png")
    Image.fromarray(np.full((24, 32), 7, np.uint8)).save(masks / "001.png")
    Image.fromarray(np.zeros((24, 32, 3), np.uint8)).save(masks / "002.png")
    truncate(masks / "003.png")
    (root / "images" / "004.png").write_bytes(b"no image")
    progress = []
    with pytest.raises(DataError) as caught:
        FolderDataset(root, num_classes=3).validate(lambda done, total: progress.append((done, total)))
    message = str(caught.value)
    assert "5 problems" in message and progress == [(i, 6) for i in range(1, 7)]
    for expected in (
        "000.png: the mask is 30 x 24 pixels, its image 000.png 32 x 24",
        "001.png: the mask holds the labels 7; allowed are 0 to 2 and 255",
        "002.png: the mask has RGB colours",
        "003.png: cannot be read as an image",
        "004.png: cannot be read as an image",
    ):
        assert expected in message


def test_long_lists_of_problems_are_cut(tmp_path):
    root = write_dataset(tmp_path / "set", count=25)
    with pytest.raises(DataError) as caught:
        FolderDataset(root, num_classes=1).validate()
    lines = str(caught.value).splitlines()
    assert "25 problems" in lines[0] and len(lines) == 12 and lines[-1].strip() == "... and 15 more"


def test_missing_things(tmp_path, root):
    with pytest.raises(DataError, match="nowhere does not exist"):
        FolderDataset(tmp_path / "nowhere")
    (tmp_path / "other" / "photos").mkdir(parents=True)
    with pytest.raises(DataError, match=r"No images with masks.*it holds: photos"):
        FolderDataset(tmp_path / "other")
    (root / "masks" / "003.png").unlink()
    with pytest.raises(DataError, match=r"003\.png: has no mask; expected .*masks/003\.png"):
        FolderDataset(root)
    for path in (root / "images").iterdir():
        path.unlink()
    with pytest.raises(DataError, match="images is empty"):
        FolderDataset(root)
    with pytest.raises(DataError, match="no data set 'braim'.*brain"):
        load_dataset("braim")


def test_jpeg_masks_and_doubled_names_are_refused(root):
    Image.open(root / "masks" / "000.png").save(root / "masks" / "000.jpg")
    with pytest.raises(DataError, match="share a name"):
        FolderDataset(root)
    (root / "masks" / "000.png").unlink()
    with pytest.raises(DataError, match=r"000\.jpg: a JPEG changes the labels"):
        FolderDataset(root)


def test_sideways_photo_is_turned_upright(root):
    image = Image.fromarray(np.zeros((32, 24, 3), np.uint8))
    exif = image.getexif()
    exif[0x0112] = 6
    image.save(root / "images" / "000.png", exif=exif)
    dataset = FolderDataset(root)
    dataset.validate()
    assert dataset[0].image.shape == (24, 32, 3)


def test_subset_and_counts(root):
    dataset = FolderDataset(root)
    subset = dataset.subset([4, 1])
    assert [example.name for example in subset] == ["004.png", "001.png"]
    counts = dataset.class_counts()
    pixels = sum(np.bincount(example.mask.ravel(), minlength=3) for example in dataset)
    np.testing.assert_array_equal(counts.pixels, pixels)
    assert counts.images == 6 and counts.ignored == 0 and counts.pixels.sum() == 6 * 24 * 32
    with pytest.raises(IndexError, match=r"\[0, 6\)"):
        dataset.subset([6])
    with pytest.raises(IndexError, match="index=6"):
        dataset[6]


def test_camvid_layout(tmp_path):
    source = write_dataset(tmp_path / "source", count=3, classes=3)
    for split in ("train", "val"):
        shutil.copytree(source / "images", tmp_path / "camvid" / split)
        shutil.copytree(source / "masks", tmp_path / "camvid" / f"{split}annot")
    mask = np.full((24, 32), 11, np.uint8)
    mask[:12] = 8
    Image.fromarray(mask).save(tmp_path / "camvid" / "trainannot" / "001.png")
    dataset = load_dataset(str(tmp_path / "camvid"))
    assert isinstance(dataset, CamVid) and dataset.class_names[8] == "car"
    np.testing.assert_array_equal(dataset[1].mask, np.where(mask == 11, 255, mask))
    dataset.validate()


def test_real_camvid_is_valid(shared):
    folder = shared / "data" / "camvid"
    if not folder.is_dir():
        pytest.skip(f"no CamVid: {folder} is not there")
    train, val = load_dataset(f"camvid:{folder}", "train"), load_dataset(str(folder), "val")
    assert (len(train), len(val)) == (367, 101)
    val.validate()
    assert val[0].image.shape == (360, 480, 3)


def test_lums_road_layout(shared):
    folder = shared / "data" / "lums_road"
    if not folder.is_dir():
        pytest.skip(f"no road scenes: {folder} is not there")
    val = load_dataset(str(folder), "val")
    assert len(val) == 42 and val.num_classes == 5
    val.validate()


def test_instances_become_classes(tmp_path):
    (tmp_path / "images").mkdir()
    (tmp_path / "instances").mkdir()
    labels = np.zeros((12, 16), np.uint16)
    labels[2:10, 1:7], labels[2:10, 7:12], labels[0:2, 14:16] = 300, 2, 7
    Image.fromarray(labels).save(tmp_path / "instances" / "a.png")
    Image.fromarray(np.zeros((12, 16), np.uint8)).save(tmp_path / "images" / "a.png")
    dataset = InstanceDataset(tmp_path)
    np.testing.assert_array_equal(dataset[0].mask, labels > 0)
    np.testing.assert_array_equal(dataset.instances(0), labels)
    dataset.validate()
    bordered = InstanceDataset(tmp_path, border=True, border_width=1)
    border = bordered[0].mask == 2
    assert bordered.class_names == ("background", "cell", "border")
    np.testing.assert_array_equal(np.flatnonzero(border.any(axis=0)), [6, 7])
    np.testing.assert_array_equal(np.flatnonzero(border.any(axis=1)), np.arange(1, 11))


def test_real_nuclei(shared):
    folder = shared / "data" / "dsb2018_nuclei"
    if not folder.is_dir():
        pytest.skip(f"no nuclei: {folder} is not there")
    dataset = load_dataset(f"instances:{folder}", "val")
    assert len(dataset) == 48 and dataset[0].mask.max() == 1
    assert dataset.instances(0).max() > 1
    dataset.subset(range(5)).validate()
