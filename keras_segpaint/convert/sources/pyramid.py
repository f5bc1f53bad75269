"""The names of torchvision's atrous pyramid and its head, which other implementations build on."""

__all__ = ["fcn_head_layer", "pyramid_layer"]


def pyramid_layer(module: str) -> str:
    """The layer in `AtrousSpatialPyramidPooling` that a module of torchvision's `ASPP` is, plain or separable.

    Example:
        >>> pyramid_layer("convs.4.1")
        'image_branch/conv'
    """
    part, *rest = module.split(".")
    if part == "project":
        return "projection/" + ("conv", "bn")[int(rest[0])]
    branch, *position = rest
    if branch == "4":
        return "image_branch/" + ("", "conv", "bn")[int(position[0])]
    kind = {("0",): "conv", ("1",): "bn", ("0", "0"): "depthwise", ("0", "1"): "conv"}[tuple(position)]
    return f"branch{branch}/{kind}"


def fcn_head_layer(module: str, name: str) -> str:
    """The layer of a head that a module of torchvision's `FCNHead` is."""
    return f"{name}_" + {"0": "conv", "1": "bn", "4": "classifier"}[module]
