"""Turn our own Markdown into HTML for the static edition.

Formulas become MathML, which needs no script and no font.
"""

from collections.abc import Mapping
from html import escape
from typing import Any

from latex2mathml.converter import convert
from markdown_it import MarkdownIt
from mdit_py_plugins.dollarmath import dollarmath_plugin

from core.charts.vega import text_of
from core.findings.words.methods import Part, methods_parts

SECTIONS = "#/methods?section="  # the address of a section, but for its name


def _mathml(formula: str, options: Mapping[str, Any]) -> str:
    return convert(formula, display="block" if options["display_mode"] else "inline")


_markdown = MarkdownIt("js-default").use(
    dollarmath_plugin, renderer=_mathml
)  # which shows raw HTML as text


def markdown_html(text: str) -> str:
    """Turn Markdown into HTML as Streamlit does; raw HTML in it is shown as text."""
    return _markdown.render(text).replace("h4>", "h3>")


def methods_html() -> str:
    """Write the Methods page below its title."""
    first, more = methods_parts()
    folded = f"<details><summary>{more.title}</summary>{_html(more)}</details>"
    return f"{text_of('steps.html')}{_html(first)}{folded}"


def _html(part: Part) -> str:
    sections = (
        f'<section id="{section.anchor}"><h2>{escape(section.title)}</h2>'
        f"{markdown_html(section.body)}</section>"
        for section in part.sections
    )
    head = f"{markdown_html(part.introduction)}{markdown_html(part.contents(SECTIONS))}"
    return head + "".join(sections)
