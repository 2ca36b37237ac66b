"""The networks: variants, building blocks, outputs."""
