"""The Methods page: everything of the catalog is on it, and what it refers to exists."""

import re
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest
from streamlit.testing.v1 import AppTest

from core.request import catalog
from core.request.catalog import CONTROL_SEEDS, DAMAGE, LEAST_LEFT, METHODS, POINTS, REDUCTIONS, ROOT
from core.sweep.control_contrast import SMALLEST_DIFFERENCE
from core.sweep.working_range import DETECTABLE, DRAWS, RETAINED
from tests.opened import open_page

PAGE = "pages/methods.py"


def told(page: AppTest) -> str:
    return "\n".join(element.value for element in page.markdown).replace("\\(", "(").replace("\\)", ")")


@pytest.fixture(scope="module")
def text() -> str:
    return told(open_page(PAGE))


def test_it_names_every_method_point_and_reduction(text: str) -> None:
    unescaped = re.sub(r"\\([^\w\s])", r"\1", text).replace("\u2060", "")
    for method in METHODS.values():
        assert f"##### {method.title}\n" in unescaped
        assert method.explanation in unescaped
    for title in POINTS.values():
        assert f"*{title}*" in unescaped
    for reduction in REDUCTIONS.values():
        assert reduction.title in unescaped
        assert reduction.explanation in unescaped
    assert "`--against CHECKPOINT` compares" in text


def test_every_method_of_today_has_a_formula(text: str) -> None:
    assert "stand at the head of" not in text


def test_a_new_method_appears_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    new = replace(METHODS["magnitude"], name="new-one", title="New", explanation="It is *new*.")
    monkeypatch.setattr(catalog, "METHODS", {**METHODS, "new-one": new})
    page = told(open_page(PAGE))
    assert "##### New" in page
    assert r"It is \*new\*." in page
    assert "`core/pruning/new_one.py`" in page


def test_every_file_that_it_names_exists(text: str) -> None:
    named = set(re.findall(r"`(core/[\w/]+\.py)`", text))
    assert len(named) > 15
    missing = {name for name in named if not (ROOT / name.replace("METHOD", "magnitude")).is_file()}
    assert not missing


def test_the_table_of_contents_leads_to_every_section() -> None:
    page = open_page(PAGE)
    anchors = [header.anchor for header in page.subheader]
    links = re.findall(r"\]\(#([\w-]+)\)", told(page))
    assert links == anchors
    assert len(anchors) == len(set(anchors)) > 5


def test_the_limits_and_sources_that_matter_are_there(text: str) -> None:
    for words in ("2210.16156", "Sentence length passes for similarity", "Pruning accumulates"):
        assert words in text
    cited = set(re.findall(r"arXiv (\d{4}\.\d{4,5})", text.split("Quenouille")[0]))
    assert {"1905.00414", "2010.15327", "1506.02626", "2306.11695", "2205.04157"} <= cited


def test_it_opens_with_a_picture_that_says_what_it_shows() -> None:
    page = open_page(PAGE)
    order = [element.type for element in page.main]
    assert order[order.index("title") + 1] == "bidi_component"
    (component,) = page.get("bidi_component")
    picture = ElementTree.fromstring(component.proto.html_content)
    assert picture.get("role") == "group"
    assert "six sentences" in picture.get("aria-label", "")
    assert {part.get("role") for part in picture} == {"img"}
    values = [re.findall(r"\d\.\d\d", part.get("aria-label", "")) for part in picture]
    assert values == [["1.00"], ["0.93"], ["0.25"], ["0.93"]]


def test_it_needs_no_results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.results.store.SHIPPED_RESULTS", tmp_path / "none")
    open_page(PAGE, result="nonsense", job="nonsense")


def test_its_numbers_are_those_of_the_code(text: str) -> None:
    """What decides a verdict or a range is on the page as it is in the code."""
    h = f"an overall change of {DAMAGE}", rf"\Delta \ge {SMALLEST_DIFFERENCE}", rf"h \le {SMALLEST_DIFFERENCE}"
    ranges = f"first falls below {RETAINED:.0%}".replace("%", " %"), f"{DETECTABLE} standard errors"
    seeds = f"a verdict takes {CONTROL_SEEDS['weight']} seeds, and {CONTROL_SEEDS['neuron']} for whole units"
    words = " ".join(text.split())
    for expected in (*h, *ranges, seeds, "0.05, 0.1, 0.2 and 0.3", f"below {LEAST_LEFT}", f"{DRAWS:,} draws"):
        assert expected in words
