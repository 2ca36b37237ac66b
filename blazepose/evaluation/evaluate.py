"""Score predictions of people: their errors, and the content of results.json."""

from collections.abc import Mapping
from typing import Any

from blazepose.config.evaluate import EvaluationConfig
from blazepose.evaluation.fairness.verdicts import FairnessConfig
from blazepose.evaluation.groups.assignment import PeopleWithGroups
from blazepose.evaluation.predictions import PersonKey, Prediction
from blazepose.evaluation.report.caveats import list_caveats
from blazepose.evaluation.results import results
from blazepose.evaluation.score import ScoredPeople, score


def evaluate(
    predictions: Mapping[PersonKey, Prediction],
    people: PeopleWithGroups,
    fairness: FairnessConfig,
    options: EvaluationConfig,
    provenance: dict[str, Any],
) -> tuple[ScoredPeople, dict[str, Any]]:
    """Score predictions, and compute the content of results.json.

    Args:
        predictions: content of predictions.jsonl.
        people: the labelled people and their groups.
        fairness: groups to compare, and the criterion.
        options: torso definition, scored landmarks and groups.
        provenance: files, checksums and data, which results.json repeats.

    Raises:
        ValueError: as score.
    """
    scored = score(predictions, people.sources, options.torso, options.landmark_names)
    groups = {"intersect": options.intersect, "min_group": options.min_group_size}
    metrics = results(scored, fairness) | provenance | groups
    metrics["notes"] = [*people.notes, *list_caveats(metrics, people.sources, len(predictions))]
    return scored, metrics
