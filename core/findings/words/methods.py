"""The Methods page: the prose of `docs/methods.md`, whose second part the page folds away.

A part begins with `# Title`, a section of it with `## Title <!-- anchor -->`.
"""

import re
from typing import NamedTuple

from core.findings.words.numbers import unbroken
from core.request.catalog import ROOT

PROSE = ROOT / "docs" / "methods.md"
PART = re.compile("^# (.+)\n", re.MULTILINE)
SECTION = re.compile(r"^## (.+) <!-- ([\w-]+) -->\n", re.MULTILINE)


class Section(NamedTuple):
    """A section in Markdown."""

    title: str
    anchor: str
    body: str


class Part(NamedTuple):
    """What stands above the first section, and the sections."""

    title: str
    introduction: str
    sections: list[Section]

    def contents(self, address: str = "#") -> str:
        """Return a table of contents, whose links lead to the anchors at an address."""
        links = [f"[{section.title}]({address}{section.anchor})" for section in self.sections]
        return " · ".join(links)


def methods_parts() -> tuple[Part, Part]:
    """Return what to know first, and more."""
    _, title, first, more_title, more = PART.split(unbroken(PROSE.read_text("utf-8")))
    return _part(title, first), _part(more_title, more)


def _part(title: str, text: str) -> Part:
    introduction, *fields = SECTION.split(text)
    sections = [Section(*fields[k : k + 3]) for k in range(0, len(fields), 3)]
    return Part(title, introduction, sections)
