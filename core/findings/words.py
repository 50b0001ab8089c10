"""Renders the sentences of the pages from `words/`, one template file per page.

A template holds one macro per sentence; a findings module hands it facts. In a template a line break is a space;
`{%-` and `-%}` take away the space on their side. Nothing is escaped here: a page escapes the finished sentence with
`ui.text.plain`, whatever it contains.
"""

from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from core.results.names import amount_name, decimals, listed

_TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "words"),
    undefined=StrictUndefined,
    autoescape=False,
    auto_reload=False,
)
_TEMPLATES.filters |= {"amount": amount_name, "decimals": decimals, "listed": listed}


@cache
def _macros(page: str) -> Any:
    """Compile a template, once."""
    return _TEMPLATES.get_template(f"{page}.jinja").module


def render(page: str, sentence: str, **facts: object) -> str:
    """Write a sentence in one line, without space around it.

    Args:
        page: A file in `words/`, without its ending.
        sentence: A macro in it.
        facts: Its parameters.

    Raises:
        jinja2.UndefinedError: The sentence needs a fact that is not given.
        TypeError: A fact is given that the sentence does not know.
    """
    return " ".join(str(getattr(_macros(page), sentence)(**facts)).split())
