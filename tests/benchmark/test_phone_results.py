"""Outputs of LiteRT's two benchmark tools, in the form of their source code, and tables."""

from pathlib import Path

import pytest

from blazepose.benchmark.phone_results import PhoneRun, read_results
from blazepose.exceptions import InputError, MissingFileError

COMPILED_MODEL = """\
# blazepose: lite.tflite GPU 0
Pixel 8
INFO: STARTING!
INFO: Log parameter values verbosely: [0]
INFO: [benchmark_litert_model.cc:123] Loading model from: /data/local/tmp/lite.tflite
VERBOSE: Replacing 180 out of 187 node(s) with delegate (LITERT_CL) node, yielding 3 partitions
VERBOSE: Replacing 7 out of 10 node(s) with delegate (TfLiteXNNPackDelegate) node, yielding 2 partitions
INFO: count=60 first=21000 curr=8100 min=8000 max=21000 avg=8400 std=900 p5=8010 median=8200 p95=8900
INFO: count=124 first=8100 curr=7900 min=7700 max=9100 avg=8010.5 std=120 p5=7800 median=7900 p95=8300
INFO: [benchmark_litert_model.h:94] Model initialization: 310.20 ms
INFO: [benchmark_litert_model.h:97] Warmup (avg):         8.40 ms (60 runs)
INFO: [benchmark_litert_model.h:99] Inference (avg):      8.01 ms (124 runs)
INFO: [benchmark_litert_model.h:125] Overall footprint:    64.50 MB
"""

INTERPRETER = """\
STARTING!
Num threads: [4]
Graph: [/data/local/tmp/models/lite.tflite]
#threads used for CPU inference: [4]
count=25 first=21000 curr=20000 min=19000 max=22000 avg=20100 std=300
count=50 first=20500 curr=20400 min=19900 max=23000 avg=20345.6 std=250
Inference timings in us: Init: 5685, First inference: 21000, Warmup (avg): 20100, Inference (avg): 20345.6
Memory footprint delta from the start of the tool (MB): init=6.25 overall=11.5
"""


def read(tmp_path, text: str, suffix: str = ".txt") -> list[PhoneRun]:
    path = tmp_path / f"output{suffix}"
    path.write_text(text)
    return read_results([path], ["lite.tflite", "lite.mlpackage"])


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_output_of_the_tool_for_compiled_models(tmp_path, newline):
    (run,) = read(tmp_path, COMPILED_MODEL.replace("\n", newline))
    assert run == PhoneRun("lite.tflite", "Pixel 8", "GPU", 0, 7.9, 64.5, "180 of 187")
    assert run.setting == "Pixel 8, GPU"


def test_output_of_the_tool_for_the_interpreter_saved_by_hand(tmp_path):
    (run,) = read(tmp_path, INTERPRETER)
    assert run == PhoneRun("lite.tflite", "phone", "CPU", 4, pytest.approx(20.3456), 11.5)
    assert run.setting == "phone, CPU, 4 threads"
    (run,) = read(tmp_path, INTERPRETER.replace("Graph", "Use gpu: [1]\nGraph"))
    assert run.accelerator == "GPU"


def test_a_phone_on_which_the_tool_fails(tmp_path):
    (run,) = read(tmp_path, "# blazepose: lite.tflite GPU 0\nPixel 8\nERROR: Failed to compile model.\n")
    assert run == PhoneRun("lite.tflite", "Pixel 8", "GPU", 0, None)
    (run,) = read(tmp_path, "# blazepose: lite.tflite CPU 1\nadb: no devices/emulators found\n")
    assert (run.device, run.latency_ms) == ("phone", None)


def test_a_table(tmp_path):
    table = "file,device,accelerator,threads,latency_ms\nlite.mlpackage,iPhone 15,All,,1.25\n"
    assert read(tmp_path, table, ".csv") == [PhoneRun("lite.mlpackage", "iPhone 15", "All", 0, 1.25)]


def test_a_folder_has_all_of_them(tmp_path):
    folder = tmp_path / "phone"
    folder.mkdir()
    with pytest.raises(MissingFileError, match=r"phone contains no \.txt or \.csv file"):
        read_results([folder], [])
    for number in (1, 2):
        (folder / f"{number}.txt").write_text(COMPILED_MODEL)
    (folder / "benchmark_model").write_bytes(b"\x7fELF")
    assert len(read_results([folder], ["lite.tflite"])) == 2


@pytest.mark.parametrize(
    ("text", "suffix", "message"),
    [
        ("", ".txt", "is no complete output of LiteRT's benchmark_model"),
        (INTERPRETER.rpartition("Inference timings")[0], ".txt", "is no complete output of LiteRT's"),
        (2 * INTERPRETER, ".txt", "has 2 runs of benchmark_model; save each in a file of its own"),
        (INTERPRETER.replace("lite.", "heavy."), ".txt", r"result of heavy\.tflite, which is not among"),
        ("file,latency_ms\n", ".csv", "lacks the columns accelerator, device, threads"),
        (
            "file,device,accelerator,threads,latency_ms\nlite.mlpackage,iPhone,All,,MEDIAN_MS\n",
            ".csv",
            "line 2: latency_ms must be a number",
        ),
    ],
)
def test_bad_results(tmp_path, text, suffix, message):
    with pytest.raises(InputError, match=message):
        read(tmp_path, text, suffix)


def test_a_missing_file():
    with pytest.raises(MissingFileError, match="--results nowhere is missing; --phone prints the commands"):
        read_results([Path("nowhere")], [])
