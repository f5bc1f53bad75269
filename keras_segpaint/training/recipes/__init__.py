"""The recipes of the papers, one file each.

`sources` says of each number where it was read. "Authors' code" are the files that the authors published with the
paper. "Reported, not checked against the paper" marks a number that is widely quoted but was not compared with the
paper's text. "Chosen here" marks what the paper leaves open.
"""

from keras_segpaint.training.recipe import Recipe
from keras_segpaint.training.recipes import (
    attention_to_scale,
    cc_net,
    da_net,
    deeplab_v1,
    deeplab_v2,
    dilated_net,
    enet,
    fcn8s,
    fcn16s,
    fcn32s,
    gfr_net,
    linknet,
    refine_net,
    segnet,
    segnet_basic,
    unet,
)

__all__ = ["RECIPES", "get"]

RECIPES: dict[str, Recipe] = {
    module.RECIPE.model: module.RECIPE
    for module in (
        attention_to_scale,
        cc_net,
        da_net,
        deeplab_v1,
        deeplab_v2,
        dilated_net,
        enet,
        fcn8s,
        fcn16s,
        fcn32s,
        gfr_net,
        linknet,
        refine_net,
        segnet,
        segnet_basic,
        unet,
    )
}


def get(name: str) -> Recipe:
    """The recipe of a model.

    Args:
        name: Class name in `keras_segpaint.models`.

    Raises:
        ValueError: If there is no recipe of that name.

    Example:
        >>> get("ENet").batch_size
        10
    """
    if name not in RECIPES:
        raise ValueError(f"`name` must be one of {', '.join(RECIPES)}. Received: name={name!r}")
    return RECIPES[name]
