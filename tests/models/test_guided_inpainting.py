"""Networks that learn from label maps: the published first stage, the stages apart, labels, and the loss by hand."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_segpaint import losses, metrics, models
from keras_segpaint.training import AdversarialInpainting
from tests.conformance.cases import fill_weights

LAST = {"data_format": "channels_last"}
SIZE = (32, 40)


@pytest.fixture(scope="module")
def guided():
    model = models.SemanticGuidedInpainting(
        3, base_filters=4, guide_filters=4, both_stages=True, input_shape=(*SIZE, 3), **LAST
    )
    fill_weights(model)
    return model


@pytest.fixture(scope="module")
def arrays():
    random = np.random.default_rng(5)
    image = random.uniform(-1, 1, (2, *SIZE, 3)).astype("float32")
    mask = np.zeros((2, *SIZE, 1), "float32")
    mask[0, 8:21, 10:30] = 1
    mask[1, :, 18:] = 1
    labels = np.zeros((2, *SIZE, 1), "int32")
    labels[:, 12:] = 1
    labels[:, :, 30:] = 255
    return image, mask, labels


def parameters(model):
    return sum(int(np.prod(weight.shape)) for weight in model.trainable_weights)


@pytest.mark.parametrize(("width", "count"), [(32, 1_481_635), (48, 3_287_795)])
def test_the_first_stage_has_the_published_number_of_parameters(width, count):
    assert parameters(models.SemanticGuidedInpainting(3, base_filters=width, **LAST).first_stage()) == count


def test_without_its_attention_the_first_stage_is_that_of_deepfill_v1(guided, arrays):
    """Whose equality with the reference implementation is tested beside it."""
    image, mask, _ = arrays
    model = guided.rebuilt()
    model.get_layer("external_attention").value_out.assign(np.zeros((20, 10)))
    model.get_layer("context").kernel.assign(np.zeros((1, 1, 3, 16)))
    plain = models.DeepFillV1(4, both_stages=True, input_shape=(*SIZE, 3), **LAST)
    for layer in plain.layers:
        if layer.name.startswith("coarse") and layer.weights:
            layer.set_weights(model.get_layer(layer.name).get_weights())
    expected = plain.predict_on_batch([image, mask])["coarse"]
    result = model.first_stage().predict_on_batch([image, mask])["coarse"]
    np.testing.assert_allclose(result, expected, atol=1e-5)
    assert np.abs(guided.first_stage().predict_on_batch([image, mask])["coarse"] - expected).max() > 1e-3


def test_the_attention_stands_where_it_is_published(guided, arrays):
    image, mask, _ = arrays
    names = ["coarse_conv6", "coarse_conv10", "branches", "coarse_conv12"]
    taps = keras.Model(guided.inputs[:2], [guided.get_layer(name).output for name in names])
    before, dilated, branches, features = (np.asarray(x) for x in taps.predict_on_batch([image, mask]))
    # Bilinear interpolation to a quarter: the mean of the four pixels in the middle of each cell.
    blocks = (image * (1 - mask)).reshape(2, 8, 4, 10, 4, 3)[:, :, 1:3, :, 1:3].mean((2, 4))
    context = blocks @ ops.convert_to_numpy(guided.get_layer("context").kernel)[0, 0]
    hole = mask[:, ::4, ::4]
    attention = guided.get_layer("external_attention")
    attended = ops.convert_to_numpy(attention((before * hole + context * (1 - hole)).astype("float32")))
    expected = dilated + attended * hole + context * (1 - hole)
    np.testing.assert_allclose(branches, expected, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(
        guided.first_stage().predict_on_batch([image, mask])["features"], features, rtol=1e-5, atol=1e-5
    )


def test_the_stages_apart_are_the_whole(guided, arrays):
    image, mask, labels = arrays
    whole = guided.predict_on_batch([image, mask, labels])
    first = guided.first_stage().predict_on_batch([image, mask])
    second = guided.second_stage()
    apart = second.predict_on_batch([image, mask, first["coarse"], first["features"], labels])
    np.testing.assert_allclose(apart, whole["image"], atol=1e-4)
    np.testing.assert_allclose(first["coarse"], whole["coarse"], atol=1e-4)
    edited = np.where(labels == 1, 2, labels)
    other = second.predict_on_batch([image, mask, first["coarse"], first["features"], edited])
    assert np.abs(other - apart).max() > 1e-2
    # The predictor's stages are the same.
    alone = (
        guided.predictor().second_stage().predict_on_batch([image, mask, first["coarse"], first["features"], labels])
    )
    np.testing.assert_allclose(alone, apart, atol=1e-4)


def test_any_size_with_a_grid(guided, arrays):
    with pytest.raises(ValueError, match="`attention_grid`"):
        models.SemanticGuidedInpainting(3, input_shape=(None, None, 3))
    with pytest.raises(ValueError, match="`num_classes`"):
        models.SemanticGuidedInpainting(0)
    free = guided.rebuilt(attention_grid=(8, 10), input_shape=(None, None, 3))
    whole = guided.predict_on_batch(list(arrays))
    np.testing.assert_allclose(free.predict_on_batch(list(arrays))["image"], whole["image"], atol=1e-4)


def test_the_critic_is_told_the_labels_or_not(arrays):
    image, mask, labels = arrays
    plain = models.SemanticGuidedCritic(base_filters=2, **LAST)
    told = models.SemanticGuidedCritic(3, base_filters=2, **LAST)
    fill_weights(told)
    assert len(plain.inputs) == 1 and plain.predict_on_batch(image).shape == (2, 2, 2, 1)
    scores = told.predict_on_batch([image, mask, labels])
    assert np.abs(scores - told.predict_on_batch([image, mask, np.where(labels == 1, 2, labels)])).max() > 1e-3


@pytest.mark.parametrize("critic_classes", [None, 3])
def test_a_step_against_a_critic(arrays, critic_classes):
    image, mask, labels = arrays
    generator = models.SemanticGuidedInpainting(
        3, base_filters=4, guide_filters=4, both_stages=True, input_shape=(*SIZE, 3), **LAST
    )
    critic = models.SemanticGuidedCritic(critic_classes, base_filters=2, **LAST)
    model = AdversarialInpainting(generator, critic)
    model.compile("adam", loss=losses.MaskedL1("image", **LAST), run_eagerly=True)
    before = [weight.copy() for weight in (*generator.get_weights(), *critic.get_weights())]
    history = model.fit((image, mask, labels), image, sample_weight=mask, batch_size=2, verbose=0).history
    assert all(np.isfinite(values).all() for values in history.values())
    after = [*generator.get_weights(), *critic.get_weights()]
    moved = [np.abs(new - old).max() > 0 for new, old in zip(after, before, strict=True)]
    assert np.mean(moved) > 0.9


@pytest.fixture(scope="module")
def coherent():
    model = models.CoherencePriorsInpainting(
        3,
        base_filters=4,
        segmentation_weight=0.3,
        structure_weight=0.2,
        texture_weight=0.5,
        all_scales=True,
        input_shape=(*SIZE, 3),
        **LAST,
    )
    fill_weights(model)
    return model


def test_the_loss_of_all_scales(coherent, arrays):
    image, mask, labels = arrays
    l1 = losses.MaskedL1("hole", **LAST)
    coherent.compile("sgd", l1, weighted_metrics=[metrics.L1("hole", **LAST)], run_eagerly=True)
    target, weights = {"image": image, "labels": labels}, {"image": mask, "labels": mask}
    logs = coherent.test_on_batch([image, mask], target, sample_weight=weights, return_dict=True)
    outputs = coherent.predict_on_batch([image, mask])
    expected = 0.0
    for scale in (1, 2, 4, 8):
        suffix = "" if scale == 1 else f"_{scale}"
        blocks = [x.reshape(2, SIZE[0] // scale, scale, SIZE[1] // scale, scale, -1) for x in (image, mask)]
        true, hole = blocks[0].mean((2, 4)), blocks[1].max((2, 4))
        expected += (np.abs(outputs[f"image{suffix}"] - true) * hole).mean()
        there = labels[:, scale // 2 :: scale, scale // 2 :: scale, 0]
        logits = outputs[f"labels{suffix}"].astype("float64")
        chances = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
        counted = there != 255
        chosen = np.take_along_axis(chances, np.where(counted, there, 0)[..., None], -1)[..., 0]
        expected += 0.3 * -np.log(chosen[counted]).mean()
    given = (image, outputs["image"], mask, labels)
    expected += 0.2 * float(losses.StructureCoherence(4, **LAST)(*given))
    expected += 0.5 * float(losses.TextureCoherence(4, **LAST)(*given))
    assert float(logs["loss"]) == pytest.approx(expected, rel=1e-4)
    # The mean of the images' own, as a share of the range of values.
    errors = (np.abs(outputs["image"] - image) * mask).sum((1, 2, 3)) / mask.sum((1, 2, 3)) / 3 / 2
    assert float(logs["hole_l1"]) == pytest.approx(errors.mean(), rel=1e-4)


def test_it_needs_labels_to_train_and_none_to_fill(coherent, arrays):
    image, mask, _ = arrays
    coherent.compile("sgd", losses.MaskedL1("hole", **LAST), run_eagerly=True)
    with pytest.raises(ValueError, match='"labels": labels'):
        coherent.test_on_batch([image, mask], image, sample_weight=mask)
    predictor = coherent.predictor()
    assert not isinstance(predictor.output, dict)
    np.testing.assert_allclose(
        predictor.predict_on_batch([image, mask]), coherent.predict_on_batch([image, mask])["image"], atol=1e-4
    )
    predictor.compile("sgd", losses.MaskedL1("hole", **LAST), run_eagerly=True)
    assert np.isfinite(predictor.test_on_batch([image, mask], image, sample_weight=mask))
    with pytest.raises(ValueError, match="`texture_weight`"):
        models.CoherencePriorsInpainting(3, texture_weight=-1)
