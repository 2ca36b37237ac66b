"""Scenes: people, props, environment, camera."""
