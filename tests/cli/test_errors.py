"""What the user sees for a mistake, a full disk, Ctrl-C and a defect."""

import errno
import subprocess
import sys
import time

import pytest
import typer
from typer.testing import CliRunner

from keras_segpaint.cli.errors import RESUME, SegpaintGroup, UserError, explain
from keras_segpaint.cli.options import DebugOption, parse_size
from keras_segpaint.extras import require


def application(action) -> typer.Typer:
    app = typer.Typer(cls=SegpaintGroup, pretty_exceptions_enable=False)

    @app.callback()
    def root() -> None: ...

    @app.command()
    def act(ctx: typer.Context, debug: DebugOption = False) -> None:
        action(ctx)

    return app


def run(action, *arguments: str):
    return CliRunner(env={"COLUMNS": "200"}).invoke(application(action), ["act", *arguments])


def raising(error: BaseException):
    def action(ctx: typer.Context) -> None:
        raise error

    return action


def test_mistake_is_one_message_without_trace():
    result = run(raising(UserError("masks/a.png: the mask [4] is wrong. Do this.")))
    assert result.exit_code == 1
    assert result.stderr == "error: masks/a.png: the mask [4] is wrong. Do this.\n"


def test_debug_shows_the_trace():
    result = run(raising(UserError("wrong")), "--debug")
    assert isinstance(result.exception, UserError)


def test_defect_keeps_its_trace():
    result = run(raising(ValueError("shapes do not match")))
    assert isinstance(result.exception, ValueError)
    assert result.stderr == ""


def test_error_of_the_package_is_a_mistake():
    def action(ctx: typer.Context) -> None:
        from keras_segpaint.data import BrainTemplate

        BrainTemplate("middle")

    result = run(action)
    assert result.exit_code == 1
    assert "split='middle'" in result.stderr


def test_missing_file_is_named():
    result = run(lambda ctx: open("/nowhere/model.keras").close())
    assert result.exit_code == 1
    assert "/nowhere/model.keras: No such file or directory" in result.stderr


def test_full_disk():
    result = run(raising(OSError(errno.ENOSPC, "No space left on device", "runs/x/last.keras")))
    assert result.exit_code == 1
    assert "disk is full while writing runs/x/last.keras" in result.stderr
    assert "Free some space" in result.stderr


def test_missing_extra_names_its_installation():
    result = run(lambda ctx: require("no_such_module", "datasets", "Reading a data set"))
    assert result.exit_code == 1
    assert 'pip install "keras_segpaint[datasets]"' in result.stderr


def test_missing_backend_names_its_installation():
    message = explain(ModuleNotFoundError("No module named 'jax'", name="jax"))
    assert message is not None
    assert 'pip install "keras_segpaint[jax]"' in message


def test_interrupt_says_how_to_resume():
    def action(ctx: typer.Context) -> None:
        ctx.meta[RESUME] = "segpaint train ENet --out 'my runs/x' --resume"
        raise KeyboardInterrupt

    result = run(action)
    assert result.exit_code == 130
    assert "resume with: segpaint train ENet --out 'my runs/x' --resume" in result.stderr


@pytest.mark.parametrize(("text", "size"), [("360x480", (360, 480)), ("64", (64, 64)), ("1X2", (1, 2))])
def test_size(text: str, size: tuple[int, int]):
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "0x4", "4x", "axb", "4x5x6", "-3"])
def test_wrong_size(text: str):
    with pytest.raises(typer.BadParameter, match="HEIGHTxWIDTH"):
        parse_size(text)


def command(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "keras_segpaint.cli.main", *arguments], capture_output=True, text=True, timeout=60
    )


def test_help_is_quick_and_imports_nothing_heavy():
    code = (
        "import sys\n"
        "from keras_segpaint.cli.main import app\n"
        "try: app(['--help'])\n"
        "except SystemExit as stop: code = stop.code\n"
        "heavy = {'keras', 'tensorflow', 'jax', 'torch', 'cv2', 'matplotlib', 'numpy'} & set(sys.modules)\n"
        "print(code, heavy, file=sys.stderr)"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stderr == "0 set()\n"
    quickest = min(_seconds("--help") for _ in range(3))
    assert quickest < 0.5 + _seconds_of_python()


def _seconds(*arguments: str) -> float:
    began = time.perf_counter()
    assert command(*arguments).returncode == 0
    return time.perf_counter() - began


def _seconds_of_python() -> float:
    began = time.perf_counter()
    subprocess.run([sys.executable, "-c", "import rich.console, typer"], check=True)
    return time.perf_counter() - began


def test_exit_codes_of_the_process():
    assert command("--version").returncode == 0
    assert command("trian").returncode == 2
    assert command("train", "--no-such-option").returncode == 2
