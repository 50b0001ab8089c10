"""Render the sentences of the pages from `words/`, one template per subject.

A template holds one macro per sentence; a findings module passes it facts. In a template a line break is a space;
`{%-` and `-%}` remove the space on their side. Nothing is escaped here: a page escapes the finished sentence with
`ui.text.plain`.
"""

from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from core.results.names import amount_name, decimals, in_sentence, listed, percent, percent_range, spanned

_TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "words"),
    undefined=StrictUndefined,
    autoescape=False,
    auto_reload=False,
)
_TEMPLATES.filters |= {
    "amount": amount_name,
    "decimals": decimals,
    "in_sentence": in_sentence,
    "listed": listed,
    "percent": percent,
    "spanned": spanned,  # of labels of layers: {{ labels | spanned(all of them) }}
    "to_percent": percent_range,  # of two percentages: {{ low | to_percent(high) }}
}


@cache
def _macros(page: str) -> Any:
    """Compile a template once."""
    return _TEMPLATES.get_template(f"{page}.jinja").module


def render(page: str, sentence: str, **facts: object) -> str:
    """Write a sentence in one line, without space around it.

    Args:
        page: A file in `words/`, without its extension.
        sentence: A macro in that file.
        facts: The macro's parameters.

    Raises:
        jinja2.UndefinedError: A fact that the macro needs is missing.
        TypeError: The macro has no parameter for a fact.
    """
    return " ".join(str(getattr(_macros(page), sentence)(**facts)).split())
