"""The tables of a whole grid: curves as SVG, colours of layers, names from outside."""

import re
from dataclasses import replace

import numpy as np
import pytest

from core.charts.grid import DEPTH_COLOURS, HEIGHT, WIDTH, depth_colours, grid_html
from core.findings.grid import GridRow, arranged, grid_rows
from tests.builders import make_result

(ROW,) = grid_rows([make_result(num_layers=3, amounts=(0.0, 0.25, 0.5), num_examples=64)])


def drawn(row: GridRow = ROW) -> str:
    return grid_html(arranged([row], [row.key]), ("?verdict=", "?layers="))


NAN = np.nan


@pytest.mark.parametrize(
    ("own", "curves"),
    [
        ([1.0, 0.75, 0.5], f"M0,0 {WIDTH // 4},{HEIGHT // 4} {WIDTH // 2},{HEIGHT // 2}"),
        ([1.0, -0.5, 1.0000001], f"M0,0 {WIDTH // 4},{HEIGHT} {WIDTH // 2},0"),
        ([1.0, NAN, 1.0], f"M0,0M{WIDTH // 2},0"),
        ([NAN, NAN, 1.0], f"M{WIDTH // 2},0"),
    ],
)
def test_a_curve_stays_within_its_box_and_has_a_gap_where_it_is_undefined(own: list[float], curves: str) -> None:
    html = drawn(replace(ROW, own=np.array([own] * 3).T)).rpartition("<table>")[2]
    assert re.findall(r'<path stroke="[^"]*" d="([^"]*)"', html) == [curves] * 3


def test_layers_go_from_the_first_colour_to_the_last() -> None:
    for count in (2, 3, 12):
        colours = depth_colours(count)
        assert (colours[0], colours[-1]) == (DEPTH_COLOURS[0], DEPTH_COLOURS[-1])
        assert len(set(colours)) == count
    assert depth_colours(3)[1] == DEPTH_COLOURS[1]
    assert depth_colours(1) == [DEPTH_COLOURS[0]]


def test_names_from_outside_are_text() -> None:
    nasty = replace(ROW.column, checkpoint='<img src="x">', task="<b>", data='"><script>')
    html = drawn(replace(ROW, column=nasty, setting="<i>"))
    assert not re.search("<(img|b>\\s*<b|script|i)>?", html)
    assert "&lt;img src=&quot;x&quot;&gt;" in html


def test_a_cell_says_in_words_what_it_shows_and_links_there() -> None:
    for page, words in (("verdict", "cannot be told: "), ("layers", "First to change: ")):
        assert re.search(rf'<a href="\?{page}={ROW.key}" aria-label="Magnitude pruning [^"]*{words}[^"]+"', drawn())


def test_where_no_verdict_is_given_there_is_no_table_of_them() -> None:
    html = drawn(*grid_rows([make_result(num_layers=3, amounts=(0.0, 0.5), num_examples=64, points="layer")]))
    assert html.count("<table>") == 1
    assert "Verdicts" not in html
