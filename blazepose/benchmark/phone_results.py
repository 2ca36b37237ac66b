"""Results of phones, read from the output of LiteRT's tools and from CSV tables."""

import csv
import re
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from blazepose.exceptions import InputError, MissingFileError

HEADER = "# blazepose: {file} {accelerator} {threads}"
"""First line of an output, which the commands of phone_commands write; the second is the phone's model."""

CSV_COLUMNS = ("file", "device", "accelerator", "threads", "latency_ms")

_HEADER = re.compile(r"# blazepose: (\S+) (\S+) (\d+)\s*\n(?:([^\n:]*\S)\s*\n)?")

# Output of benchmark_model for CompiledModel (litert/tools) and of the older one for the interpreter
# (tflite/tools). Source: benchmark_litert_model.h and benchmark_model.cc of LiteRT.
_RESULTS = (
    (re.compile(r"Inference \(avg\): +([\d.e+]+) ms \(\d+ runs\)"), 1.0),
    (re.compile(r"Inference timings in us: .*Inference \(avg\): ([\d.e+]+)"), 1e-3),
)
_MEDIAN_US = re.compile(r"count=\d+ .*\bmedian=([\d.e+]+)")
"""Statistics of the warm-up and of the timed runs; versions before 2025 print no median."""
_MEMORY_MB = re.compile(r"(?:Overall footprint: +|Memory footprint delta .* overall=)([\d.e+]+)")
_GRAPH = re.compile(r"(?:Loading model from: |Graph: \[)\S*?([^/\s\]]+)\]?\s*$", re.MULTILINE)
_THREADS = re.compile(r"(?:Num threads|#threads used for CPU inference): \[(\d+)\]")
_GPU = re.compile(r"Use gpu: \[1\]")
_DELEGATED = re.compile(r"Replacing (\d+) out of (\d+) node")


class PhoneRun(NamedTuple):
    """One run of a benchmark tool.

    Attributes:
        file: name of the network file on the phone.
        device: model of the phone; "phone" if the output does not contain it.
        accelerator: CPU, GPU, or compute units of Core ML.
        threads: number of threads; 0 where it is not stated.
        latency_ms: median of the run, or its mean where the tool prints no median; None if the tool failed.
        memory_mb: memory added by loading and running; None if it is not stated.
        operators: operators that the accelerator takes, "240 of 240"; None if it is not stated.
    """

    file: str
    device: str
    accelerator: str
    threads: int
    latency_ms: float | None
    memory_mb: float | None = None
    operators: str | None = None

    @property
    def setting(self) -> str:
        """Device, accelerator and threads, for the table."""
        threads = f", {self.threads} thread{'s' * (self.threads > 1)}" if self.threads else ""
        return f"{self.device}, {self.accelerator}{threads}"


def read_results(paths: Sequence[Path], names: Collection[str]) -> list[PhoneRun]:
    """Read saved outputs (.txt), tables (.csv), and all of them in folders.

    Args:
        paths: files and folders.
        names: network files on the phone, to refuse others.

    Raises:
        FileNotFoundError: if a file is missing, or a folder has none.
        ValueError: if a file has no result, or one of another file.
    """
    runs = []
    for path in _result_files(paths):
        for run in _read_csv(path) if path.suffix == ".csv" else [_read_output(path)]:
            if run.file not in names:
                raise InputError(
                    f"{path} has a result of {run.file}, which is not among the benchmarked files "
                    f"({', '.join(names)}); name its file, too, or leave this result out"
                )
            runs.append(run)
    return runs


def _result_files(paths: Sequence[Path]) -> Iterator[Path]:
    for path in paths:
        if not path.exists():
            raise MissingFileError(f"--results {path} is missing; --phone prints the commands that write it")
        found = (
            sorted(file for file in path.iterdir() if file.suffix in (".txt", ".csv"))
            if path.is_dir()
            else [path]
        )
        if not found:
            raise MissingFileError(f"--results {path} contains no .txt or .csv file")
        yield from found


def _read_output(path: Path) -> PhoneRun:
    text = path.read_text(encoding="utf-8", errors="replace").replace("\r", "")
    values = [float(value) * unit for pattern, unit in _RESULTS for value in pattern.findall(text)]
    header, graph, threads = _HEADER.search(text), _GRAPH.search(text), _THREADS.search(text)
    if len(values) > 1:
        raise InputError(f"{path} has {len(values)} runs of benchmark_model; save each in a file of its own")
    file = header[1] if header else graph[1] if graph and values else None
    if file is None:
        raise InputError(
            f"{path} is no complete output of LiteRT's benchmark_model: it lacks a file name or the line "
            "with `Inference (avg)`; save all that the tool prints, `2>&1` included"
        )
    medians, memory, delegated = _MEDIAN_US.findall(text), _MEMORY_MB.search(text), _DELEGATED.search(text)
    latency_ms = float(medians[-1]) / 1000 if medians else values[0] if values else None
    return PhoneRun(
        file,
        (header[4] if header else None) or "phone",
        header[2] if header else "GPU" if _GPU.search(text) else "CPU",
        int(header[3]) if header else int(threads[1]) if threads else 0,
        latency_ms if values else None,
        float(memory[1]) if memory else None,
        f"{delegated[1]} of {delegated[2]}" if delegated else None,
    )


def _read_csv(path: Path) -> Iterator[PhoneRun]:
    with path.open(encoding="utf-8-sig", errors="replace", newline="") as lines:
        rows = csv.DictReader(lines)
        if missing := set(CSV_COLUMNS) - set(rows.fieldnames or ()):
            raise InputError(f"{path} lacks the columns {', '.join(sorted(missing))}; --phone ios prints all")
        for row in rows:
            try:
                latency_ms, threads = float(row["latency_ms"]), int(row["threads"] or 0)
            except (TypeError, ValueError) as error:
                raise InputError(
                    f"{path}, line {rows.line_num}: latency_ms must be a number of milliseconds, and threads "
                    "a whole number or empty"
                ) from error
            yield PhoneRun(row["file"], row["device"], row["accelerator"], threads, latency_ms)
