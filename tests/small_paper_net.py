"""A network of the paper's form with one block a stage, which converts within seconds."""

import dataclasses

from blazepose.models.variant_types import HeadStage, RegressionHeadVariant, SeparableEncoderVariant
from blazepose.models.variants import landmark_variant

SMALL = dataclasses.replace(
    landmark_variant("paper_lite", "paper"),
    name="small",
    encoder=SeparableEncoderVariant(tuple(HeadStage(width, 1) for width in (8, 12, 16, 20, 24))),
    decoder=10,
    regression_head=RegressionHeadVariant("heatmap", tuple(HeadStage(w, 0) for w in (16, 20, 24, 24, 24))),
)
