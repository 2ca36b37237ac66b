"""Measure torso sizes in shoulder widths: `python benchmarks/torso_sizes.py lsp:data/lspet_train`.

The medians are the constants of blazepose.metrics.pck.TORSOS, for people without labelled hips.
"""

import argparse

import numpy as np

from blazepose.data.readers import read_source
from blazepose.metrics.pck import TORSOS, torso_size
from blazepose.topologies.full_body import LEFT_SHOULDER, RIGHT_SHOULDER


def main(arguments: list[str] | None = None) -> None:
    """Print the median and the quartiles of each definition."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", nargs="+", help="labelled people, reader:path[:split]")
    people = [
        person for spec in parser.parse_args(arguments).data for person in read_source(spec).annotations
    ]
    points = np.array([person.landmarks_px for person in people], np.float64)
    labelled = np.array([person.labelled for person in people])
    widths = np.linalg.norm(points[:, LEFT_SHOULDER] - points[:, RIGHT_SHOULDER], axis=1)
    widths[~labelled[:, [LEFT_SHOULDER, RIGHT_SHOULDER]].all(axis=1) | (widths == 0)] = np.nan
    for name in TORSOS:
        ratios = torso_size(points, labelled, name) / widths
        low, median, high = np.nanpercentile(ratios, [25, 50, 75])
        count = np.isfinite(ratios).sum()
        print(f"{name}: {count} people, median {median:.2f}, quartiles {low:.2f} and {high:.2f}")


if __name__ == "__main__":
    main()
