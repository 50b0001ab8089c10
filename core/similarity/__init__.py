"""Measures of how similar two representations are, one per file behind one protocol.

A new measure is a row of `core.request.catalog.MEASURES` and a file here of its name, with a function `comparer`.
"""

from importlib import import_module

from core.similarity.measure import Compared, Comparer, Measure, Sample

__all__ = ["Compared", "Comparer", "Measure", "Sample", "measure_of"]


def measure_of(name: str) -> Measure:
    """Return the function of a measure in MEASURES."""
    comparer: Measure = import_module(f"core.similarity.{name}").comparer
    return comparer
