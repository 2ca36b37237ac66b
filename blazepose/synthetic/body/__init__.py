"""The body model: mesh, skeleton, landmarks, regions of the skin."""
