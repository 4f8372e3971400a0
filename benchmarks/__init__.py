"""Programs that measure; run from a checkout: `python -m benchmarks.NAME --help`."""
