"""The write side: documents -> index."""
