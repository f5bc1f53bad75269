"""The Python environments of the peers."""

import hashlib
import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
REQUIREMENTS = Path(__file__).resolve().parent / "peers.txt"
FOLDER = REPOSITORY / ".venv-peers"
# What converts PyTorch's networks to LiteRT needs other versions than the peers do.
LITERT_REQUIREMENTS = REQUIREMENTS.with_name("peers_litert.txt")
LITERT_FOLDER = REPOSITORY / ".venv-peers-litert"


def peers_python(folder: Path = FOLDER, requirements: Path = REQUIREMENTS) -> Path:
    """The interpreter of the peers' environment, which is made (some minutes, 1 GB) where it is missing or outdated."""
    python = folder / "bin" / "python"
    stamp = folder / "installed"
    wanted = hashlib.sha256(requirements.read_bytes()).hexdigest()
    if stamp.is_file() and stamp.read_text() == wanted:
        return python
    print(f"installing the peers into {folder.name} ...", file=sys.stderr, flush=True)
    subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=True)
    install = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    torch = next(line for line in requirements.read_text().splitlines() if line.startswith("torch=="))
    subprocess.run([*install, torch], check=True)
    subprocess.run([*install, "-r", str(requirements)], check=True)
    stamp.write_text(wanted)
    return python
