"""Families of postures."""
