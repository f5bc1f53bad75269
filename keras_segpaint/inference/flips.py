"""The ways in which a network is given images turned round."""

__all__ = ["FLIPS", "check_flips"]

# Which axes of (height, width) are turned round in each pass.
FLIPS: dict[str | bool, tuple[tuple[int, ...], ...]] = {
    False: ((),),
    "horizontal": ((), (1,)),
    "vertical": ((), (0,)),
    "both": ((), (1,), (0,), (0, 1)),
}


def check_flips(flips: str | bool) -> None:
    """Raises `ValueError` for an unknown way."""
    if flips not in FLIPS:
        raise ValueError(f"`flips` must be one of {tuple(FLIPS)}. Received: flips={flips!r}")
