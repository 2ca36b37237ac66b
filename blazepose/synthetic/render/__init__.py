"""Ray casting on CPU and GPU, and the camera's sensor."""
