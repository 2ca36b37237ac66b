"""Export to TFLite, ONNX and .task files with MediaPipe's inputs and outputs, verified before they appear."""
