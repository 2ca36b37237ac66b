"""The console command `blazepose`: help without heavy imports, and one module per subcommand."""

import argparse
import importlib
import sys
import textwrap
from dataclasses import dataclass
from pathlib import Path

from blazepose import __version__
from blazepose.commands.arguments import ARGUMENTS, LINE_WIDTH
from blazepose.exceptions import install_command


@dataclass(frozen=True)
class Command:
    """A subcommand.

    Attributes:
        summary: what it does, for the list of commands.
        example: command lines for the help.
        extra: extra of the package that it needs, "" for the bare install.
        details: sentences for the help.
        keys: {key: meaning} of the values that are set most often, of a command that takes `key=value`.
    """

    summary: str
    example: str
    extra: str = ""
    details: str = ""
    keys: tuple[tuple[str, str], ...] = ()


COMMANDS = {
    "train": Command(
        "train a landmark network or a detector, from scratch or from Google's weights",
        "blazepose train model=full init=pose_landmarker_full.task experiment=finetune \\\n"
        '    "data.train=[landmarks:mine/train.json]" "data.val=[landmarks:mine/val.json]"',
        "train",
        keys=(
            ("model=full", "lite, full, heavy or detector"),
            ("init=FILE", "weights to start from: .task, .tflite or .ckpt"),
            ("teacher=FILE", "a larger network, whose landmarks are learned"),
            ("decode=heatmap", "how x and y are decoded: regression, mediapipe or heatmap"),
            ("experiment=finetune", "a recipe: finetune, finetune_detector, demo*, ablation_*"),
            (
                "data.train=[READER:PATH,...]",
                "training data; readers: landmarks, coco, coco_wholebody, halpe, mpii, lsp, synthetic",
            ),
            ("data.val=[READER:PATH,...]", "validation data"),
            ("data.negatives=[DIR,...]", "folders of images without people"),
            ("data.unlabelled=[DIR,...]", "folders of images of people without labels, for the teacher"),
            ("stages.joint=20", "epochs"),
            ("optimizer.lr=5e-5", "peak learning rate"),
            ("loader.batch_size=8", "samples per step and process"),
            ("ckpt=last", "resume the newest run, or the run or .ckpt of this name"),
        ),
    ),
    "eval": Command(
        "score a landmark network or a detector; report, fairness, model card",
        'blazepose eval weights=my_pose.task "data.test=[landmarks:mine/val.json]"',
        "train",
        keys=(
            ("weights=FILE", "run folder, .ckpt, .tflite, .onnx or .task; default: the newest landmark run"),
            ("data.test=[READER:PATH,...]", "labelled people; default: the validation data of the weights"),
            ("data.metadata=people.csv", "groups of people"),
            ("data.negatives=[DIR,...]", "of a detector: images without people"),
            ("roi=annotation", "source of the crops: annotation, jitter or detector"),
            ("decode=heatmap", "how x and y are decoded: regression, mediapipe or heatmap"),
            ("engine=mediapipe", "torch, litert, onnxruntime or mediapipe"),
            ("predictions=FILE", "score saved predictions instead of running weights"),
            ("compare=[DIR,DIR]", "compare evaluations of the same people"),
            ("out=DIR", "folder of the results"),
        ),
    ),
    "eval-detector": Command(
        "evaluate detectors: recall, precision, AP, accuracy of the region of interest",
        "blazepose eval-detector pose_landmarker_full.task runs/detector/RUN --data coco:data/coco:val2017",
        "train",
    ),
    "compare": Command(
        "compare two weights: what was gained, for whom, and what was forgotten",
        "blazepose compare pose_landmarker_full.task runs/landmark/RUN --data landmarks:mine/test.json "
        "--decode heatmap\n"
        "blazepose compare pose_landmarker_full.task my_pose.task --video squats.mp4\n"
        "blazepose compare runs/eval/FIRST runs/eval/SECOND",
        "train",
        "Weights are run on the same people. The results are a report (report.md, report.html), all numbers "
        "(comparison.json), and the evaluation of each weights.",
    ),
    "interpolate": Command(
        "interpolate between two weights: a milder fine-tuning without training",
        "blazepose interpolate pose_landmarker_full.task runs/landmark/RUN --alpha 0.5 --out mild.ckpt",
        "train",
    ),
    "export": Command(
        "write TFLite, ONNX, Core ML or .task files, verified against PyTorch",
        "blazepose export --target task --weights runs/landmark/RUN --out my_pose.task",
        "export",
    ),
    "check": Command(
        "show what is in a .task or .tflite file, who loads it, and what accelerates it",
        "blazepose check my_pose.task pose_landmarker_full.task",
    ),
    "track": Command(
        "detect and track people in images, videos and cameras",
        "blazepose track squats.mp4 --weights pose_landmarker_full.task --out overlay.mp4",
    ),
    "serve": Command(
        "show a .task bundle in the browser: camera, video or picture, beside a second bundle",
        "blazepose serve my_pose.task\n"
        "blazepose serve my_pose.task pose_landmarker_full.task\n"
        "blazepose serve my_pose.task --out site",
        details="MediaPipe's runtime for browsers runs the bundle, as in a web app. npm fetches this runtime "
        "on first use (12 MB). Pictures and landmarks stay in the browser.",
    ),
    "benchmark": Command(
        "compare exported files: size, cost, latency, memory, frame rate, PCK, jitter; phones",
        "blazepose benchmark my_pose.task pose_landmarker_full.task --video squats.mp4\n"
        "blazepose benchmark fp16.task int8.task --data landmarks:mine/test.json --markdown table.md\n"
        "blazepose benchmark fp16.task int8.task --phone android > phone.sh\n"
        "blazepose benchmark fp16.task int8.task --results phone",
        details="Size, parameters, multiply-adds, latency, accelerators and memory need no option. All files "
        "run by turns, so that another load slows all of them. Frame rate and jitter are measured in "
        "MediaPipe, too, if it is installed.",
    ),
    "synth": Command(
        "render people with exact labels",
        "blazepose synth --num 20000 --out data/synthetic --preview sheet.png",
        "synthetic",
    ),
    "config": Command(
        "explain the keys of train and eval: meaning, default, allowed values",
        "blazepose config optimizer",
    ),
    "weights": Command(
        "fetch Google's published weights with pip or npm, as a .task bundle",
        "blazepose weights full\n"
        "blazepose weights heavy --out models/heavy.task\n"
        "blazepose weights full --from mediapipe-0.10.21-cp312-cp312-manylinux_2_28_x86_64.whl",
        details="Your own settings of pip and npm decide which registry they use.",
    ),
    "demo": Command(
        "fine-tune Google's weights on rendered people, and show the gain, in minutes",
        "blazepose demo",
        "all",
    ),
}

