"""Here Altair checks every picture against Vega-Lite's schema, which the app leaves out."""

from collections.abc import Hashable
from functools import lru_cache

import pytest

from core.charts import view
from core.charts.grammar import Spec


@lru_cache(maxsize=256)
def _checked(drawing: view.Drawing, arguments: tuple[Hashable, ...]) -> Spec:
    spec: Spec = drawing(*arguments).to_dict()
    return spec


@pytest.fixture(autouse=True)
def pictures_are_valid(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every picture that a test here draws is checked."""
    monkeypatch.setattr(view, "_template", _checked)
