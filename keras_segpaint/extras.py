"""Optional packages: imported where they are used, with an error that names the extra to install."""

import importlib
from types import ModuleType


def require(module: str, extra: str, purpose: str) -> ModuleType:
    """Imports an optional package.

    Args:
        module: Dotted module name, for example `"tensorflow_datasets"`.
        extra: The extra of this package that installs it.
        purpose: What needs it, as the subject of a sentence: `"Reading a TFDS data set"`.

    Returns:
        The imported module.

    Raises:
        ImportError: If the module is not installed; the message names the extra.
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name is None or not (module == error.name or module.startswith(f"{error.name}.")):
            raise
        raise ImportError(
            f"{purpose} needs the package `{error.name}`, which is not installed. "
            f'Install it with: pip install "keras_segpaint[{extra}]"'
        ) from error
