"""What runs on a device: inference engines, decoding, drawing. numpy and OpenCV, no torch."""
