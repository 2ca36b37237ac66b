"""Options of blazepose eval."""

from dataclasses import dataclass, field

from blazepose.evaluation.detector_crops import DETECTOR
from blazepose.evaluation.groups.people_table import as_column
from blazepose.evaluation.predict import CROPS
from blazepose.metrics.group_range import LEAST_PEOPLE
from blazepose.metrics.pck import torso_definition

ANNOTATOR_PREFIX = "landmarks:"
"""Prefix of `predictions=` for the labels of a second annotator."""


@dataclass(frozen=True)
class EvaluationConfig:
    """The values of configs/eval.yaml, checked before any work.

    Attributes:
        weights: file to run; None selects the best checkpoint of the newest landmark run.
        predictions: predictions.jsonl of an earlier evaluation, to score again; or `landmarks:FILE`, the
            labels of a second annotator.
        roi: source of the crops, a key of predict.CROPS or "detector".
        detector: file with the person detector; None selects the one in the bundle.
        torso: torso definition, a key of metrics.pck.TORSOS.
        out: output folder; None creates a new one.
        engine: inference engine; None selects it by the suffix of the weights.
        num_threads: threads of the engine; None leaves the engine's default.
        batch_size: crops per batch.
        seed: seed of the jitter and of the random people in the report.
        intersect: attributes whose intersection forms further groups.
        min_group_size: people that a group needs to count for a verdict.
        annotators: folder of an evaluation of a second annotator, which sets the fairness criterion.

    Raises:
        ValueError: if a value is invalid.
    """

    weights: str | None = None
    predictions: str | None = None
    roi: str = "annotation"
    detector: str | None = None
    torso: str = "across"
    out: str | None = None
    engine: str | None = None
    num_threads: int | None = None
    batch_size: int = 16
    seed: int = 0
    intersect: list[str] = field(default_factory=list)
    min_group_size: int = LEAST_PEOPLE
    annotators: str | None = None

    def __post_init__(self) -> None:
        for name, minimum in (("num_threads", 1), ("batch_size", 1), ("seed", 0), ("min_group_size", 2)):
            value = getattr(self, name)
            if value is not None and value < minimum:
                raise ValueError(f"{name}={value}: must be at least {minimum}")
        object.__setattr__(self, "intersect", [as_column(name) for name in self.intersect])
        if self.intersect and len(set(self.intersect)) < max(2, len(self.intersect)):
            raise ValueError(f"intersect={self.intersect}: name at least two different attributes")
        torso_definition(self.torso)
        if self.roi not in (*CROPS, DETECTOR):
            raise ValueError(f"roi={self.roi} is unknown; roi is one of {', '.join((*CROPS, DETECTOR))}")
        if self.detector and self.roi != DETECTOR:
            raise ValueError("detector= needs roi=detector")
        if self.weights and self.predictions:
            raise ValueError(
                "give either weights= (run a network) or predictions= (score saved predictions), not both"
            )
        if self.predictions and (self.roi != "annotation" or self.engine or self.num_threads):
            raise ValueError(
                "roi=, engine= and num_threads= have no effect with predictions=: saved predictions keep the "
                "crops they were made with"
            )

    @property
    def annotator_labels(self) -> str | None:
        """Labels of a second annotator in `predictions`, as `reader:path`."""
        labels = self.predictions
        return labels if labels and labels.startswith(ANNOTATOR_PREFIX) else None
