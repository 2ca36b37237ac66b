"""Fairness verdicts, and the criterion from two annotators."""
