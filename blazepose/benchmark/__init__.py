"""Benchmark of exported files: cost and accuracy side by side, on this machine and on phones."""
