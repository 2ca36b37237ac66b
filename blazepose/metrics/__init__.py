"""How good the landmarks are: PCK, PDJ and mean error, in torso sizes."""
