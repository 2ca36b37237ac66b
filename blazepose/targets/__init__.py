"""What the network should say, made on the device from a batch of labels."""
