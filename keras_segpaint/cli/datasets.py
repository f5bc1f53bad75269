"""`segpaint datasets`: what `--data` understands."""

from keras_segpaint.cli.console import output, table
from keras_segpaint.cli.options import BackendOption, DebugOption, start

__all__ = ["datasets"]


def datasets(backend: BackendOption = None, debug: DebugOption = False) -> None:
    """List the data sets and folder layouts that `--data` understands.

    Example: segpaint datasets
    """
    start(backend)
    from keras_segpaint import data

    output.print(table("Data sets: segpaint train MODEL --data SPEC", data.list_datasets()))
