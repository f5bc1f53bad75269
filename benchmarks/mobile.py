"""What each precision of a file for phones costs and saves: `python -m benchmarks mobile --data FOLDER`.

Each network is written by `export.to_litert` in every precision; of each file there are the size, the latency at one and at two
threads, the memory by which a fresh process grows, and what the file loses against the Keras model on validation data: mean
IoU of a network that segments, PSNR in the holes of one that fills them. The files of a network are timed in turns,
so that what disturbs the machine disturbs all alike, and the median over the turns counts.

`--run ENet=runs/enet` takes a network that `segpaint train` trained. One without a run is trained here, shortly: its scores
are low, and say what quantisation loses no more exactly than that. Every network has a folder in `--out`; what is finished there
is not done again, and `--only` does one network at a time.

`--peer` times float32 ENet at 256 x 512 against segmentation_models.pytorch's U-Net on MobileNetV2, converted by litert-torch,
which is installed into an environment of its own (some minutes, 3 GB).
"""

import argparse
import json
import os
import re
import statistics
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks import environment
from benchmarks.match import Measurement
from benchmarks.mobile_networks import NETWORKS, Judge, keep, trained
from benchmarks.ours import limit_threads, versions
from benchmarks.report import append
from benchmarks.report import table as text_table

PRECISIONS = ("float32", "float16", "dynamic_int8", "int8")
THREADS = (1, 2)
PEER, PEER_SIZE, PEER_CLASSES = "segmentation-models-pytorch", (256, 512), 19
PEER_NAME = "U-Net on MobileNetV2 (litert-torch)"


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """The options."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks mobile", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", help="a segmentation data set, as `segpaint train` takes it")
    parser.add_argument("--out", type=Path, default=Path("runs/mobile"), help="default: runs/mobile")
    parser.add_argument("--run", type=run, action="append", default=[], metavar="NAME=FOLDER", help="a trained network")
    parser.add_argument("--only", choices=NETWORKS, help="this network alone")
    parser.add_argument("--precisions", nargs="+", choices=PRECISIONS, default=list(PRECISIONS))
    parser.add_argument("--size", type=size, default=(128, 128), metavar="HxW", help="default: 128x128")
    parser.add_argument("--steps", type=int, default=100, help="of training a network that segments (default: 100)")
    parser.add_argument("--fill-steps", type=int, default=40, help="of training one that fills holes (default: 40)")
    parser.add_argument("--batch-size", type=int, default=4, help="of training (default: 4)")
    parser.add_argument("--images", type=int, default=40, help="of validation, at most (default: 40)")
    parser.add_argument("--width", type=int, help="base width of networks that have one; default: the published")
    parser.add_argument("--turns", type=int, default=3, help="of timing the files of a network (default: 3)")
    parser.add_argument("--seconds", type=float, default=1.0, help="of each timing (default: 1)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=2, help="of training (default: 2)")
    parser.add_argument("--peer", action="store_true", help="the row with the peer, nothing else")
    parser.add_argument("--save", action="store_true", help="append the ratios to benchmarks/results.csv")
    options = parser.parse_args(arguments)
    if options.data is None and not options.peer:
        parser.error("the following arguments are required: --data")
    return options


def run(text: str) -> tuple[str, Path]:
    """`"ENet=runs/enet"` as a name and a folder."""
    name, _, folder = text.partition("=")
    if name not in NETWORKS or not folder:
        raise argparse.ArgumentTypeError(f"must be NAME=FOLDER, NAME one of {', '.join(NETWORKS)}, not {text}")
    return name, Path(folder)


def size(text: str) -> tuple[int, int]:
    """`"128x192"` as height and width."""
    match = re.fullmatch(r"(\d+)x(\d+)", text)
    if match is None or any(int(extent) < 1 or int(extent) % 8 for extent in match.groups()):
        raise argparse.ArgumentTypeError(f"must be HEIGHTxWIDTH, multiples of 8, such as 128x192, not {text}")
    return int(match[1]), int(match[2])


def main(arguments: Sequence[str] | None = None) -> None:
    """Trains, writes, judges and times what is not done yet, and prints the table of all that is."""
    options = parse(arguments)
    # Files are written on TensorFlow, so there is no second process for each.
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    os.environ.setdefault("OMP_NUM_THREADS", str(options.threads))
    limit_threads(os.environ["KERAS_BACKEND"], options.threads)
    if options.peer:
        measured = [peer(options)]
    else:
        from keras_segpaint import data

        sets = {split: data.load_dataset(options.data, split) for split in ("train", "val")}
        for name in (options.only,) if options.only else NETWORKS:
            do(name, options, sets)
        print(table(options))
        measured = ratios(options)
    if measured:
        print("\n" + text_table(measured))
        print(f"The peer is {measured[0].peer_name}; a ratio >= 1 means: not slower.")
    if options.save:
        append(measured)


def do(name: str, options: argparse.Namespace, sets: dict[str, Any]) -> None:
    """Everything about one network that is not done yet."""
    folder = options.out / name
    # A network that a run was given for, or another size, is another network.
    source = {"size": "{}x{}".format(*options.size), "run": str(dict(options.run).get(name, ""))}
    wanted = [precision for precision in options.precisions if not known(folder / f"{precision}.json", source)]
    if wanted:
        model = trained(name, options, sets)
        judge = Judge(name, model, options, sets)
        for precision in wanted:
            record = write(model, folder / f"{precision}.tflite", judge, precision)
            (folder / f"{precision}.times.json").unlink(missing_ok=True)
            keep(folder / f"{precision}.json", {**source, **record})
            print(f"{name} {precision}: {record}", flush=True)
    files = [folder / f"{precision}.tflite" for precision in options.precisions]
    files = [file for file in files if file.exists()]
    if any(not file.with_suffix(".times.json").exists() for file in files):
        for file, times in zip(files, in_turns(files, options.turns, options.seconds), strict=True):
            keep(file.with_suffix(".times.json"), times)


def known(path: Path, source: dict[str, str]) -> bool:
    """Whether there is a record from this source."""
    return path.exists() and source.items() <= json.loads(path.read_text()).items()


def write(model: Any, path: Path, judge: Judge, precision: str) -> dict[str, Any]:
    """Writes one file and judges it; what cannot be written is recorded with the reason."""
    import numpy as np

    from keras_segpaint import export

    arguments: dict[str, Any] = {} if precision == "float32" else {"precision": precision}
    if precision == "int8":
        arguments["calibration"] = np.concatenate(judge.calibration)
    shape = judge.batches[0][0].shape[1:]
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        # Judged below on all the images, which may lose more than `to_litert` lets pass.
        export.to_litert(model, path, shape, check=False, **arguments)
        score = judge.of(export.LiteRTModel(path))
    except (export.ExportError, RuntimeError) as error:  # What cannot work in integers may say so when it runs.
        path.unlink(missing_ok=True)
        return {"refused": str(error), "measure": judge.measure, "keras": judge.score}
    return {"measure": judge.measure, "keras": judge.score, "score": score, "bytes": path.stat().st_size}


def in_turns(files: Sequence[Path], turns: int, seconds: float) -> list[dict[str, Any]]:
    """Median milliseconds by threads of each file, and the most memory in bytes; the files take turns."""
    from keras_segpaint import export

    measured = [
        [export.benchmark(file, THREADS, seconds=seconds, operators=False).latencies for file in files]
        for _ in range(turns)
    ]
    return [
        {
            "milliseconds": {
                threads: statistics.median(turn[index][place].p50 for turn in measured)
                for place, threads in enumerate(THREADS)
            },
            "peak_bytes": max(latency.peak_bytes for turn in measured for latency in turn[index]),
        }
        for index in range(len(files))
    ]


def finished(options: argparse.Namespace) -> dict[tuple[str, str], dict[str, Any]]:
    """The records of all files that are judged, with their times."""
    found = {}
    for name in NETWORKS:
        for precision in PRECISIONS:
            record = options.out / name / f"{precision}.json"
            times = options.out / name / f"{precision}.times.json"
            if record.exists():
                found[name, precision] = json.loads(record.read_text())
                found[name, precision].update(json.loads(times.read_text()) if times.exists() else {})
    return found


def table(options: argparse.Namespace) -> str:
    """All that is finished, as Markdown."""
    lines = [
        f"{options.data}, batch 1",
        "",
        "| network | size | precision | MB | ms, 1 thread | ms, 2 threads | memory, MB | measure | Keras | lost |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for (name, precision), record in finished(options).items():
        start, digits = f"| {name} | {record['size']} | {precision}", 2 if record["measure"] == "PSNR" else 4
        end = f"{record['measure']} | {record['keras']:.{digits}f}"
        if "refused" in record:
            lines.append(f"{start} | not written | | | | {end} | |")
        elif "milliseconds" in record:
            one, two = (record["milliseconds"][str(threads)] for threads in THREADS)
            lines.append(
                f"{start} | {record['bytes'] / 1e6:.2f} | {one:.1f} | {two:.1f} | {record['peak_bytes'] / 1e6:.0f} | {end} | "
                f"{record['keras'] - record['score']:.{digits}f} |"
            )
    return "\n".join(lines)


def ratios(options: argparse.Namespace) -> list[Measurement]:
    """int8 against float32 at two threads, for each network that has both."""
    rows, records = [], finished(options)
    for name in NETWORKS:
        pair = [records.get((name, precision), {}) for precision in ("int8", "float32")]
        if all("milliseconds" in record for record in pair):
            ours, peer = (record["milliseconds"][str(THREADS[-1])] for record in pair)
            rows.append(measurement(f"mobile, {name}", {"int8": ours}, {"float32": peer}, "float32", pair[0]["size"]))
    return rows


def measurement(case: str, ours: dict[str, float], peer: dict[str, float], peer_name: str, size: str) -> Measurement:
    """A row of the CSV file."""
    import importlib.metadata

    found = {**versions(os.environ["KERAS_BACKEND"]), "ai-edge-litert": importlib.metadata.version("ai-edge-litert")}
    ours, peer = ({mode: round(value, 2) for mode, value in side.items()} for side in (ours, peer))
    load = round(os.getloadavg()[0], 1)
    return Measurement(
        case, f"LiteRT, {THREADS[-1]} threads", "ms", 1, size, "litert", ours, peer, peer_name, load, found
    )


def peer(options: argparse.Namespace) -> Measurement:
    """Float32 ENet against the peer's U-Net at the same size, in turns."""
    from keras_segpaint import export, models

    height, width = PEER_SIZE
    python = environment.peers_python(environment.LITERT_FOLDER, environment.LITERT_REQUIREMENTS)
    options.out.mkdir(parents=True, exist_ok=True)
    ours, theirs = options.out / "enet_peer.tflite", options.out / "unet_mobilenet_v2_peer.tflite"
    if not theirs.exists():
        command = [str(python), "-m", "benchmarks.peers.litert_unet_smp", str(theirs.resolve())]
        subprocess.run([*command, *map(str, (height, width, PEER_CLASSES))], check=True, cwd=environment.REPOSITORY)
    export.to_litert(models.ENet(PEER_CLASSES, data_format="channels_last"), ours, (height, width, 3), check=False)
    first, second = (
        times["milliseconds"][THREADS[-1]] for times in in_turns([ours, theirs], options.turns, options.seconds)
    )
    size = f"{height}x{width}"
    return measurement("mobile, ENet", {"float32": first}, {"float32": second}, f"{PEER}: {PEER_NAME}", size)
