"""Metrics of all outputs: 2-D landmarks, world landmarks, binary predictions, masks, detections."""
