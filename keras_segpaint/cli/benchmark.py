"""`segpaint benchmark`: what a LiteRT file takes on this machine."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from keras_segpaint.cli.console import output, plain, table
from keras_segpaint.cli.options import DebugOption, start

__all__ = ["benchmark"]

NOTE = (
    "It runs each as one node and does not say what is inside, so each operator was timed alone, in a file of its own. Read "
    "shares, not sums."
)


def benchmark(
    file: Annotated[
        Path, typer.Argument(metavar="FILE.tflite", help="What `segpaint export` wrote.", show_default=False)
    ],
    threads: Annotated[
        list[int] | None,
        typer.Option(min=1, help="CPU threads; several times for several. Default: 1.", show_default=False),
    ] = None,
    runs: Annotated[
        int | None, typer.Option(min=1, help="Timed runs. Default: as many as --seconds allow.", show_default=False)
    ] = None,
    seconds: Annotated[float, typer.Option(min=0.01, help="Of timing, with each number of threads.")] = 3.0,
    operators: Annotated[bool, typer.Option(help="Also time each kind of operator, each operator alone.")] = True,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    debug: DebugOption = False,
) -> None:
    """Time a LiteRT file: latency, memory, its inputs and outputs, and which operators take how long.

    Example: segpaint benchmark enet.tflite --threads 1 --threads 2
    """
    start(None)
    from keras_segpaint import export

    arguments: dict[str, Any] = dict(threads=tuple(threads or [1]), runs=runs, seconds=seconds, operators=operators)
    if as_json:
        print(json.dumps(export.benchmark(file, **arguments).as_dict(), indent=1))
        return
    with output.status(f"timing {plain(file)}"):
        result = export.benchmark(file, **arguments)
    _print(result)


def _print(result: Any) -> None:
    lines = {"file": str(result.path), "size": f"{result.size_bytes / 1e6:.2f} MB"}
    for kind, tensors in (("input", result.inputs), ("output", result.outputs)):
        for tensor in tensors:
            lines.setdefault(kind, "")
            lines[kind] += f"{'; ' if lines[kind] else ''}{tensor.name}: {tensor}"
    for name, value in lines.items():
        output.print(f"{name:<12}{plain(value)}", soft_wrap=True, highlight=False)
    columns = {"min": "minimum", "p50": "p50", "p90": "p90", "p99": "p99", "mean": "mean"}
    rows = [
        {
            "threads": latency.threads,
            **{f"{column} ms": f"{getattr(latency, field):.2f}" for column, field in columns.items()},
            "runs": latency.runs,
            "peak memory": f"{latency.peak_bytes / 1e6:.1f} MB",
        }
        for latency in result.latencies
    ]
    output.print(table("Time of one run, in a process of its own", rows, right=list(rows[0])))
    if not result.operators:
        return
    total = sum(time.milliseconds or 0 for time in result.operators)
    rows = [
        {
            "operator": time.kind,
            "number": time.count,
            "by XNNPACK": time.delegated,
            "ms": "?" if time.milliseconds is None else f"{time.milliseconds:.3f}",
            "share": "?" if time.milliseconds is None else f"{time.milliseconds / max(total, 1e-9):.1%}",
        }
        for time in result.operators
    ]
    output.print(
        table(
            f"Time of each operator alone, {_counted(result.latencies[0].threads, 'thread')}", rows, list(rows[0])[1:]
        )
    )
    inside = f"XNNPACK runs {sum(result.partitions)} operators in {_counted(len(result.partitions), 'partition')}."
    output.print(f"{inside} {NOTE}")


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
