import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keras_segpaint import data
from keras_segpaint.data.alignment import agreement, probe_images

MOVING = [
    data.RandomFlip(horizontal=True, vertical=True),
    data.RandomScale((0.5, 2.0)),
    data.RandomCrop((70, 150)),
    data.RandomRotation(45),
    data.ElasticDeformation(sigma=6.0),
    data.Resize((71, 203)),
    data.Resize((45, 60)),
    data.ColorJitter(brightness=0.3, contrast=0.3, saturation=0.3, hue=0.1),
]


@pytest.mark.parametrize("augmentation", MOVING, ids=repr)
def test_image_and_mask_move_together(augmentation):
    """Every label lies where the pixels of its colour are, after any augmentation."""
    for seed in range(6):
        rng = np.random.default_rng(seed)
        images, masks = probe_images(rng, 3)
        for image, mask in zip(np.rint(images).astype(np.uint8), masks.astype(np.uint8), strict=True):
            moved, moved_mask = augmentation(image, mask, rng, 255)
            assert moved.dtype == np.uint8 and moved_mask.dtype == np.uint8
            assert moved.shape[:2] == moved_mask.shape
            labels = np.where(moved_mask == 255, -1, moved_mask.astype(int))
            assert agreement(moved[None], labels[None])[0] >= 0.995


def test_misalignment_is_measured():
    """The measure that the test above and the check of Keras layers rest on sees a shift of two pixels."""
    images, masks = probe_images(np.random.default_rng(0), 3)
    assert min(agreement(images, masks.astype(int))) == 1.0
    assert max(agreement(images, np.roll(masks, 2, axis=2).astype(int))) < 0.97


shapes = st.tuples(st.integers(1, 40), st.integers(1, 40))


@settings(max_examples=40, deadline=None)
@given(
    shape=shapes,
    channels=st.sampled_from([1, 3]),
    wide=st.booleans(),
    target=shapes,
    seed=st.integers(0, 2**31),
    vertical=st.booleans(),
)
def test_labels_stay_labels(shape, channels, wide, target, seed, vertical):
    """No augmentation invents a label: what comes out is a label of the input or the ignored one."""
    rng = np.random.default_rng(seed)
    image = rng.integers(0, 256, (*shape, channels), dtype=np.uint8)
    mask = rng.integers(0, 5, shape).astype(np.int32 if wide else np.uint8)
    ignore = 1000 if wide else 255
    if wide:
        mask += 300
    chain = [
        data.RandomFlip(vertical=vertical),
        data.RandomScale((0.4, 2.5)),
        data.RandomRotation(180),
        data.ElasticDeformation(),
        data.ColorJitter(0.5, 0.5, 0.5, 0.2),
        data.RandomCrop(target),
    ]
    new_image, new_mask = image, mask
    for augmentation in chain:
        new_image, new_mask = augmentation(new_image, new_mask, rng, ignore)
    assert new_image.shape == (*target, channels) and new_mask.shape == target
    assert new_mask.dtype == mask.dtype and new_image.dtype == np.uint8
    assert set(np.unique(new_mask)) <= set(np.unique(mask)) | {ignore}
    resized, resized_mask = data.Resize(target)(image, mask, rng, ignore)
    assert resized.shape == (*target, channels) and set(np.unique(resized_mask)) <= set(np.unique(mask))


def test_inputs_are_not_changed(rng):
    image = rng.integers(0, 256, (20, 30, 3), dtype=np.uint8)
    mask = rng.integers(0, 4, (20, 30), dtype=np.uint8)
    copies = image.copy(), mask.copy()
    for augmentation in MOVING:
        augmentation(image, mask, rng, 255)
    np.testing.assert_array_equal(image, copies[0])
    np.testing.assert_array_equal(mask, copies[1])


def test_crop_pads_with_the_ignored_label(rng):
    image, mask = np.full((4, 6, 1), 9, np.uint8), np.ones((4, 6), np.uint8)
    image, mask = data.RandomCrop((7, 5))(image, mask, rng, 77)
    assert (mask == 1).sum() == 20 and (mask == 77).sum() == 15
    np.testing.assert_array_equal(image[..., 0], np.where(mask == 1, 9, 0))


