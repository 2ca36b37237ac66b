"""Training targets, computed on the device from a batch of labels."""
