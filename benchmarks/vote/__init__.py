"""A forced choice between two ways of making pictures: `python -m benchmarks.vote`."""
