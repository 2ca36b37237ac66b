"""Lightning modules, optimizer, runs and checkpoints."""
