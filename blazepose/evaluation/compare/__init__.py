"""Comparisons of evaluations: paired differences with intervals, and forgetting."""
