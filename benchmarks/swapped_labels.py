"""Print PCK@0.2 with and without the labels whose left and right are swapped.

python benchmarks/swapped_labels.py runs/eval/heavy runs/eval/full runs/eval/tuned

The arguments are results of blazepose eval on the same people. The first one decides. The labels of a left
and a right landmark count as contradicted if they are apart and both predictions are where the label of the
other side is. Its swapped.png shows whether the label or the prediction is wrong.
"""

import argparse

import numpy as np

from blazepose.errors import friendly_errors
from blazepose.evaluation.compare.comparison_inputs import load_runs
from blazepose.evaluation.score import ScoredPeople
from blazepose.metrics.pck import PCK_THRESHOLD
from blazepose.metrics.swaps import left_right_pairs
from blazepose.topologies.full_body import MIRROR, NUM_LANDMARKS

_APART = 2 * PCK_THRESHOLD
"""Distance of two sides in torso sizes, so that no prediction is right about both."""


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
    parser.add_argument("judge", help="evaluation that decides which labels are contradicted")
    parser.add_argument("others", nargs="+", help="evaluations of the same people")
    args = parser.parse_args()
    runs = load_runs([args.judge, *args.others])
    swapped = contradicted_labels(runs[0].scored)
    pairs = swapped[:, left_right_pairs()[:, 0]].sum()
    print(f"{swapped.any(axis=1).sum()} of {len(swapped)} people, {pairs} pairs\n")
    print("| evaluation | all labels | without the contradicted |\n|---|---|---|")
    for run in runs:
        right, counted = run.scored.errors < PCK_THRESHOLD, run.scored.counted
        everything, rest = (100 * right[labels].mean() for labels in (counted, counted & ~swapped))
        print(f"| {run.folder} | {everything:.1f} | {rest:.1f} |")


if __name__ == "__main__":
    main()
