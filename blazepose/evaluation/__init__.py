"""Evaluation in two passes: predictions to a file, then scores and a report from the file."""
