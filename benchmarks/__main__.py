"""`python -m benchmarks`: this package against PyTorch, in one run on the same input."""

import argparse
import importlib
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks import imports
from benchmarks.cases import CASES
from benchmarks.environment import peers_python
from benchmarks.match import Measurement, play
from benchmarks.ours import MODES
from benchmarks.report import append, table

# Other measurements: their names, the modules that make them, and what they are.
OTHERS = {
    "attention": ("attention", "time and memory of attention layers at 97x97x512"),
    "crf": ("crf", "the dense CRF"),
    "guidance": ("guidance", "what label maps are worth to networks that fill holes"),
    "inference": ("inference", "tiled prediction against the bare network, and the peak memory of a large image"),
    "inpainting": ("inpainting", "contextual attention and the partial convolution against what they replace"),
    "mobile": ("mobile", "size, time, memory and loss of files for phones, by precision"),
    "models": ("catalogue", "parameters and multiply-adds of every model; writes the table of models"),
    "pipeline": ("pipeline", "the input pipeline"),
    "synthesis": ("synthesis", "SPADE against three convolutions of planes, in the layer and in the generator"),
}
EPILOG = "\n".join(
    ["other measurements:", *(f"  python -m benchmarks {name:<12}{what}" for name, (_, what) in OTHERS.items())]
)
EPILOG += """

Example: python -m benchmarks --rows enet,pooling --repeats 5
"""


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """The options."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Time and peak memory of this package and of its peers, in turns, on the same input and threads.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--rows", type=rows, default=list(CASES), help=f"comma-separated, of {', '.join(CASES)}")
    parser.add_argument("--repeats", type=positive, default=None, help="timed calls of each (default: 10, quick: 3)")
    parser.add_argument("--quick", action="store_true", help="about half the height and width, three repeats")
    parser.add_argument("--backend", choices=sorted(MODES), default="tensorflow", help="of this package's side")
    parser.add_argument("--threads", type=positive, default=2, help="of each side (default: 2)")
    parser.add_argument("--import", dest="only_import", action="store_true", help="measure only the import")
    parser.add_argument("--save", action="store_true", help="append the rows to benchmarks/results.csv")
    options = parser.parse_args(arguments)
    if options.repeats is None:
        options.repeats = 3 if options.quick else 10
    return options


def rows(text: str) -> list[str]:
    """The names in a comma-separated list of cases."""
    names = text.split(",")
    unknown = [name for name in names if name not in CASES]
    if unknown:
        raise argparse.ArgumentTypeError(f"no such row: {', '.join(unknown)} (choose from {', '.join(CASES)})")
    return names


def positive(text: str) -> int:
    """An integer >= 1."""
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"must be an integer >= 1, not {value}")
    return value


def main(arguments: Sequence[str] | None = None) -> list[Measurement]:
    """Measures, prints the table, and returns its rows."""
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    if arguments and arguments[0] in OTHERS:
        module, _ = OTHERS[arguments[0]]
        importlib.import_module(f"benchmarks.{module}").main(arguments[1:])
        return []
    options = parse(arguments)
    python = Path(sys.executable)
    results: list[Measurement] = []
    if not options.only_import:
        peers = peers_python()
        for name in options.rows:
            case = CASES[name].resized(2 if options.quick else 1)
            print(f"{name} ...", file=sys.stderr, flush=True)
            measured = play(
                case,
                python=python,
                peers_python=peers,
                backend=options.backend,
                repeats=options.repeats,
                threads=options.threads,
            )
            report(measured, options.save)
            results += measured
    if options.only_import or options.rows == list(CASES):
        measured = [imports.measure(python, options.backend, options.repeats)]
        report(measured, options.save)
        results += measured
    print("A ratio >= 1 means: not slower, or no more memory, than the peer in its better memory format.")
    return results


def report(measured: list[Measurement], save: bool) -> None:
    """Shows one case as soon as it is measured, and keeps it if so asked."""
    print(table(measured) + "\n", flush=True)
    if save:
        append(measured)


if __name__ == "__main__":
    main()
