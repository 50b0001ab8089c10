"""Here Altair checks every picture against Vega-Lite's schema, which the app leaves out."""

from functools import lru_cache

import pytest

from core.charts import view

CHECKED = lru_cache(maxsize=256)(lambda drawing, arguments: drawing(*arguments).to_dict())


@pytest.fixture(autouse=True)
def pictures_are_valid(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every picture that a test here draws is checked."""
    monkeypatch.setattr(view, "_template", CHECKED)
