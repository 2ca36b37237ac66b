"""Import of published TFLite networks by the structure of their graphs. See README.md here."""
