"""All keys of `blazepose eval`."""

from dataclasses import dataclass
from typing import Any

from blazepose.config.option import Section, option
from blazepose.decoding import DECODINGS
from blazepose.exceptions import InputError
from blazepose.topologies import topologies

ANNOTATOR_PREFIX = "landmarks:"
"""Prefix of `predictions=` for the labels of a second annotator."""


@dataclass(frozen=True)
class EvaluationConfig(Section):
    """Weights, crops and groups of the evaluation."""

    weights: str | None = option(
        None,
        "run folder, .ckpt, .tflite, .task or .onnx, of a landmark network or a detector; null selects the "
        "newest landmark run",
    )
    predictions: str | None = option(
        None,
        "predictions.jsonl of an earlier evaluation, to score again without running a network; or "
        f"{ANNOTATOR_PREFIX}FILE.json, the labels of a second annotator: the human baseline",
    )
    roi: str = option(
        "annotation",
        "source of the crops; detector: the whole pipeline",
        choices=("annotation", "jitter", "detector"),
    )
    detector: str | None = option(
        None, "file with the person detector for roi=detector; null selects the one in the bundle"
    )
    torso: str = option(
        "across",
        "torso, by whose size errors are divided; across: left shoulder to right hip",
        choices=("across", "diagonals", "midline"),
    )
    landmarks: list[str] = option(
        [],
        "landmarks to score, by name, or those of a topology, as upper_body, so that networks of different "
        "topologies are scored on the same points; [] selects all",
    )
    out: str | None = option(None, "output folder; null creates one in runs/eval")
    decode: str | None = option(
        None,
        "decoding of x and y; regression: the regression alone; mediapipe: refined by the heatmap within "
        "three cells; heatmap: the place in the whole heatmap; null: what the weights are made for, "
        "mediapipe unless they were trained or exported for another",
        choices=DECODINGS,
    )
    engine: str | None = option(
        None,
        "inference engine; null selects it by the suffix of the weights",
        choices=("torch", "litert", "onnxruntime", "mediapipe"),
    )
    num_threads: int | None = option(None, "threads of the engine; null leaves the engine's default", 1)
    batch_size: int = option(16, "crops per batch", 1)
    seed: int = option(0, "seed of the jitter and of the random people in the report", 0)
    intersect: list[str] = option(
        [], "attributes whose intersection forms further groups: [skin_tone,gender]"
    )
    min_group_size: int = option(20, "people that a group needs to count for the verdict", 2)
    annotators: str | None = option(
        None, "evaluation of a second annotator, which sets the fairness criterion; null: 7.5"
    )
    compare: list[str] = option([], "two or more evaluations of the same people to compare; only with out=")

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.intersect and len(set(self.intersect)) < max(2, len(self.intersect)):
            raise InputError(f"intersect={self.intersect}: name at least two different attributes")
        _ = self.landmark_names
        if self.detector and self.roi != "detector":
            raise InputError("detector= needs roi=detector")
        if self.weights and self.predictions:
            raise InputError(
                "give either weights= (run a network) or predictions= (score saved predictions), not both"
            )
        if self.predictions and (self.roi != "annotation" or self.decode or self.engine or self.num_threads):
            raise InputError(
                "roi=, decode=, engine= and num_threads= have no effect with predictions=: saved predictions "
                "keep the crops and the decoding they were made with"
            )
        if self.decode and self.engine == "mediapipe":
            raise InputError(
                "decode= has no effect in MediaPipe, which decodes by itself; evaluate a file exported with "
                "--decode heatmap"
            )

    @property
    def landmark_names(self) -> tuple[str, ...]:
        """Names of the landmarks to score; empty for all."""
        names = [name for item in self.landmarks for name in _landmarks_of(item)]
        return tuple(dict.fromkeys(names))

    @property
    def annotator_labels(self) -> str | None:
        """Labels of a second annotator in `predictions`, as `reader:path`."""
        labels = self.predictions
        return labels if labels and labels.startswith(ANNOTATOR_PREFIX) else None


def _landmarks_of(name: str) -> tuple[str, ...]:
    """Return the landmarks of a topology, or the one of that name.

    Raises:
        ValueError: if there is neither.
    """
    if name in topologies():
        return topologies()[name].landmarks
    if not any(name in topology.landmarks for topology in topologies().values()):
        raise InputError(
            f"landmarks={name}: there is no such topology or landmark; choose {', '.join(topologies())}, "
            "or names, as in landmarks=[left_wrist,right_wrist]"
        )
    return (name,)


@dataclass(frozen=True)
class EvaluationData(Section, name="data"):
    """People to evaluate on."""

    test: list[str] = option(
        [], "sources, each as reader:path[:split]; [] selects the validation data of the weights"
    )
    negatives: list[str] = option([], "folders of images without people, for the false alarms of a detector")
    metadata: Any = option(
        None,
        "CSV of attributes of people: image, optional person, and region, country, skin_tone, gender, others",
    )


SECTIONS: tuple[type[Section], ...] = (EvaluationConfig, EvaluationData)
"""All keys of `blazepose eval`."""
