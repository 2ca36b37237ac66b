"""Losses as functions: every one a mean over the labelled points, zero where nothing is labelled."""
