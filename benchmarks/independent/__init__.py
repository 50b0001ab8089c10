"""An independent computation of results: `python -m benchmarks.independent`. Only `engine` runs the engine's code."""
