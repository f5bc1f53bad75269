"""The recipes of the papers, one file each.

`sources` says of each number where it was read. "Authors' code" are the files that the authors published with the
paper. "Reported, not checked against the paper" marks a number that is widely quoted but was not compared with the
paper's text. "Chosen here" marks what the paper leaves open.
"""

from keras_segpaint.training.recipe import Recipe
from keras_segpaint.training.recipes import (
    apcnet,
    attention_to_scale,
    cc_net,
    coherence_priors_inpainting,
    crn,
    da_net,
    deepfill_v1,
    deepfill_v2,
    deeplab_v1,
    deeplab_v2,
    deeplab_v3,
    deeplab_v3_plus,
    dilated_net,
    enet,
    fcn8s,
    fcn16s,
    fcn32s,
    fcn_resnet,
    gfr_net,
    linknet,
    pconv_unet,
    pix2pix_hd_generator,
    psp_net,
    refine_net,
    segnet,
    segnet_basic,
    semantic_guided_inpainting,
    spade_generator,
    style_transfer,
    unet,
)

__all__ = ["RECIPES", "choices", "get"]

RECIPES: dict[str, Recipe] = {
    module.RECIPE.model: module.RECIPE
    for module in (
        apcnet,
        attention_to_scale,
        cc_net,
        crn,
        coherence_priors_inpainting,
        da_net,
        deepfill_v1,
        deepfill_v2,
        deeplab_v1,
        deeplab_v2,
        deeplab_v3,
        deeplab_v3_plus,
        dilated_net,
        enet,
        fcn16s,
        fcn32s,
        fcn8s,
        fcn_resnet,
        gfr_net,
        linknet,
        pconv_unet,
        pix2pix_hd_generator,
        psp_net,
        refine_net,
        segnet,
        segnet_basic,
        spade_generator,
        style_transfer,
        semantic_guided_inpainting,
        unet,
    )
}


def choices() -> str:
    """The models that have a recipe, by their task, for messages.

    Example:
        >>> choices().split("; ")[1]
        'for inpainting CoherencePriorsInpainting, DeepFillV1, DeepFillV2, PConvUNet, SemanticGuidedInpainting'
    """
    tasks: dict[str, list[str]] = {"segmentation": [], "inpainting": []}
    for name, recipe in RECIPES.items():
        tasks.setdefault(recipe.task, []).append(name)
    return "; ".join(f"for {task} {', '.join(names)}" for task, names in tasks.items())


def get(name: str) -> Recipe:
    """The recipe of a model: a `SegmentationRecipe`, an `InpaintingRecipe` or a `SynthesisRecipe`.

    Args:
        name: Class name in `keras_segpaint.models`.

    Raises:
        ValueError: If there is no recipe of that name.

    Example:
        >>> get("ENet").batch_size
        10
    """
    if name not in RECIPES:
        raise ValueError(f"`name` must be one of: {choices()}. Received: name={name!r}")
    return RECIPES[name]
