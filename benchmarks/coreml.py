"""Core ML in half precision: how far the arithmetic of an fp16 package moves landmarks, and what that costs.

python benchmarks/coreml.py full_fp16.mlpackage lsp:data/lspet_val
"""

import argparse
import json
from pathlib import Path

import numpy as np
from tqdm import tqdm

from blazepose.data.align import aligned_roi, alignment_error
from blazepose.data.annotation import Annotation
from blazepose.data.readers import read_source
from blazepose.decoding import default_decoding
from blazepose.errors import friendly_errors
from blazepose.export.coreml_program import CoreMLProgram
from blazepose.export.export_module import OUTPUT_NAMES
from blazepose.geometry import crop_image, roi_to_image, roi_to_image_matrix
from blazepose.image import read_image
from blazepose.input_spec import LANDMARK_INPUT
from blazepose.metrics.pck import PCK_THRESHOLD, torso_size
from blazepose.runtime.decode import RawOutputs, decode_outputs
from blazepose.runtime.inference_sessions import METADATA_KEY
from blazepose.topologies.full_body import NUM_LANDMARKS


def torso_px(person: Annotation) -> float:
    """Return the distance from left shoulder to right hip, in pixels."""
    return float(torso_size(person.landmarks_px[None], person.labelled[None], "across")[0])


def compare(package: Path, spec: str) -> str:
    """Return a table row: pixels by which half-precision arithmetic moves landmarks; PCK@0.2 of both.

    Args:
        package: a landmark network in fp16.
        spec: labelled people, `reader:path[:split]`.
    """
    programs = [CoreMLProgram(package, OUTPUT_NAMES, half_arithmetic) for half_arithmetic in (False, True)]
    metadata = json.loads(programs[0].description.metadata.userDefined[METADATA_KEY])
    decoding, size = default_decoding(metadata), LANDMARK_INPUT.size
    people = [person for person in read_source(spec).annotations if alignment_error(person) is None]
    people = [person for person in people if torso_px(person) > 0]
    moved_px: list[np.ndarray] = []
    correct: list[tuple[np.ndarray, ...]] = []
    for person in tqdm(people, unit=" people", disable=None):
        roi = aligned_roi(person)
        crop = crop_image(read_image(person.image, person.image_size), roi_to_image_matrix(roi), size)[None]
        points = [
            decode_outputs(RawOutputs.from_arrays(program(crop)), size, decoding).landmarks[
                0, :NUM_LANDMARKS, :2
            ]
            for program in programs
        ]
        moved_px.append(size * np.linalg.norm(points[1] - points[0], axis=1))
        errors = [
            np.linalg.norm(roi_to_image(roi, at.astype(np.float64)) - person.landmarks_px, axis=1)
            for at in points
        ]
        correct.append(tuple(error[person.labelled] < PCK_THRESHOLD * torso_px(person) for error in errors))
    percentiles = np.percentile(moved_px, [50, 95, 99, 100])
    pck = [100 * np.concatenate(hits).mean() for hits in zip(*correct, strict=True)]
    cells = [f"{px:.2f}" for px in percentiles] + [f"{share:.2f}" for share in pck]
    return f"| {package.stem}, {decoding} | {len(people)} | {' | '.join(cells)} |"


@friendly_errors
def main() -> None:
    """Print the row of a package."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("package", type=Path)
    parser.add_argument("data")
    args = parser.parse_args()
    print(compare(args.package, args.data))


if __name__ == "__main__":
    main()
