"""What tests of several pages need."""

from pathlib import Path

import pytest


@pytest.fixture
def shipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder in the place of the shipped results, and no results of the user's own."""
    monkeypatch.setattr("core.results.store.SHIPPED_RESULTS", tmp_path / "results")
    monkeypatch.setenv("PRUNESCOPE_RESULTS", str(tmp_path / "own"))
    return tmp_path / "results"


@pytest.fixture(autouse=True)
def nobody_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    """There is no browser that needs a moment."""
    monkeypatch.setattr("ui.player.FIRST_PICTURE_SECONDS", 0)


@pytest.fixture(autouse=True)
def quickly_opened(quick_pages: None) -> None:
    """Pages open as quickly as on a server."""
