"""A whole grid of sweeps as one table of checkpoints × settings: every layer's curve, small, above the verdict.

It is HTML and SVG, for hundreds of small charts by Vega would take a browser seconds. The colour of text comes from the
page around it (core/charts/grid.css). A chart and a verdict are links to the pages that show their result.
"""

from collections.abc import Mapping, Sequence
from html import escape
from textwrap import wrap

import numpy as np
import numpy.typing as npt

from core.charts.grammar import COLOURS, FIRST_COLOUR, SECOND_COLOUR, UNDEFINED_COLOUR
from core.charts.theme import TYPEFACE, Theme
from core.findings.grid import Grid, GridRow
from core.findings.words.verdict import IN_SHORT, POINTS, verdict_cell
from core.request.catalog import SURVIVAL_THRESHOLD
from core.sweep.control_contrast import State

WIDTH, HEIGHT = 200, 120  # of a small chart, in its own units
DEPTH_COLOURS = ("#7570b3", "#b5367a", "#d9670f")  # of the first, the middle and the last layer; 3 : 1 on both themes
STATE_COLOURS: Mapping[State, str] = {
    "steeper": FIRST_COLOUR,
    "flatter": SECOND_COLOUR,
    "equivalent": COLOURS[2],
    "inconclusive": UNDEFINED_COLOUR,
}
CAPTION = "Checkpoints and how they are pruned"
LINE, LEFT, TOP = 20, 240, 160  # of a picture of its own, in pixels: a line of text, and where the charts begin
SVG = "http://www.w3.org/2000/svg"
INTACT = 'stroke="currentColor" stroke-dasharray="1 3" opacity="0.7"'
GHOST = f'class="ghost" stroke="{UNDEFINED_COLOUR}" opacity="0.6"'
VERDICTS = (
    "Each verdict compares a method with its random control at the same overall change: does more, or less, of the "
    f"change lie in the upper half of the layers? No different: within {POINTS}. The verdicts are corrected for their "
    "number in all these results."
)
CURVES = (
    "One sweep each: how much every layer still resembles its unpruned self (CKA, 0 to 1), over the share removed, "
    f"0 to 100 %. The dotted line is {SURVIVAL_THRESHOLD}, from which a layer counts as intact."
)
LINES = "Violet: the first layer. Orange: the last. Grey: random removal of as much, where measured."


