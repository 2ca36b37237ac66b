"""The networks: what a variant is, its blocks, its outputs."""
