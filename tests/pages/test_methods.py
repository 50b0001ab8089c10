"""The Methods page: everything of the catalog is on it, and what it refers to exists."""

import re
from dataclasses import replace

import pytest

from core.findings.words.verdict import POINTS as MARGIN
from core.request import catalog
from core.request.catalog import METHODS, POINTS, REDUCTIONS, ROOT
from tests.opened import open_page, prose

PAGE = "pages/methods.py"


def test_it_names_everything_of_the_catalog_and_every_constant_is_that_of_the_code() -> None:
    page = open_page(PAGE)
    words = " ".join(prose(page).split())
    for method in METHODS.values():
        assert f"##### {method.title} " in words
        assert method.explanation in words
    for title in POINTS.values():
        assert f"*{title}*" in words
    for reduction in REDUCTIONS.values():
        assert f"*{reduction.title}.* {reduction.explanation}" in words
    assert "stands at the head of" not in words, "every method of today has a formula"
    for expected in (f"Delta ge$ {MARGIN}", "0.05, 0.1, 0.2 and 0.3"):
        assert expected in words
    named = set(re.findall(r"`(core/[\w/]+\.py)`", words))
    assert len(named) > 15
    assert not [name for name in named if not (ROOT / name).is_file()]
    anchors = [header.anchor for header in page.subheader]
    assert re.findall(r"\]\(#([\w-]+)\)", words) == anchors
    assert len(set(anchors)) == len(anchors) > 5
    assert anchors[:2] == ["cka", "limits"], "what it is, and when not to trust it"
    folded = {id(element) for element in page.expander[0].markdown}
    at_once = " ".join(text.value for text in page.markdown if id(text) not in folded)
    assert 1500 < len(at_once.split()) < 2500


def test_a_new_method_appears_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    new = replace(METHODS["magnitude"], title="New", explanation="It is *new*.")
    monkeypatch.setattr(catalog, "METHODS", {**METHODS, "new-one": new})
    text = "\n".join(element.value for element in open_page(PAGE).markdown)
    assert "##### New" in text
    assert r"It is \*new\*. Its formula stands at the head of its file" in text
    assert "`core/pruning/new_one.py`" in text
