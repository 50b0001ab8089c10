"""The tables of a whole grid: curves as SVG, colours of layers, names from outside."""

import re
from dataclasses import replace
from xml.etree import ElementTree

import numpy as np
import pytest

from core.charts.grid import DEPTH_COLOURS, depth_colours, grid_html, grid_svg
from core.charts.theme import THEMES
from core.findings.grid import GridRow, arranged, grid_rows
from tests.builders import make_result

(ROW,) = grid_rows([make_result(num_layers=3, amounts=(0.0, 0.25, 0.5), num_examples=64)])
NAN = np.nan


def drawn(row: GridRow = ROW) -> str:
    return grid_html(arranged([row], [row.key]), ("?verdict=", "?layers="))


@pytest.mark.parametrize(
    ("own", "curve"),
    [
        ([1.0, 0.75, 0.5], "M0,0 50,30 100,60"),
        ([1.0, -0.5, 1.0000001], "M0,0 50,120 100,0"),
        ([1.0, NAN, 1.0], "M0,0M100,0"),
    ],
)
def test_a_curve_stays_within_its_box_and_has_a_gap_where_it_is_undefined(own: list[float], curve: str) -> None:
    html = drawn(replace(ROW, own=np.array([own] * 3).T)).rpartition("<table>")[2]
    assert re.findall(r'<path stroke="([^"]*)" d="([^"]*)"', html) == [(colour, curve) for colour in DEPTH_COLOURS]
    assert len(set(depth_colours(12))) == 12


def test_a_cell_says_in_words_what_it_shows_and_links_there_and_names_from_outside_are_text() -> None:
    for page, words in (("verdict", r"inconclusive \("), ("layers", "First to change: ")):
        assert re.search(rf'<a href="\?{page}={ROW.key}" aria-label="Magnitude pruning [^"]*{words}[^"]+"', drawn())
    nasty = replace(ROW.column, checkpoint='<img src="x">', task="<b>", data='"><script>')
    html = drawn(replace(ROW, column=nasty, setting="<i>"))
    assert not re.search("<(img|b>\\s*<b|script|i)>?", html)
    assert "&lt;img src=&quot;x&quot;&gt;" in html
    svg = grid_svg(arranged([replace(ROW, column=nasty)], [ROW.key]), "A & B", THEMES["dark"])
    picture = ElementTree.fromstring(svg)
    written = {str(line.text): float(line.attrib["y"]) for line in picture.iter("{http://www.w3.org/2000/svg}text")}
    heights = [*(written[name] for name in ("A & B", '<img src="x">', "inconclusive")), max(written.values())]
    assert heights == sorted(heights), "what lines mean stands below"
    assert heights[-1] <= float(picture.attrib["height"])


def test_a_checkpoint_is_a_row_and_its_chart_and_its_verdict_are_one_cell() -> None:
    unjudged = make_result(num_layers=3, amounts=(0.0, 0.5), num_examples=64, points="layer")
    (beside,) = grid_rows([unjudged])
    html = grid_html(arranged([ROW, beside], [ROW.key, beside.key]), ("?verdict=", "?layers="))
    cells = [re.findall(r'href="\?(\w+)=', cell) for cell in html.split("<td>")[2:]]
    assert cells == [["layers", "verdict"], ["layers"]], "no verdict where none is given"
    assert html.count('scope="row"') == 1
