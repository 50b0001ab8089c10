"""What tests of the elements need."""

import pytest


@pytest.fixture(autouse=True)
def quickly_opened(quick_pages: None) -> None:
    """Pages open as quickly as on a server."""
