"""Weights out of torch: TFLite and ONNX files with MediaPipe's contract, verified before they appear."""
