"""Our Markdown as HTML: formulas become MathML, links lead to sections, and raw HTML stays text."""

import re

from core.exports.methods_page import markdown_html, methods_html


def test_every_formula_is_mathml_every_name_is_filled_and_every_link_leads_to_a_section() -> None:
    html = methods_html()
    assert html.count("<math") > 80
    said = re.sub(r"<code>.*?</code>", "", html)
    assert not re.search(r"\$|\\[a-zA-Z({]|@\{|:small|merror|<script|<svg[^>]* on", said)
    anchors = re.findall(r'<section id="([\w-]+)">', html)
    assert re.findall(r'href="#/methods\?section=([\w-]+)"', html) == anchors
    assert len(set(anchors)) == len(anchors) > 10


def test_markdown_is_turned_as_streamlit_does_and_raw_html_is_shown_as_text() -> None:
    html = markdown_html(
        '**A** `b`\n\n| C |\n|---|\n| $d < 1$ |\n\n<b onclick="e">f</b> [g](javascript:h)'
    )
    for part in (
        "<strong>A</strong>",
        "<code>b</code>",
        "<td><span",
        "&#x0003C;",
    ):
        assert part in html
    assert "<b " not in html
    assert "href" not in html
