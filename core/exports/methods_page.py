"""Our own Markdown as HTML, for the static edition: formulas as MathML, which needs neither a script nor a font."""

import re
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from latex2mathml.converter import convert
from markdown_it import MarkdownIt
from mdit_py_plugins.dollarmath import dollarmath_plugin

from core.charts.vega import text_of
from core.findings.words.methods import MORE, Section, contents, methods_said

SECTIONS = "#/methods?section="  # the address of one
_SMALL = re.compile(r":small\[(.*?)\]", re.DOTALL)  # as Streamlit writes it
_PUNCTUATION = re.compile(r"([!-/:-@\[-`{-~])")


def _mathml(formula: str, options: Mapping[str, Any]) -> str:
    return convert(formula, display="block" if options["display_mode"] else "inline")


_markdown = MarkdownIt("js-default").use(dollarmath_plugin, renderer=_mathml)  # which shows raw HTML as text


def markdown_html(text: str) -> str:
    """Turn Markdown into HTML, as Streamlit shows it; raw HTML in it is shown as text."""
    return _SMALL.sub(r"<small>\1</small>", _markdown.render(text)).replace("h5>", "h3>")


def methods_html() -> str:
    """Write the whole of the Methods page below its title: the picture, what to know first, and more."""
    introduction, first, more = methods_said(lambda text: _PUNCTUATION.sub(r"\\\1", text))
    picture = f"<style>{text_of('methods.css')}</style>{text_of('methods.html')}"
    folded = f"<details><summary>{MORE}</summary>{_sections_html(more)}</details>"
    return f"{picture}{markdown_html(introduction)}{_sections_html(first)}{folded}"


def _sections_html(sections: Sequence[Section]) -> str:
    bodies = (
        f'<section id="{anchor}"><h2>{escape(title)}</h2>{markdown_html(body)}</section>'
        for anchor, title, body in sections
    )
    return markdown_html(contents(sections, SECTIONS)) + "".join(bodies)
