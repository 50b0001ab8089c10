"""The tables of a whole grid: curves as SVG, colours of layers, names from outside."""

import re
from dataclasses import replace

import numpy as np

from core.charts.grid import DEPTH_COLOURS, HEIGHT, WIDTH, depth_colours, grid_html
from core.findings.grid import GridRow, arranged, grid_rows
from tests.builders import make_result

PAGES = ("?verdict=", "?layers=")
(ROW,) = grid_rows([make_result(num_layers=3, amounts=(0.0, 0.25, 0.5), num_examples=64)])


def curves(row: GridRow) -> list[str]:
    """The lines of the layers, in their order."""
    html = grid_html(arranged([row], [row.key]), PAGES)
    return re.findall(r'<path stroke="[^"]*" d="([^"]*)"', html.rpartition("<table>")[2])


def test_a_curve_runs_from_the_left_at_one_and_stays_within_its_box() -> None:
    own = np.array([[1.0, 1.0, 1.0], [0.75, 0.5, -0.5], [0.5, 0.0, 1.0000001]])
    assert curves(replace(ROW, own=own)) == [
        f"M0,0 {WIDTH // 4},{HEIGHT // 4} {WIDTH // 2},{HEIGHT // 2}",
        f"M0,0 {WIDTH // 4},{HEIGHT // 2} {WIDTH // 2},{HEIGHT}",
        f"M0,0 {WIDTH // 4},{HEIGHT} {WIDTH // 2},0",
    ]


def test_an_undefined_value_is_a_gap() -> None:
    first, second, third = curves(replace(ROW, own=np.array([[1.0, np.nan, 1.0], [np.nan, np.nan, 1.0], [1.0] * 3])))
    assert (first, second) == (f"M0,0M{WIDTH // 2},0", f"M{WIDTH // 2},0")
    assert third.count("M") == 1


def test_layers_go_from_the_first_colour_to_the_last() -> None:
    for count in (2, 3, 12):
        colours = depth_colours(count)
        assert (colours[0], colours[-1]) == (DEPTH_COLOURS[0], DEPTH_COLOURS[-1])
        assert len(set(colours)) == count
    assert depth_colours(3)[1] == DEPTH_COLOURS[1]
    assert depth_colours(1) == [DEPTH_COLOURS[0]]


def test_names_from_outside_are_text() -> None:
    nasty = replace(ROW.column, checkpoint='<img src="x">', task="<b>", data='"><script>')
    html = grid_html(arranged([replace(ROW, column=nasty, setting="<i>")], [ROW.key]), PAGES)
    assert not re.search("<(img|b>\\s*<b|script|i)>?", html)
    assert "&lt;img src=&quot;x&quot;&gt;" in html


def test_a_cell_says_in_words_what_it_shows_and_links_there() -> None:
    html = grid_html(arranged([ROW], [ROW.key]), PAGES)
    assert f'<a href="?verdict={ROW.key}"' in html
    assert f'<a href="?layers={ROW.key}"' in html
    assert re.search(r'aria-label="Magnitude pruning of the encoder, [^"]*cannot be told: [^"]+"', html)
    assert re.search(r'aria-label="Magnitude pruning of the encoder, [^"]*First to change: [^"]+"', html)


def test_where_no_verdict_is_given_there_is_no_table_of_them() -> None:
    (row,) = grid_rows([make_result(num_layers=3, amounts=(0.0, 0.5), num_examples=64, points="layer")])
    html = grid_html(arranged([row], [row.key]), PAGES)
    assert html.count("<table>") == 1
    assert "Verdicts" not in html