def test_crop_is_drawn_again_while_one_class_fills_it(rng):
    mask = np.zeros((40, 40), np.uint8)
    mask[:, 36:] = 1
    mask[:4] = 255  # not counted
    image = mask[..., None]
    plain = [data.RandomCrop((8, 8))(image, mask, rng)[1] for _ in range(200)]
    chosen = [data.RandomCrop((8, 8), largest_share=0.9)(image, mask, rng)[1] for _ in range(200)]
    mixed = [sum((crop == 1).any() for crop in crops) for crops in (plain, chosen)]
    # About an eighth of the windows reach the last columns; ten draws miss them in a quarter of the cases.
    assert mixed[0] < 60 and 110 < mixed[1] < 190
    uniform, labels = data.RandomCrop((8, 8), 0.5)(image[4:, :30], mask[4:, :30], rng)
    assert uniform.shape == (8, 8, 1) and not labels.any()


def test_flip_halves(rng):
    image, mask = np.zeros((2, 2, 1), np.uint8), np.array([[0, 1], [2, 3]], np.uint8)
    results = [data.RandomFlip()(image, mask, rng, 255)[1].tolist() for _ in range(400)]
    assert abs(sum(result == [[1, 0], [3, 2]] for result in results) - 200) < 60
    assert sum(result == [[0, 1], [2, 3]] for result in results) == 400 - sum(r == [[1, 0], [3, 2]] for r in results)


def test_elastic_moves_by_the_stated_amount(rng):
    """Interpolation between the grid points makes the field smoother, not larger."""
    ramp = np.repeat(np.arange(200, dtype=np.uint8)[None], 200, axis=0)
    deformation = data.ElasticDeformation(sigma=10.0)
    moves = []
    for _ in range(60):
        image, mask = deformation(ramp[..., None], np.zeros_like(ramp), rng, 255)
        moved = image[50:150, 50:150, 0].astype(float) - ramp[50:150, 50:150]
        moves.append(moved[mask[50:150, 50:150] == 0])
    assert 5.0 < np.concatenate(moves).std() < 10.0


def test_colour_jitter_leaves_the_mask_and_grey_images(rng):
    mask = np.zeros((4, 4), np.uint8)
    image = np.full((4, 4, 3), (200, 100, 50), np.uint8)
    jitter = data.ColorJitter(saturation=1.0, hue=0.5)
    changed = [jitter(image, mask, rng, 255)[0][0, 0].tolist() for _ in range(20)]
    assert len(set(map(tuple, changed))) > 10
    grey, _ = jitter(image[..., :1], mask, rng, 255)
    np.testing.assert_array_equal(grey, image[..., :1])
    same, _ = data.ColorJitter()(image, mask, rng, 255)
    np.testing.assert_array_equal(same, image)


def test_config_round_trip():
    configs = [{"name": type(augmentation).__name__, **augmentation.get_config()} for augmentation in MOVING]
    rebuilt = data.augmentation_from_config(configs)
    assert [repr(augmentation) for augmentation in rebuilt] == [repr(augmentation) for augmentation in MOVING]


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"name": "RandomFlop"}, "`name` must be one of .*RandomFlip"),
        ({"size": [4, 4]}, "`name` must be one of"),
        ({"name": "RandomCrop", "sizes": [4, 4]}, "RandomCrop cannot be built"),
        ({"name": "RandomCrop", "size": [4, 0]}, "`size` must be"),
        ({"name": "RandomCrop", "size": [4, 4], "largest_share": 0}, "`largest_share` must be in"),
        ({"name": "RandomScale", "factor": [2.0, 1.0]}, "`factor` must be"),
        ({"name": "RandomRotation", "degrees": 0}, "`degrees` must be"),
        ({"name": "ElasticDeformation", "grid": 1}, "`grid` must be"),
        ({"name": "ElasticDeformation", "sigma": 0}, "`sigma` must be"),
        ({"name": "ColorJitter", "hue": 0.6}, "`hue` must be"),
        ({"name": "ColorJitter", "contrast": -1}, "`contrast` must be"),
        ({"name": "RandomFlip", "horizontal": False}, "must be True"),
    ],
)
def test_bad_config(config, message):
    with pytest.raises(ValueError, match=message):
        data.augmentation_from_config([config])
