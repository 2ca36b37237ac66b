"""Description of the machine of a measurement."""

import datetime
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from blazepose.cores import usable_cores

_LIBRARIES = {"ai-edge-litert": "LiteRT", "onnxruntime": "ONNX Runtime", "mediapipe": "MediaPipe"}


def describe_machine() -> str:
    """Return processor, cores, versions and date in one line."""
    libraries = []
    for package, name in _LIBRARIES.items():
        try:
            libraries.append(f"{name} {version(package)}")
        except PackageNotFoundError:
            continue
    parts = [
        f"{_processor()}, {usable_cores()} cores",
        f"{platform.system()} {platform.machine()}",
        f"Python {platform.python_version()}",
        *libraries,
        datetime.date.today().isoformat(),
    ]
    return "; ".join(parts)


def _processor() -> str:
    """Return the model of the processor; platform.processor() is empty on most Linux systems."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else platform.processor() or "unknown processor"
