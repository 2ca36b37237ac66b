import pytest

from blazepose.evaluation.predict import plan_label_crops, predict
from blazepose.evaluation.score import ScoredPeople, score
from tests.evaluation.crowd import ConstantEngine


@pytest.fixture
def scored(crowd, pose_roi) -> ScoredPeople:
    predictions = list(predict(ConstantEngine(pose_roi), plan_label_crops([crowd], "jitter", 0), "jitter"))
    return score({(p.reader, p.image, p.person): p for p in predictions}, [crowd])
