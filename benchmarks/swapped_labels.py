"""What labels with left and right swapped cost: PCK@0.2 with and without them. Prints a table.

python benchmarks/swapped_labels.py runs/eval/heavy runs/eval/full runs/eval/tuned

The arguments are results of blazepose eval on the same people. The first one decides: the labels of a left
and a right landmark count as contradicted if they are apart, and both predictions are where the label of the
other side is. Its swapped.png shows whether the label or the prediction is wrong.
"""

import argparse
from pathlib import Path

import numpy as np

from blazepose.data.readers import read_source
from blazepose.errors import friendly_errors
from blazepose.evaluation.predictions import read_predictions
from blazepose.evaluation.results import read_results
from blazepose.evaluation.score import ScoredPeople, score
from blazepose.exceptions import InputError
from blazepose.metrics.pck import PCK_THRESHOLD
from blazepose.metrics.swaps import PAIRS
from blazepose.topology import MIRROR, NUM_LANDMARKS

_APART = 2 * PCK_THRESHOLD
"""Distance of two sides in torso sizes, so that no prediction is right about both."""


def read_evaluation(folder: Path) -> ScoredPeople:
    """Score the predictions of an evaluation."""
    metrics = read_results(folder / "results.json", "give a folder of blazepose eval")
    sources = [read_source(spec) for spec in metrics["data"]]
    return score(read_predictions(folder / "predictions.jsonl"), sources, metrics["torso"])


def contradicted_labels(scored: ScoredPeople) -> np.ndarray:
    """Return a mask of the labels that the predictions have on the other side, (people, 33) bool."""
    mirror = MIRROR[:NUM_LANDMARKS]
    other_px = scored.target_px[:, mirror]
    apart, to_other = (
        np.linalg.norm(points_px - other_px, axis=2) / scored.sizes[:, None]
        for points_px in (scored.target_px, scored.points_px)
    )
    both = scored.counted & scored.counted[:, mirror]
    swapped = both & (apart >= _APART) & (to_other < PCK_THRESHOLD)
    return swapped & swapped[:, mirror]


@friendly_errors
def main() -> None:
    """Print how many labels are contradicted, and PCK@0.2 of all evaluations."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("judge", type=Path, help="evaluation that decides which labels are contradicted")
    parser.add_argument("others", type=Path, nargs="*", help="evaluations of the same people")
    args = parser.parse_args()
    evaluations = {folder: read_evaluation(folder) for folder in (args.judge, *args.others)}
    judge = evaluations[args.judge]
    for folder, scored in evaluations.items():
        if not np.array_equal(scored.target_px, judge.target_px):
            raise InputError(
                f"{folder} is of other people than {args.judge}: give evaluations of the same data"
            )
    swapped = contradicted_labels(judge)
    pairs = swapped[:, PAIRS[:, 0]].sum()
    print(f"{swapped.any(axis=1).sum()} of {len(swapped)} people, {pairs} pairs\n")
    print("| evaluation | all labels | without the contradicted |\n|---|---|---|")
    for folder, scored in evaluations.items():
        right = scored.errors < PCK_THRESHOLD
        everything, rest = (
            100 * right[labels].mean() for labels in (scored.counted, scored.counted & ~swapped)
        )
        print(f"| {folder} | {everything:.1f} | {rest:.1f} |")


if __name__ == "__main__":
    main()