def grid_html(grid: Grid, addresses: tuple[str, str]) -> str:
    """Draw a grid: the own CKA of each layer over the amounts, over its random control, and the verdicts below.

    Args:
        grid: The grid.
        addresses: What stands before a result's key in the address of the page that explains its verdict, and of the
            page that shows its layers.
    """
    verdict_page, layers_page = addresses

    def cell(row: GridRow) -> str:
        chart = _link(row, layers_page, f"First to change: {row.cells['First to change']}", _svg(_curves(row)))
        found = grid.verdicts.get(row.key)
        if found is None or found.state is None:
            return chart
        word = f'<span class="state" style="--state: {STATE_COLOURS[found.state]}">{IN_SHORT[found.state]}</span>'
        return chart + _link(row, verdict_page, verdict_cell(found), word)

    head = "".join(f'<th scope="col">{escape(setting)}</th>' for setting in grid.settings)
    body = "".join(
        f'<tr><th scope="row"><b>{escape(checkpoint)}</b> {escape(data)}</th>'
        + "".join(f"<td>{''.join(map(cell, grid.cells.get((s, column), ())))}</td>" for s in grid.settings)
        + "</tr>"
        for column, (checkpoint, data) in grid.columns.items()
    )
    table = (
        f'<div class="scroll" tabindex="0" role="region" aria-label="{CAPTION}"><table><caption>{CAPTION}</caption>'
        f"<thead><tr><td></td>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )
    return f"<p>{CURVES}</p>{_key()}{table}" + (f"<p>{VERDICTS}</p>" if grid.verdicts else "")


def linked_table(rows: Mapping[str, Mapping[str, str]], on_show: str, page: str) -> str:
    """Write a table of results, at least one, by their keys: each row but that on show links to its result.

    Args:
        rows: Texts by column; the first column names the row.
        on_show: The key of the result on show.
        page: What stands before a result's key in the address.
    """
    head, body = "".join(f'<th scope="col"><b>{escape(name)}</b></th>' for name in next(iter(rows.values()))), ""
    for key, row in rows.items():
        name, *cells = map(escape, row.values())
        name = f"<b>{name}</b>" if key == on_show else f'<a href="{page}{key}">{name}</a>'
        body += f'<tr><th scope="row">{name}</th>{"".join(f"<td>{cell}</td>" for cell in cells)}</tr>'
    table = f'<table class="figures"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'
    return f'<div class="scroll" tabindex="0">{table}</div>'


def _key() -> str:
    """Explain the lines of the small charts."""
    first, last = (f'stroke="{DEPTH_COLOURS[k]}"' for k in (0, -1))
    words = {first: "first layer", last: "last layer", GHOST: "random removal of as much, where measured"}
    lines = ((_svg(f'<path {looks} d="M0,60H{WIDTH}"/>'), text) for looks, text in words.items())
    return '<p class="key">' + "".join(f"<span>{line} {text}</span>" for line, text in lines) + "</p>"


def depth_colours(count: int) -> list[str]:
    """Return a colour for each layer, from the first to the last."""
    stops = np.array([[int(colour[k : k + 2], 16) for k in (1, 3, 5)] for colour in DEPTH_COLOURS], dtype=np.float64)
    places = np.linspace(0, len(stops) - 1, count)
    channels = [np.interp(places, np.arange(len(stops)), channel).round() for channel in stops.T]  # (3, layers)
    return ["#" + "".join(f"{int(value):02x}" for value in layer) for layer in zip(*channels, strict=True)]


def grid_svg(grid: Grid, title: str, theme: Theme) -> str:
    """Draw a grid as a picture of its own; of several sweeps in a cell, the first."""
    wide, high = WIDTH + LINE, HEIGHT + 2 * LINE
    across, end = LEFT + wide * len(grid.settings), TOP + high * len(grid.columns) + LINE
    explained = wrap(f"{CURVES} {LINES} {VERDICTS if grid.verdicts else ''}", across // 8)
    drawn = [f'<rect width="100%" height="100%" fill="{theme.background}"/>', _text(LINE, 2 * LINE, [title], 1.5)]
    drawn += [_text(LEFT + j * wide, 4 * LINE, wrap(name, 24)) for j, name in enumerate(grid.settings)]
    for i, (column, (checkpoint, data)) in enumerate(grid.columns.items()):
        y = TOP + i * high
        drawn.append(_text(LINE, y + LINE, [*wrap(checkpoint, 28), *wrap(data, 28)]))
        for j, setting in enumerate(grid.settings):
            x = LEFT + j * wide
            for row in grid.cells.get((setting, column), ())[:1]:
                word = wrap(IN_SHORT[known.state], 28) if (known := grid.verdicts.get(row.key)) and known.state else []
                chart = f'<rect width="{WIDTH}" height="{HEIGHT}" stroke="{theme.line}"/>{_curves(row)}'
                drawn += [
                    f'<g transform="translate({x} {y})" fill="none" stroke-width="1.5">{chart}</g>',
                    _text(x, y + HEIGHT + 16, word),
                ]
    drawn.append(_text(LINE, end, explained))
    looks = f'color="{theme.text}" fill="{theme.text}" font-family="{TYPEFACE}" font-size="15"'
    return f'<svg xmlns="{SVG}" width="{across}" height="{end + LINE * len(explained)}" {looks}>{"".join(drawn)}</svg>'


def _text(x: float, y: float, lines: Sequence[str], size: float = 1) -> str:
    """Write lines below each other, in ems."""
    return "".join(
        f'<text x="{x}" y="{y + k * LINE}" font-size="{size}em">{escape(line)}</text>' for k, line in enumerate(lines)
    )


# ---------------------------------------------------------------- a small chart


def _link(row: GridRow, page: str, words: str, content: str) -> str:
    name = escape(f"{', '.join(filter(None, (row.setting, row.column.checkpoint, *row.column.data)))}. {words}")
    return f'<a href="{page}{row.key}" aria-label="{name}" title="{name}">{content}</a>'


def _curves(row: GridRow) -> str:
    """Draw the similarity of every layer over the amounts, above random removal's."""
    ghosts = "" if row.control is None else "".join(_path(row.amounts, curve) for curve in row.control.T)
    lines = "".join(
        f'<path stroke="{colour}" d="{_path(row.amounts, curve)}"/>'
        for colour, curve in zip(depth_colours(row.own.shape[1]), row.own.T, strict=True)
    )
    return f'<path {INTACT} d="M0,{_y(SURVIVAL_THRESHOLD)}H{WIDTH}"/><path {GHOST} d="{ghosts}"/>{lines}'


def _svg(content: str) -> str:
    return f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" preserveAspectRatio="none" aria-hidden="true">{content}</svg>'


def _path(amounts: Sequence[float], curve: npt.NDArray[np.float64]) -> str:
    """Write a curve as SVG does, with a gap where it is undefined."""
    known = ~np.isnan(curve)
    begins = known & ~np.append(False, known[:-1])
    points = zip(begins, amounts, curve, strict=True)
    return "".join(f"{'M' if begin else ' '}{round(WIDTH * x)},{_y(y)}" for begin, x, y in points if y == y)


def _y(value: float) -> int:
    """Return the height of a similarity in a chart, whose axis runs from 0 to 1."""
    return round(HEIGHT * (1 - min(max(value, 0.0), 1.0)))
