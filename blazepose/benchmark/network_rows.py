"""Rows of the networks: parameters, multiply-adds, latency, accelerators."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from tqdm import tqdm

from blazepose.benchmark.files import DETECTOR, LANDMARKS, BenchmarkFile
from blazepose.benchmark.latency import Latency
from blazepose.benchmark.statistics import median_interval
from blazepose.benchmark.table import Row, Value
from blazepose.tflite.acceleration import Acceleration, on_cpu, on_gpu

TITLES = {LANDMARKS: "landmark network", DETECTOR: "detector"}

Latencies = Mapping[tuple[str, str, int], Latency]


def network_rows(
    files: Sequence[BenchmarkFile], latencies: Latencies, threads: Sequence[int]
) -> Iterator[Row]:
    """Yield the rows of the landmark networks, then those of the detectors, as far as files have them."""
    for kind, title in TITLES.items():
        having = [file if kind in file.kinds else None for file in files]
        if not any(having):
            continue
        costs = [file.cost(kind) if file else None for file in having]
        parameters = [cost.parameters if cost else None for cost in costs]
        multiply_adds = [cost.multiply_adds / 1e6 if cost else None for cost in costs]
        yield Row(f"{kind}_parameters", f"{title}: parameters", parameters)
        yield Row(f"{kind}_multiply_adds_m", f"{title}: multiply-adds, M", multiply_adds, 1)
        for number in threads:
            measured = [latencies.get((file.name, kind, number)) for file in files]
            yield from _latency_rows(kind, f"{title}, {number} thread{'s' * (number > 1)}", number, measured)


def _latency_rows(kind: str, title: str, threads: int, measured: Sequence[Latency | None]) -> Iterator[Row]:
    key = f"{kind}_{threads}_threads"
    present = [latency for latency in measured if latency]
    medians = [latency and float(np.median(latency.wall_ms)) for latency in measured]
    yield Row(f"{key}_ms", f"{title}: latency, ms", medians, 2)
    if len(present) > 1:
        base = present[0]
        ratios: list[Value] = [
            latency and (1.0 if latency is base else median_interval(latency.wall_ms / base.wall_ms))
            for latency in measured
        ]
        yield Row(f"{key}_ratio", f"{title}: latency, of the first file's", ratios, 2)
    cpu = [latency and float(np.median(latency.cpu_ms)) for latency in measured]
    yield Row(f"{key}_cpu_ms", f"{title}: CPU time, ms", cpu, 2)


def acceleration_rows(files: Sequence[BenchmarkFile]) -> tuple[list[Row], list[str]]:
    """Return the rows of XNNPACK and of the GPU, and why the latter is unknown."""
    contents = {(f.name, kind): content for f in files for kind in f.kinds if (content := f.tflite(kind))}
    different = set(contents.values())  # bundles often have the same detector
    checked = {
        content: (on_cpu(content), on_gpu(content))
        for content in tqdm(different, desc="accelerators", unit=" networks", disable=None)
    }
    rows, unknown, devices = [], set(), set()
    for kind, title in TITLES.items():
        pairs = [checked.get(contents.get((file.name, kind), b"")) for file in files]
        if not any(pairs):
            continue
        cpu, gpu = ([pair and pair[k] for pair in pairs] for k in (0, 1))
        unknown |= {result for result in gpu if isinstance(result, str)}
        devices |= {result.device for result in gpu if isinstance(result, Acceleration)}
        rows.append(Row(f"{kind}_xnnpack", f"{title}: XNNPACK", [_describe(result) for result in cpu]))
        rows.append(Row(f"{kind}_gpu", f"{title}: LiteRT's GPU", [_describe(result) for result in gpu]))
    notes = [f"GPU: {', '.join(sorted(devices))}."] if devices else []
    return rows, notes + [f"GPU unknown: {reason}." for reason in sorted(unknown)]


def _describe(result: Acceleration | str | None) -> str | None:
    if result is None or isinstance(result, str):
        return result and "unknown"
    operators = dict.fromkeys(reason.partition(":")[0] for reason in result.left_out)
    text = "whole" if result.whole else f"all but {', '.join(operators) or 'some operators'}"
    if result.is_wrong:
        text += "; outputs wrong"
    return text
