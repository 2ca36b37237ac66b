"""How good the outputs are: 2-D landmarks in torso sizes, world landmarks in mm, yes-or-no answers, masks."""
