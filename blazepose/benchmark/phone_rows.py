"""Rows of phones: what they measured, by device and accelerator."""

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence

import numpy as np

from blazepose.benchmark.files import BenchmarkFile
from blazepose.benchmark.network_rows import TITLES
from blazepose.benchmark.phone_results import PhoneRun
from blazepose.benchmark.table import Row, Value

NOTE = (
    "Phones: the median of the runs; LiteRT's benchmark_model prints the median of a run, older versions its "
    "mean. Memory is what loading and running adds."
)


def phone_names(files: Sequence[BenchmarkFile]) -> dict[str, tuple[str, str]]:
    """Return {name of a network file on the phone: (name of the file in the table, title of the network)}."""
    networks = {f.phone_name(kind): (f.name, TITLES[kind]) for f in files for kind in f.kinds}
    return networks | {file.name: (file.name, "network") for file in files if not file.kinds}


def phone_rows(files: Sequence[BenchmarkFile], runs: Sequence[PhoneRun]) -> Iterator[Row]:
    """Yield latency, memory and operators of each network, device and accelerator."""
    names = phone_names(files)
    grouped: dict[tuple[str, str], dict[str, list[PhoneRun]]] = defaultdict(lambda: defaultdict(list))
    for run in runs:
        name, title = names[run.file]
        grouped[run.setting, title][name].append(run)
    for (setting, title), by_file in grouped.items():
        for what, values, digits in _measures([by_file.get(file.name, []) for file in files]):
            if any(value is not None for value in values):
                label = f"{setting}: {title}, {what}"
                yield Row(re.sub(r"\W+", "_", label).lower(), label, values, digits)


def _measures(runs: Sequence[Sequence[PhoneRun]]) -> Iterator[tuple[str, list[Value], int]]:
    """Yield the name of each measure, its values from the runs of each file, and the decimals."""
    yield "ms", [_median([run.latency_ms for run in of_file], "failed") for of_file in runs], 2
    yield "memory, MB", [_median([run.memory_mb for run in of_file], None) for of_file in runs], 1
    stated = [[run.operators for run in of_file if run.operators] for of_file in runs]
    yield "operators", [operators[0] if operators else None for operators in stated], 0


def _median(values: Sequence[float | None], otherwise: str | None) -> Value:
    """Return the median of the numbers; without any `otherwise`, but None for no values at all."""
    numbers = [value for value in values if value is not None]
    return float(np.median(numbers)) if numbers else otherwise if values else None
