"""The benchmark command: its options, ratios, table and CSV file. Nothing is timed here."""

import csv
import io
import json

import pytest

from benchmarks import __main__ as command
from benchmarks.cases import CASES, Case
from benchmarks.environment import REQUIREMENTS
from benchmarks.match import Measurement, check_parameters, peer_modes
from benchmarks.report import FIELDS, append, table
from benchmarks.worker import Contestant, obey


def measurement(**changes) -> Measurement:
    fields = dict(
        case="enet",
        phase="inference",
        unit="ms",
        batch=4,
        size="360x480",
        backend="tensorflow",
        ours={"graph": 250.0, "xla": 100.0},
        peer={"channels_first": 400.0, "channels_last": 200.0},
        peer_name="plain PyTorch",
        load=0.2,
        versions={"keras": "3.15.1"},
    )
    return Measurement(**{**fields, **changes})


def test_default_options_measure_everything():
    options = command.parse([])
    assert options.rows == list(CASES)
    assert (options.repeats, options.threads, options.backend, options.save) == (10, 2, "tensorflow", False)


def test_options():
    options = command.parse(["--rows", "enet,pooling", "--quick", "--backend", "jax", "--save"])
    assert options.rows == ["enet", "pooling"]
    assert (options.repeats, options.backend, options.save) == (3, "jax", True)
    assert command.parse(["--quick", "--repeats", "7"]).repeats == 7


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["--rows", "enet,resnet"], "no such row: resnet"),
        (["--repeats", "0"], "must be an integer >= 1"),
        (["--backend", "numpy"], "invalid choice"),
    ],
)
def test_wrong_options_are_refused(arguments, message, capsys):
    with pytest.raises(SystemExit) as stop:
        command.parse(arguments)
    assert stop.value.code == 2
    assert message in capsys.readouterr().err


def test_pipeline_has_its_own_command(monkeypatch):
    pipeline = pytest.importorskip("benchmarks.pipeline")
    given = []
    monkeypatch.setattr(pipeline, "main", given.append)
    assert command.main(["pipeline", "--batches", "2"]) == []
    assert given == [["--batches", "2"]]


def test_quick_case_has_half_the_height_and_width_in_multiples_of_32():
    assert CASES["enet"].resized(1) == CASES["enet"]
    assert CASES["enet"].resized(2) == Case("enet", 4, 160, 224, 12, "plain PyTorch", model="ENet")


def test_ratio_takes_the_better_memory_format_of_the_peer():
    row = measurement()
    assert row.ratio("graph") == pytest.approx(0.8)
    assert row.ratio("xla") == pytest.approx(2.0)
    assert row.ratio() == pytest.approx(2.0)


def test_table():
    lines = table([measurement(), measurement(case="import", batch=0, size="", ours={"package": 10.0})]).splitlines()
    assert lines[0].split() == ["case", "what", "unit", "ours", "peer", "ratio", "peer/ours", "our", "images/s"]
    assert lines[2].startswith("enet 4x360x480  inference  ms")
    assert lines[2].endswith(
        "graph 250.0, xla 100.0  channels_first 400.0, channels_last 200.0  graph 0.80, xla 2.00  40"
    )
    assert lines[3].endswith("package 20.00")
    assert len({line.index("inference") for line in lines[2:]}) == 1


def test_rows_are_appended_under_one_header(tmp_path):
    path = tmp_path / "results.csv"
    append([measurement()], path)
    append([measurement(phase="training step"), measurement(case="unet")], path)
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert tuple(rows[0]) == FIELDS
    assert [(row["case"], row["phase"]) for row in rows] == [
        ("enet", "inference"),
        ("enet", "training step"),
        ("unet", "inference"),
    ]
    assert rows[0]["ratio"] == "graph 0.800, xla 2.000"
    assert rows[0]["ours"] == "graph 250.0, xla 100.0"
    assert "cores" in rows[0]["machine"]


class Greeting:
    def __init__(self, parameters: int):
        self.hello = {"parameters": parameters}


def test_different_networks_are_not_compared():
    check_parameters(CASES["enet"], [Greeting(363_856), Greeting(363_856)])
    check_parameters(CASES["linknet_smp"], [Greeting(1), Greeting(2)])
    with pytest.raises(RuntimeError, match="enet differ in parameters: .363855, 363856"):
        check_parameters(CASES["enet"], [Greeting(363_856), Greeting(363_855)])


def test_peers_in_keras_run_in_the_modes_of_this_package():
    assert peer_modes(CASES["deeplab_v3_plus_keras_hub"]) == ("graph", "xla")
    assert peer_modes(CASES["enet"]) == ("channels_first", "channels_last")


def test_worker_answers_each_command(monkeypatch, capsys):
    done = []
    contestant = Contestant(lambda: done.append("inference"), lambda: done.append("step"), 5, 100.0, {"keras": "3"})
    monkeypatch.setattr("sys.stdin", io.StringIO("inference\nstep\nstep\n"))
    obey(contestant)
    answers = [json.loads(line[1:]) for line in capsys.readouterr().out.splitlines()]
    assert done == ["inference", "step", "step"]
    assert answers[0] == {"parameters": 5, "imported": 100.0, "versions": {"keras": "3"}}
    assert len(answers) == 4
    assert all(answer["seconds"] >= 0 and answer["peak"] > 1 for answer in answers[1:])


def test_every_peer_is_pinned():
    lines = [line for line in REQUIREMENTS.read_text().splitlines() if line and not line.startswith("#")]
    assert "torch==2.13.0" in lines
    assert "segmentation-models-pytorch==0.6.0" in lines
    assert all("==" in line for line in lines)
