"""A peer in a process of its own: `python -m benchmarks.peers CASE_AS_JSON MODE THREADS`."""

import importlib
import json
import sys

from benchmarks.cases import KERAS_HUB, Case
from benchmarks.worker import obey


def main() -> None:
    """Builds the case and waits for commands."""
    case = Case(**json.loads(sys.argv[1]))
    framework = importlib.import_module(f"benchmarks.peers.{'on_keras' if case.peer == KERAS_HUB else 'on_torch'}")
    obey(framework.contestant(case, sys.argv[2], int(sys.argv[3])))


if __name__ == "__main__":
    main()
