"""Markdown and CSV of a table."""

from blazepose.benchmark.table import Row, to_csv, to_markdown
from blazepose.metrics.bootstrap import Interval

NAMES = ["a.task", "b.onnx"]
ROWS = [
    Row("parameters", "parameters", [1_363_089, None]),
    Row("ms", "latency, ms", [12.3456789, 8.0], 2),
    Row("ratio", "of the first", [1.0, Interval(0.648, 0.5, 0.75)], 2),
    Row("change", "change", [None, Interval(1.25, -0.5, 3.0)], 1, signed=True),
    Row("gpu", "GPU", ["all but A|B", None]),
]


def test_markdown():
    assert to_markdown(NAMES, ROWS).splitlines() == [
        "|              | a.task       | b.onnx             |",
        "| ------------ | ------------ | ------------------ |",
        "| parameters   | 1,363,089    | -                  |",
        "| latency, ms  | 12.35        | 8.00               |",
        "| of the first | 1.00         | 0.65, 0.50 to 0.75 |",
        "| change       | -            | +1.2, -0.5 to +3.0 |",
        r"| GPU          | all but A\|B | -                  |",
    ]


def test_csv():
    assert to_csv(NAMES, ROWS).splitlines() == [
        "file,parameters,ms,ratio,ratio_low,ratio_high,change,change_low,change_high,gpu",
        "a.task,1363089,12.3457,1,,,,,,all but A|B",
        "b.onnx,,8,0.648,0.5,0.75,1.25,-0.5,3,",
    ]
