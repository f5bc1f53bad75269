"""Exit codes, and what the user sees instead of a stack trace."""

import errno
import sys
import traceback
import warnings
from types import TracebackType
from typing import Any

import typer
from typer.core import TyperGroup

from keras_segpaint.cli.console import errors as console
from keras_segpaint.cli.console import plain

__all__ = ["EXIT_INTERRUPTED", "EXIT_MISTAKE", "SegpaintGroup", "UserError"]

EXIT_MISTAKE = 1
EXIT_INTERRUPTED = 130

# Keys of the context's `meta`, which a command and the group share.
DEBUG = "keras_segpaint.debug"
ARGUMENTS = "keras_segpaint.arguments"
RESUME = "keras_segpaint.resume"

_BACKENDS = ("tensorflow", "jax", "torch")


class UserError(Exception):
    """Something the user asked for cannot be done; the message says what and how to mend it."""


class SegpaintGroup(TyperGroup):
    """Turns the package's own errors into one red message and an exit code.

    An error counts as the user's when this package raised it or when the system says why a file cannot be used.
    Anything else is a defect and keeps its stack trace.
    """

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        ctx.meta[ARGUMENTS] = list(args)
        return super().parse_args(ctx, args)

    def invoke(self, ctx: Any) -> Any:
        try:
            with warnings.catch_warnings():
                warnings.showwarning = _show_warning
                return super().invoke(ctx)
        except BrokenPipeError:
            raise
        except (UserError, ValueError, RuntimeError, OSError, ImportError) as error:
            message = explain(error)
            if message is None or ctx.meta.get(DEBUG):
                raise
            console.print(f"[bold red]error:[/] {plain(message)}", soft_wrap=True, highlight=False)
            if isinstance(error, OSError):
                self._say_how_to_resume(ctx)
            raise typer.Exit(EXIT_MISTAKE) from error
        except KeyboardInterrupt as stop:
            console.print("\n[bold yellow]stopped[/]")
            self._say_how_to_resume(ctx)
            if ctx.meta.get(DEBUG):
                traceback.print_exc(file=sys.stderr)
            raise typer.Exit(EXIT_INTERRUPTED) from stop

    def _say_how_to_resume(self, ctx: Any) -> None:
        if command := ctx.meta.get(RESUME):
            console.print(f"resume with: {plain(command)}", soft_wrap=True, highlight=False)


def explain(error: BaseException) -> str | None:
    """The message for a user's mistake, or `None` when the error is a defect that deserves its stack trace."""
    if isinstance(error, UserError):
        return str(error)
    here = _raised_here(error.__traceback__)
    if here and isinstance(error, OSError) and error.filename is not None:
        return f"{error.filename}: {error.strerror}"
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        where = f" while writing {error.filename}" if error.filename else ""
        return f"The disk is full{where}. Free some space, or choose another folder with --out, and run again."
    if isinstance(error, OSError) and error.errno is not None and error.filename is not None:
        return f"{error.filename}: {error.strerror}. Check the path."
    if isinstance(error, ModuleNotFoundError) and error.name in _BACKENDS:
        return (
            f"The Keras backend `{error.name}` is not installed. "
            f'Install it with: pip install "keras_segpaint[{error.name}]", or choose another with --backend.'
        )
    return str(error) if here else None


def _show_warning(message: Warning | str, *_: Any, **__: Any) -> None:
    console.print(f"[yellow]warning:[/] {plain(message)}", soft_wrap=True, highlight=False)


def _raised_here(trace: TracebackType | None) -> bool:
    """Whether the innermost frame belongs to this package."""
    package = __name__.partition(".")[0]
    name = ""
    while trace is not None:
        name = trace.tb_frame.f_globals.get("__name__", "")
        trace = trace.tb_next
    return name == package or name.startswith(f"{package}.")
