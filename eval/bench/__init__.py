"""Benchmarks: what the tool costs, in time and memory."""
