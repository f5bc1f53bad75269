"""The table on the screen and the rows in the CSV file."""

import csv
import datetime
import os
import platform
from collections.abc import Sequence
from pathlib import Path

from benchmarks.match import Measurement

RESULTS = Path(__file__).resolve().parent / "results.csv"
FIELDS = (
    "date",
    "machine",
    "case",
    "phase",
    "batch",
    "size",
    "backend",
    "ours",
    "peer_name",
    "peer",
    "unit",
    "ratio",
    "load",
    "versions",
)


def table(measurements: Sequence[Measurement]) -> str:
    """A text table: every contestant's number, per mode of ours the ratio peer / ours, and our images a second."""
    header = ("case", "what", "unit", "ours", "peer", "ratio peer/ours", "our images/s")
    rows = [header]
    for measurement in measurements:
        ratios = {mode: f"{measurement.ratio(mode):.2f}" for mode in measurement.ours}
        rows.append(
            (
                f"{measurement.case} {measurement.batch}x{measurement.size}" if measurement.batch else measurement.case,
                measurement.phase,
                measurement.unit,
                listed(measurement.ours),
                listed(measurement.peer),
                listed(ratios),
                images_per_second(measurement),
            )
        )
    widths = [max(len(row[column]) for row in rows) for column in range(len(header))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    lines.insert(1, "  ".join("-" * width for width in widths))
    return "\n".join(lines)


def images_per_second(measurement: Measurement) -> str:
    """Of the faster mode of ours, where it is times of batches of images."""
    if measurement.unit != "ms" or not measurement.batch:
        return ""
    return f"{1e3 * measurement.batch / min(measurement.ours.values()):.3g}"


def listed(values: dict) -> str:
    """`{"a": 1, "b": 2}` as `a 1, b 2`."""
    return ", ".join(f"{name} {value}" for name, value in values.items())


def append(measurements: Sequence[Measurement], path: Path = RESULTS) -> None:
    """Adds the measurements to the CSV file, which gets its header when it is new."""
    new = not path.exists()
    with path.open("a", newline="") as file:
        writer = csv.DictWriter(file, FIELDS, lineterminator="\n")
        if new:
            writer.writeheader()
        for measurement in measurements:
            writer.writerow(
                {
                    "date": datetime.date.today().isoformat(),
                    "machine": machine(),
                    "case": measurement.case,
                    "phase": measurement.phase,
                    "batch": measurement.batch or "",
                    "size": measurement.size,
                    "backend": measurement.backend,
                    "ours": listed(measurement.ours),
                    "peer_name": measurement.peer_name,
                    "peer": listed(measurement.peer),
                    "unit": measurement.unit,
                    "ratio": listed({mode: f"{measurement.ratio(mode):.3f}" for mode in measurement.ours}),
                    "load": measurement.load,
                    "versions": listed(measurement.versions),
                }
            )


def machine() -> str:
    """The processor and how many cores this process may use."""
    name = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.is_file():
        for line in cpuinfo.read_text().splitlines():
            if line.startswith("model name"):
                name = line.split(":", 1)[1].strip()
                break
    return f"{name}, {len(os.sched_getaffinity(0))} cores"
