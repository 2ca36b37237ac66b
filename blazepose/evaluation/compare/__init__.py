"""Comparisons of evaluations: gains with intervals, and what was forgotten."""
