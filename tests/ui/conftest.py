"""What tests of the elements need."""

import pytest


@pytest.fixture(autouse=True)
def quickly_opened(components_listed: None) -> None:
    """Open pages without a search for components each."""
