"""Loss functions: means over the labelled points, zero without labels."""