_KEY_WIDTH = 32


def main() -> None:
    """Run the subcommand that the command line names."""
    name, *arguments = sys.argv[1:] or ["--help"]
    if name in ("-h", "--help"):
        print(overview())
    elif name == "--version":
        print(__version__)
    elif name not in COMMANDS:
        sys.exit(f"blazepose: unknown command {name!r}; the commands are {', '.join(COMMANDS)}")
    else:
        run(name, arguments)


def run(name: str, arguments: list[str] | None = None) -> None:
    """Run a subcommand.

    Args:
        name: key of COMMANDS.
        arguments: its arguments; None takes those of the command line.
    """
    command = COMMANDS[name]
    if name in ARGUMENTS:
        parse(name, arguments)  # help and errors of usage before the imports
    script = Path(__file__).with_name(f"{name.replace('-', '_')}.py")
    if arguments is not None:
        sys.argv = [str(script), *arguments]  # Lightning starts further processes with this path
    if command.keys and {"-h", "--help"} & set(sys.argv[1:]):
        print(key_help(name))
        return
    try:
        module = importlib.import_module(f"blazepose.commands.{script.stem}")
    except KeyboardInterrupt:
        sys.exit(130)
    except ModuleNotFoundError as error:
        if error.name and error.name.partition(".")[0] != "blazepose":
            sys.exit(
                f"blazepose {name} needs {error.name.partition('.')[0]}, which is not installed: "
                + install_command(command.extra or "all")
            )
        raise
    module.main()


def parse(name: str, arguments: list[str] | None = None) -> argparse.Namespace:
    """Parse the arguments of a subcommand that takes flags.

    Args:
        name: key of ARGUMENTS.
        arguments: its arguments; None takes those of the command line.
    """
    command = COMMANDS[name]
    parser = argparse.ArgumentParser(
        prog=f"blazepose {name}",
        description=textwrap.fill(f"{_sentence(command.summary)} {command.details}", LINE_WIDTH),
        epilog=_examples(command),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    ARGUMENTS[name](parser)
    return parser.parse_args(arguments)


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}."


def _examples(command: Command) -> str:
    return "Example:\n  " + command.example.replace("\n", "\n  ")


def overview() -> str:
    """Return the help of the console command."""
    width = max(map(len, COMMANDS)) + 2
    lines = [f"  {name:{width}}{command.summary}" for name, command in COMMANDS.items()]
    return "\n".join(
        [
            "usage: blazepose COMMAND [ARGUMENTS]",
            "",
            "Train, fine-tune, evaluate and export BlazePose, and track people with it.",
            "",
            *lines,
            "",
            "`blazepose COMMAND --help` explains a command.",
        ]
    )


def key_help(name: str) -> str:
    """Return the help of a subcommand that takes `key=value`."""
    command = COMMANDS[name]
    lines = [f"  {key:{_KEY_WIDTH}}{meaning}" for key, meaning in command.keys]
    return "\n".join(
        [
            f"usage: blazepose {name} [KEY=VALUE ...]",
            "",
            _sentence(command.summary),
            "",
            *lines,
            "",
            f"`blazepose config` explains all keys; `blazepose {name} --cfg job` prints the values of a run.",
            "",
            _examples(command),
        ]
    )


if __name__ == "__main__":
    main()
