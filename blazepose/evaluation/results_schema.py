"""JSON Schema of results.json: its keys, types and limits. docs/reference/files.md explains them."""

from collections.abc import Iterable, Mapping
from typing import Any

from blazepose.evaluation.detector_metrics import DETECTOR_METRICS
from blazepose.evaluation.keypoint_partition import PARTS, SUBSETS
from blazepose.evaluation.metric import Metric, Place
from blazepose.evaluation.metric_table import METRICS, PCK, PDJ, metrics_in
from blazepose.metrics.group_range import FAIR, UNDECIDED, UNFAIR
from blazepose.metrics.pck import CURVE_THRESHOLDS, TORSOS
from blazepose.topologies import topologies

Schema = Mapping[str, Any]

_DIALECT = {"$schema": "https://json-schema.org/draft/2020-12/schema"}
_TEXT, _TEXTS = {"type": "string"}, {"type": "array", "items": {"type": "string"}}
_COUNT, _FLAG = {"type": "integer", "minimum": 0}, {"type": "boolean"}
_PERCENT = {"type": "number", "minimum": 0, "maximum": 100}
_SHARE = {"type": "number", "minimum": 0, "maximum": 1}


def _or_null(schema: Schema) -> Schema:
    return {**schema, "type": [schema["type"], "null"]}


def _list(items: Schema, length: int) -> Schema:
    return {"type": "array", "items": items, "minItems": length, "maxItems": length}


def _object(properties: Mapping[str, Schema], optional: Iterable[str] = ()) -> Schema:
    """Return the schema of an object with these keys and no others."""
    required = [key for key in properties if key not in set(optional)]
    return {
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": False,
    }


def _by_name(values: Schema, names: Iterable[str] | None = None) -> Schema:
    """Return the schema of an object of equal values, with any keys or some of `names`."""
    keys = {} if names is None else {"propertyNames": {"enum": list(names)}}
    return {"type": "object", "additionalProperties": values, **keys}


def _limited(minimum: float | None, maximum: float | None) -> Schema:
    limits = {"minimum": minimum, "maximum": maximum}
    return {"type": "number", **{key: value for key, value in limits.items() if value is not None}}


def _metric(metric: Metric) -> Schema:
    """Return the schema of a metric: a number, or two, or null without scored points."""
    number = _limited(*metric.limits)
    return _or_null({**(_list(number, 2) if metric.vector else number), "description": metric.definition})


def _metrics(place: Place) -> dict[str, Schema]:
    return {metric.key: _metric(metric) for metric in metrics_in(place)}


def _intervals() -> dict[str, Schema]:
    return {f"{key}_ci95": _or_null(_list(_PERCENT, 2)) for key, metric in METRICS.items() if metric.interval}


_INTERVAL = _or_null(_list(_PERCENT, 2))
_LANDMARKS = list(dict.fromkeys(name for topology in topologies().values() for name in topology.landmarks))
_FILE = {"file": _TEXT, "sha256": {"type": "string", "pattern": "^[0-9a-f]{64}$"}}
_NAN_OUTPUTS = ("landmarks", "landmarks_raw", "visibility", "presence", "landmarks_world", "pose_presence")

_POINTS = _object({**_metrics("part"), "count": _COUNT})
_GROUP = _object(
    {
        **_metrics("group"),
        "std": _or_null({"type": "number", "minimum": 0}),
        "ci95": _INTERVAL,
        "count": _COUNT,
        "subjects": _COUNT,
    }
)
_CLASS = _object({**{key: _or_null(_PERCENT) for key in ("precision", "recall", "f1")}, "points": _COUNT})
_CALIBRATION = _object(
    {
        "error": _PERCENT,
        "bins": {
            "type": "array",
            "items": {"type": "array", "prefixItems": [_SHARE, _SHARE, _COUNT], "items": False},
        },
    }
)
_FAIRNESS = _object(
    {
        "metric": {"enum": [PCK, PDJ]},
        "groups": _by_name(_GROUP),
        **{key: _or_null(_PERCENT) for key in ("average", "range", "range_corrected")},
        "range_ci95": _INTERVAL,
        "worst": _or_null(_TEXT),
        "apart": _or_null(_TEXTS),
        "verdict": {"enum": [FAIR, UNFAIR, UNDECIDED]},
        "judged": _TEXTS,
        "criterion": _PERCENT,
        "criterion_from": _or_null(_TEXT),
        "min_group": _COUNT,
        "too_few": _TEXTS,
        "without": _COUNT,
        "not_in_card": _TEXTS,
    },
    optional=["not_in_card"],
)

RESULTS_SCHEMA: Schema = {
    **_DIALECT,
    "title": "results.json of blazepose eval",
    **_object(
        {
            **_metrics("overall"),
            **_intervals(),
            "classes": _by_name(_CLASS, ["visible", "hidden", "present", "absent"]),
            "calibration": _by_name(_CALIBRATION, ["visibility", "presence"]),
            "num_people": _COUNT,
            "num_people_pdj": _COUNT,
            "num_subjects": _COUNT,
            "num_left_out": _by_name(_COUNT),
            "num_not_found": _COUNT,
            "num_nan": _by_name(_COUNT, _NAN_OUTPUTS),
            "topology": {"enum": list(topologies())},
            "landmarks": _or_null({"type": "array", "items": {"enum": _LANDMARKS}}),
            "torso": {"enum": list(TORSOS)},
            "num_torso_from_shoulders": _COUNT,
            "roi": _TEXT,
            "decoding": _or_null(_TEXT),
            "per_landmark": _by_name(_object({**_metrics("landmark"), "count": _COUNT}), _LANDMARKS),
            "per_part": _object(dict.fromkeys(PARTS, _POINTS)),
            "subsets": _object(dict.fromkeys(SUBSETS, _POINTS)),
            "fairness": _by_name(_FAIRNESS),
            "breakdown": _by_name(_by_name(_GROUP)),
            "pck_curve": _object({f"{threshold:g}": _PERCENT for threshold in CURVE_THRESHOLDS}),
            "not_trained": _by_name(_COUNT, _LANDMARKS),
            "outputs_not_trained": _TEXTS,
            **_FILE,
            "annotators": _FLAG,
            "detector": _or_null(_object(_FILE)),
            "data": _TEXTS,
            "metadata": _or_null(_TEXT),
            "intersect": _TEXTS,
            "min_group": _COUNT,
            "notes": _TEXTS,
        }
    ),
}
"""Schema of results.json: every key, its type and limits; null without labelled or trained points."""

DETECTOR_RESULTS_SCHEMA: Schema = {
    **_DIALECT,
    "title": "results.json of blazepose eval, of a detector",
    **_object(
        {
            **{
                row.key: {**_or_null(_limited(*row.limits)), "description": row.definition}
                for row in DETECTOR_METRICS
            },
            "false_alarms": _or_null(_PERCENT),
            "num_people": _COUNT,
            "num_images": _COUNT,
            "num_negatives": _COUNT,
            **_FILE,
            "data": _TEXTS,
            "negatives": _TEXTS,
            "notes": _TEXTS,
        }
    ),
}
"""Schema of results.json of a detector."""
