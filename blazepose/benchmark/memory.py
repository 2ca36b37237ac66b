"""Peak memory of loading and running a file, in a process of its own."""

import json
import subprocess
import sys
from pathlib import Path

from blazepose.benchmark.files import ENTRIES, BenchmarkFile
from blazepose.exceptions import ProcessError

_RUNS = 3
"""Chosen: buffers are allocated in the first runs."""


def measure_memory(file: BenchmarkFile, num_threads: int) -> float:
    """Return the megabytes by which loading and running all networks of a file raises a process's peak.

    Python and the inference engine are loaded before.

    Raises:
        ChildProcessError: if the process fails, as without memory.
    """
    command = [sys.executable, "-m", __name__, str(file.path), str(num_threads), *file.kinds]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        last = (done.stderr.strip().splitlines() or [f"status {done.returncode}"])[-1]
        raise ProcessError(f"{file.path}: the process that measures its memory ended: {last}")
    return json.loads(done.stdout.splitlines()[-1])


def main(path: str, num_threads: str, *kinds: str) -> None:
    """Load and run networks in this process, and print the megabytes."""
    from blazepose.benchmark.latency import network_input
    from blazepose.runtime.inference_sessions import open_session

    __import__("onnxruntime" if path.endswith(".onnx") else "ai_edge_litert.interpreter")
    before = _status_mb("VmRSS")
    sessions = [(kind, open_session(Path(path), ENTRIES[kind], int(num_threads))) for kind in kinds]
    for kind, session in sessions:
        for _ in range(_RUNS):
            session(network_input(session.inputs[0][1], kind, None))
    print(json.dumps(_status_mb("VmHWM") - before))


def _status_mb(key: str) -> float:
    # Not getrusage, whose maximum begins with that of the process that started this one.
    status = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 / 1e6 for line in status if line.startswith(key))


if __name__ == "__main__":
    main(*sys.argv[1:])
