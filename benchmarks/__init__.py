"""This package measured against PyTorch: `python -m benchmarks`."""
