"""Appearance of rendered people: hair, garments, colors, dressed figures."""
