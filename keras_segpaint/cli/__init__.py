"""The `segpaint` command line: one file per command, no logic of its own.

Nothing heavy is imported before a command runs, so `segpaint --help` answers at once and `--backend` can still choose
what Keras computes with.
"""

__all__: list[str] = []
