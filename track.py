"""Follow people in pictures and videos; comes with the detector and the pipeline."""

import sys

if __name__ == "__main__":
    sys.exit(
        "track.py is not there yet: it comes with the detector; README.md shows the landmark network alone"
    )
