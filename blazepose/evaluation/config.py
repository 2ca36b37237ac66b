"""What eval.py can be told."""

from dataclasses import dataclass, field

from blazepose.evaluation.detector_crops import DETECTOR
from blazepose.evaluation.groups.people_table import as_column
from blazepose.evaluation.predict import CROPS
from blazepose.metrics.group_range import LEAST_PEOPLE
from blazepose.metrics.pck import torso_definition

SECOND = "landmarks:"
"""How labels begin that are given as predictions."""


@dataclass(frozen=True)
class EvaluationConfig:
    """The values of configs/eval.yaml, checked before any work.

    Attributes:
        weights: what to run; None takes the newest landmark run's best.
        predictions: an earlier run's predictions.jsonl, to score again; or `landmarks:FILE`, a second
            annotator's labels.
        roi: where the crops come from, a key of predict.CROPS, or detector.
        detector: file whose detector finds the people; None takes the bundle's own.
        torso: a torso definition of metrics.pck.
        out: folder of the results; None makes one.
        engine: None goes by the suffix of the weights.
        num_threads: of the engine; None takes what it thinks best.
        batch_size: crops at a time.
        seed: of the jitter, and of the people shown at random.
        intersect: attributes whose groups are looked at together.
        min_group: people of a group that counts for a verdict.
        annotators: folder of an evaluation of a second annotator, which says what range is unfair.

    Raises:
        ValueError: names the value that cannot be.
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
    min_group: int = LEAST_PEOPLE
    annotators: str | None = None

    def __post_init__(self) -> None:
        for name, least in (("num_threads", 1), ("batch_size", 1), ("seed", 0), ("min_group", 2)):
            value = getattr(self, name)
            if value is not None and value < least:
                raise ValueError(f"{name}={value}: a number from {least} up")
        object.__setattr__(self, "intersect", [as_column(name) for name in self.intersect])
        if self.intersect and len(set(self.intersect)) < max(2, len(self.intersect)):
            raise ValueError(f"intersect={self.intersect}: name two different attributes or more")
        torso_definition(self.torso)
        if self.roi not in (*CROPS, DETECTOR):
            raise ValueError(f"roi={self.roi} is unknown; roi is one of {', '.join((*CROPS, DETECTOR))}")
        if self.detector and self.roi != DETECTOR:
            raise ValueError("detector= is for roi=detector")
        if self.weights and self.predictions:
            raise ValueError(
                "weights= runs a network, predictions= scores what one has said: give one of them"
            )
        if self.predictions and (self.roi != "annotation" or self.engine or self.num_threads):
            raise ValueError(
                "roi=, engine= and num_threads= are for running a network; predictions= scores what one has "
                "said, on the crops it was given then"
            )

    @property
    def second(self) -> str | None:
        """Labels to be scored as predictions, `reader:path`."""
        given = self.predictions
        return given if given and given.startswith(SECOND) else None
