"""Commands that benchmark files on a phone: for LiteRT's tool over adb, and for Xcode."""

import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence

from blazepose.benchmark.files import CORE_ML, ENTRIES, BenchmarkFile
from blazepose.benchmark.phone_results import CSV_COLUMNS, HEADER
from blazepose.exceptions import InputError

_TOOL = "https://storage.googleapis.com/litert/binaries/latest/android_arm64/benchmark_model"
"""Source: LiteRT's documentation, "Benchmark CompiledModel API"; OpenCL accelerator included."""

_ON_PHONE = "/data/local/tmp"
"""Folder of a phone in which adb may run programs."""

_FOLDER = "phone"
_ROUNDS = 3
"""Chosen: a phone gets slower as it gets warm, which rounds spread over all files."""


def android_commands(files: Sequence[BenchmarkFile], threads: Sequence[int]) -> Iterator[str]:
    """Yield lines for a shell with adb: CPU with each number of threads, and GPU, by turns.

    Raises:
        ValueError: if no file has a TFLite network.
    """
    names = {
        file.phone_name(kind): (file, kind)
        for file in files
        for kind in file.kinds
        if file.path.suffix != ".onnx"
    }
    if not names:
        raise InputError("LiteRT's benchmark tool needs .task or .tflite files; name one")
    yield "# Run these lines in a shell on a computer with adb, the phone at its cable, USB debugging on."
    yield f"mkdir -p {_FOLDER}"
    yield f"curl -L -o {_FOLDER}/benchmark_model {_TOOL}"
    yield f"adb push {_FOLDER}/benchmark_model {_ON_PHONE}/"
    yield f"adb shell chmod 755 {_ON_PHONE}/benchmark_model"
    for name, (file, kind) in names.items():
        path = shlex.quote(str(file.path))
        if file.is_bundle:
            yield f"unzip -p {path} {ENTRIES[kind]} > {_FOLDER}/{name}"
            path = f"{_FOLDER}/{name}"
        yield f"adb push {path} {_ON_PHONE}/{name}"
    yield f"for round in {' '.join(map(str, range(1, _ROUNDS + 1)))}; do"
    for name in names:
        for number in threads:
            yield _android_run(name, "CPU", number, f"--num_threads={number}")
        yield _android_run(name, "GPU", 0, "--use_gpu=true")
    yield "done"
    yield f"# Then run the benchmark again, on this computer: add --results {_FOLDER}"


def _android_run(name: str, accelerator: str, threads: int, options: str) -> str:
    header = HEADER.format(file=name, accelerator=accelerator, threads=threads)
    script = f"echo '{header}'; getprop ro.product.model; "
    script += f"{_ON_PHONE}/benchmark_model --graph={_ON_PHONE}/{name} {options}"
    output = f"{_FOLDER}/{name}.{accelerator}{threads or ''}.$round.txt"
    return f'  adb shell "{script}" > {output} 2>&1'


def ios_steps(files: Sequence[BenchmarkFile], threads: Sequence[int]) -> Iterator[str]:
    """Yield the steps of Xcode's performance report, and the table to fill with its numbers.

    Raises:
        ValueError: if no file is of Core ML.
    """
    packages = [file for file in files if file.path.suffix == CORE_ML]
    if not packages:
        raise InputError(
            f"Xcode's performance report needs {CORE_ML} files; name one "
            "(blazepose export --target coreml writes them)"
        )
    yield "# On a Mac with Xcode, the iPhone at its cable. For each package:"
    for package in packages:
        yield f"#   {package.path}"
    yield "# 1. Open it in Xcode, choose the tab Performance, then + (create a performance report)."
    yield "# 2. Choose the phone, then the compute units All, and run the test; then again with CPU Only."
    yield "# 3. Write the median of Prediction, in milliseconds, into a file iphone.csv of this form:"
    yield ",".join(CSV_COLUMNS)
    for package in packages:
        for unit in ("All", "CPU Only"):
            yield f"{package.name},iPhone MODEL,{unit},,MEDIAN_MS"
    yield "# Then run the benchmark again: add --results iphone.csv"


PHONES: Mapping[str, Callable[[Sequence[BenchmarkFile], Sequence[int]], Iterator[str]]] = {
    "android": android_commands,
    "ios": ios_steps,
}
"""Values of --phone."""
