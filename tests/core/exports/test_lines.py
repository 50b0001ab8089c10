"""Lines of text in a figure: as wide as they are drawn, broken between words."""

import pytest
import vl_convert

from core.charts.theme import TYPEFACE
from core.exports.lines import broken, width_of

TEXT = "Random pruning of the encoder, as magnitude prunes (seed 2), beside WANDA: 48 % of weights removed"


def drawn_width(text: str, size: int) -> float:
    """How wide Vega draws a bold text."""
    mark = {"text": {"value": text}, "fontSize": {"value": size}, "fontWeight": {"value": "bold"}}
    marks = [{"type": "text", "encode": {"enter": {**mark, "font": {"value": TYPEFACE}}}}]
    spec = {"$schema": "https://vega.github.io/schema/vega/v6.json", "width": 1, "height": 1, "marks": marks}
    return vl_convert.vega_to_scenegraph(spec)["width"]


@pytest.mark.parametrize(
    "text", [TEXT, "illicit little title", "MAMMOTH WORDS", "In these models the upper layers change first"]
)
def test_a_text_is_about_as_wide_as_it_is_drawn(text: str) -> None:
    assert width_of(text, 20) == pytest.approx(drawn_width(text, 20), rel=0.09)


def test_lines_keep_all_words_and_fit() -> None:
    lines = broken(TEXT, 260, 20)
    assert " ".join(lines) == TEXT
    assert len(lines) > 2
    assert all(width_of(line, 20) <= 260 for line in lines)


def test_what_is_too_much_for_the_lines_is_cut() -> None:
    lines = broken(TEXT, 260, 20, most=2)
    assert len(lines) == 2
    assert lines[1].endswith("…")
    assert all(width_of(line, 20) <= 260 for line in lines)
    (long,) = broken("x" * 100, 260, 20)
    assert long.endswith("…")
    assert broken("short", 260, 20, most=2) == ["short"]
