"""What the tests of every public class share."""

import pytest


@pytest.fixture(autouse=True, scope="module")
def built_for_one_module(request):
    """Lets go the networks that a module of tests builds once."""
    yield
    getattr(request.module, "BUILT", {}).clear()
