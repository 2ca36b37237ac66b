"""Subtract constant offsets from predictions: data sets define a hip differently, no error of a pose.

python benchmarks/offsets.py runs/eval/google_train runs/eval/google_val corrected.jsonl
blazepose eval predictions=corrected.jsonl "data.test=[lsp:data/lspet_val]" out=runs/eval/google_corrected
blazepose eval "compare=[runs/eval/google_corrected,runs/eval/tuned_val]"

The first evaluation is of other people: the median offset of each landmark from its labels there, in sides of
the crop, is subtracted from the predictions of the second.
"""

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np

from blazepose.data.readers import read_source
from blazepose.errors import friendly_errors
from blazepose.evaluation.predictions import Prediction, person_key, read_predictions, write_predictions
from blazepose.evaluation.results import read_results
from blazepose.exceptions import ExistingFileError, InputError
from blazepose.geometry import image_to_roi, roi_to_image
from blazepose.topologies.full_body import NUM_LANDMARKS


def median_offsets(folder: Path) -> np.ndarray:
    """Return the median of prediction minus label, (33, 2) in sides of the crop; 0 without labels."""
    predictions = read_predictions(folder / "predictions.jsonl")
    data = read_results(folder / "results.json", "give a folder of blazepose eval")["data"]
    rows = []
    for source in map(read_source, data):
        for person in source.annotations:
            if found := predictions.get(person_key(source.reader, person)):
                points = (image_to_roi(found.roi, xy) for xy in (found.landmarks[:, :2], person.landmarks_px))
                difference = np.subtract(*points)
                rows.append(np.where(person.labelled[:, None], difference, np.nan))
    if not rows:
        raise InputError(f"{folder}: its data and predictions have no person in common; evaluate again")
    offsets = np.stack(rows)
    labelled = np.isfinite(offsets).any(axis=(0, 2))
    medians = np.zeros((NUM_LANDMARKS, 2))
    medians[labelled] = np.nanmedian(offsets[:, labelled], axis=0)
    return medians


def subtract(prediction: Prediction, offsets: np.ndarray) -> Prediction:
    """Return a prediction moved by offsets (33, 2), in sides of its crop."""
    points = image_to_roi(prediction.roi, prediction.landmarks[:, :2]) - offsets
    landmarks = np.concatenate([roi_to_image(prediction.roi, points), prediction.landmarks[:, 2:]], axis=1)
    return replace(prediction, landmarks=landmarks)


@friendly_errors
def main() -> None:
    """Write the corrected predictions."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("fitted_on", type=Path, help="evaluation of the weights on other people")
    parser.add_argument("evaluation", type=Path, help="evaluation to correct")
    parser.add_argument("out", type=Path, help="predictions.jsonl to write")
    args = parser.parse_args()
    if args.out.exists():
        raise ExistingFileError(f"{args.out} exists; choose another file, or delete it first")
    offsets = median_offsets(args.fitted_on)
    found = read_predictions(args.evaluation / "predictions.jsonl").values()
    write_predictions((subtract(prediction, offsets) for prediction in found), args.out)
    print(f"{args.out}: {len(found)} people, offsets up to {100 * np.abs(offsets).max():.1f} % of the crop")


if __name__ == "__main__":
    main()
