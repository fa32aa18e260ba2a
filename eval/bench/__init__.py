"""Measurements of speed, each feature on and off in one run."""
