"""Synthetic people; not there yet."""
