"""The networks that this package is measured against, in PyTorch, from the papers' tables."""
