"""`python -m blazepose.synthetic` renders a data set; not there yet."""

import sys

if __name__ == "__main__":
    sys.exit("blazepose.synthetic is not there yet; train on labelled pictures, see data/README.md")
