"""All sentences over a set of facts, against `said.txt`, which a person has read.

`python -m tests.core.findings.test_said` writes the file again: read its difference before it is
committed.
"""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.core.findings import said_pages, said_story
from tests.near import near_text

FILE = Path(__file__).with_name("said.txt")
PAGES: dict[str, Callable[[], Iterator[str]]] = {
    "Story": said_story.stories,
    "Story, how far the model works": said_story.limits,
    "Grid": said_story.grids,
    "All checkpoints together": said_story.claims,
    "Cautions": said_pages.cautions,
    "Layers": said_pages.layer_pages,
    "Layers, some alone": said_pages.layers_alone,
    "Compare": said_pages.comparisons,
    "Lab": said_pages.labs,
    "Sentences": said_pages.flips,
    "Cut": said_pages.cuts,
    "Tables of numbers": said_pages.numbers,
}


def written() -> str:
    parts = []
    for page, said in PAGES.items():
        text = "\n".join(said())
        parts.append(f"==== {page}\n{text}")
    return "\n\n".join(parts) + "\n"


def test_all_that_is_said_has_been_read_and_is_well_formed() -> None:
    said = written()

    remedy = "read what changes, then python -m tests.core.findings.test_said"
    assert near_text(said, FILE.read_text("utf-8")), remedy
    assert not re.search(r"  |''|“”|\(\)|\.\.|nan|None[^,]|(?<!\w)-\d|\{|\}|_", said)


if __name__ == "__main__":
    FILE.write_text(written(), "utf-8")
