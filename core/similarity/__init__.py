"""Measures of how similar two representations are, one per file behind one protocol, and the registry.

`core.request.catalog.MEASURES` describes them to the server, which has no torch.
"""

from collections.abc import Mapping

from core.similarity import cka, partial_cka
from core.similarity.measure import Compared, Comparer, Measure, Sample

REGISTRY: Mapping[str, Measure] = {
    "cka": cka.comparer,
    "partial_cka": partial_cka.comparer,
}

__all__ = ["REGISTRY", "Compared", "Comparer", "Measure", "Sample"]
