"""Data sets of rendered people on disk."""
