"""The commands for a phone: run here with programs in place of adb, curl and the benchmark tool."""

import os
import subprocess

import pytest

from blazepose.benchmark.files import open_files
from blazepose.benchmark.phone_commands import PHONES
from blazepose.benchmark.phone_results import CSV_COLUMNS, read_results
from blazepose.benchmark.phone_rows import phone_names, phone_rows
from blazepose.exceptions import InputError
from tests.constant_bundle import write_bundle
from tests.constant_network import write_network

ADB = """#!/bin/sh
command=$1; shift
case $command in
  push) cp "$1" "{phone}/${{2##*/}}" ;;
  shell) cd "{phone}" && sh -c "$(echo "$1 $2 $3" | sed 's#/data/local/tmp#{phone}#g')" ;;
esac
"""
GETPROP = "#!/bin/sh\necho My Phone\n"
CURL = """#!/bin/sh
cat > "$3" <<'END'
#!/bin/sh
graph=${1#--graph=}
test -s "$graph" || exit 1
us=2500
test "$2" = --use_gpu=true && us=1500 && echo "INFO: Replacing 5 out of 5 node(s) with delegate (X)"
echo "INFO: count=9 first=9 curr=9 min=9 max=9 avg=9 std=9 p5=9 median=$us p95=9"
echo "INFO: [benchmark_litert_model.h:99] Inference (avg):      9.00 ms (9 runs)"
END
"""


@pytest.fixture
def environment(tmp_path) -> dict[str, str]:
    programs, phone = tmp_path / "bin", tmp_path / "on_phone"
    programs.mkdir()
    phone.mkdir()
    for name, text in (("adb", ADB.format(phone=phone)), ("getprop", GETPROP), ("curl", CURL)):
        (programs / name).write_text(text)
        (programs / name).chmod(0o755)
    return os.environ | {"PATH": f"{programs}{os.pathsep}{os.environ['PATH']}"}


def test_commands_for_android_run_and_their_output_is_read(tmp_path, environment):
    if subprocess.run(["which", "unzip"], capture_output=True, check=False).returncode:
        pytest.skip("unzip is not installed")
    files = open_files([write_bundle(tmp_path / "my pose.task")])
    script = "\n".join(PHONES["android"](files, (1, 4)))
    subprocess.run(["sh", "-e", "-c", script], cwd=tmp_path, env=environment, check=True)
    runs = read_results([tmp_path / "phone"], phone_names(files))
    assert len(runs) == 2 * 3 * 3  # networks, settings, rounds
    rows = {row.label: row.values for row in phone_rows(files, runs)}
    assert rows == {
        f"My Phone, {setting}: {network}, {what}": [value]
        for network in ("landmark network", "detector")
        for setting, what, value in (
            ("CPU, 1 thread", "ms", 2.5),
            ("CPU, 4 threads", "ms", 2.5),
            ("GPU", "ms", 1.5),
            ("GPU", "operators", "5 of 5"),
        )
    }


def test_onnx_files_are_left_out(tmp_path):
    network = write_network(tmp_path / "net.onnx")
    lines = list(PHONES["android"](open_files([network, write_bundle(tmp_path / "a.task")]), (1,)))
    assert not any("net" in line.replace("benchmark_model", "") and ".onnx" in line for line in lines)
    with pytest.raises(InputError, match=r"needs \.task or \.tflite files"):
        list(PHONES["android"](open_files([network]), (1,)))


def test_steps_for_ios_end_with_a_table_that_is_read(tmp_path):
    package = tmp_path / "lite.mlpackage"
    package.mkdir()
    (package / "Manifest.json").write_text("{}")
    files = open_files([package])
    lines = [line for line in PHONES["ios"](files, (1,)) if not line.startswith("#")]
    assert lines[0] == ",".join(CSV_COLUMNS)
    table = tmp_path / "iphone.csv"
    table.write_text("\n".join(lines).replace("MEDIAN_MS", "1.5"))
    rows = list(phone_rows(files, read_results([table], phone_names(files))))
    assert [row.values for row in rows] == [[1.5], [1.5]]
    bundle = open_files([write_bundle(tmp_path / "a.task")])
    with pytest.raises(InputError, match=r"needs \.mlpackage files"):
        list(PHONES["ios"](bundle, (1,)))
