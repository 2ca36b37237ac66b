"""Rasterization and ray casting on CPU and GPU, and the camera pipeline."""
