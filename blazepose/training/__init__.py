"""Lightning modules, optimiser, runs and checkpoints."""
