"""What several tests of the results that are shipped need."""

import gc

import pytest

from core.results import store
from core.results.library import shipped
from core.results.schema import SweepResult


@pytest.fixture(scope="session")
def shipped_results() -> dict[str, SweepResult]:
    """All shipped results by their keys, read once; garbage is not looked for among them."""
    paths = {entry.key: store.find(entry.key) for entry in shipped()}
    results = {key: store.load(path) for key, path in paths.items() if path}
    gc.freeze()
    return results
