"""What the Methods page says: every word and number of the other pages, where it comes from, and when not to trust it.

The prose stands in `methods.md`: its sections are `# anchor: Title`, and those below `# more` are folded away.
`@{NAME}` is a constant or a text of the code.
"""

import json
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from string import Template

from core.findings import claim, comparable, pooled
from core.findings.words.numbers import percent, unbroken
from core.findings.words.verdict import FLAGS, POINTS, REASONS, STATES, explained
from core.request import catalog, controls
from core.results.names import listed
from core.sweep import control_contrast, equal_damage, working_range

PROSE, MEASURED = Path(__file__).with_suffix(".md"), catalog.SHIPPED / "measured.json"
MODULES = (catalog, controls, claim, comparable, pooled, control_contrast, equal_damage, working_range)
SECTION = re.compile("^# ([\\w-]+): (.+)\n", re.MULTILINE)
TITLE = "What the pictures mean, and when not to trust them"
Section = tuple[str, str, str]  # its anchor, its title, and its body in Markdown
MORE = "More: how each method prunes, how a layer becomes one vector, other numbers, intervals"


class Prose(Template):
    """Text with `@{NAME}` where the code has the word; the braces and dollars of formulas stay as they are."""

    delimiter = "@"
    idpattern = r"[A-Za-z][\w-]*"


def texts(prose: Prose, plain: Callable[[str], str]) -> dict[str, object]:
    """Return what the names in the prose stand for: constants by their own names, the catalog's texts by its."""
    described = set(prose.get_identifiers())
    others = [name for name in catalog.METHODS if name not in described]
    return {
        **{name: value for module in MODULES for name, value in vars(module).items()},
        **catalog.POINTS,
        **{name: heading(name, plain) for name in catalog.METHODS},
        **{name: f"*{plain(way.title)}.* {plain(way.explanation)}" for name, way in catalog.REDUCTIONS.items()},
        **json.loads(MEASURED.read_text("utf-8")),  # written by `benchmarks.verdicts`
        "other-methods": "\n\n".join(
            f"{heading(new, plain)} Its formula stands at the head of its file." for new in others
        ),
        "DAMAGES": listed([str(damage) for damage in equal_damage.DAMAGES]),
        "CALIBRATION_EXAMPLES": f"{catalog.CALIBRATION_EXAMPLES:,}",
        "DRAWS": f"{working_range.DRAWS:,}",
        "retained": percent(working_range.RETAINED),
        "lost": percent(1 - working_range.RETAINED),
        "margin": POINTS,
        **{str(name): said for name, said in STATES.items()},
        "reasons": explained(REASONS),
        "flags": explained(FLAGS),
        **{f"{kind}-seeds": number for kind, number in catalog.CONTROL_SEEDS.items()},
    }


def heading(name: str, plain: Callable[[str], str]) -> str:
    """Introduce a method in the catalog's words."""
    method = catalog.METHODS[name]
    small = f":small[{method.granularity} method; `core/pruning/{name.replace('-', '_')}.py`]"
    return f"##### {plain(method.title)}\n{small}\n\n{plain(method.explanation)}"


def methods_said(plain: Callable[[str], str]) -> tuple[str, list[Section], list[Section]]:
    """Return the introduction, what to know first, and more.

    Args:
        plain: Escapes a text of the catalog, so that it is no Markdown.
    """
    prose = Prose(PROSE.read_text("utf-8"))
    first, _, more = unbroken(prose.substitute(texts(prose, plain))).partition("# more\n")
    return *_sections(first), _sections(more)[1]


def _sections(text: str) -> tuple[str, list[Section]]:
    """Return what stands before the first section, and the sections."""
    before, *parts = SECTION.split(text)
    return before, list(zip(parts[::3], parts[1::3], parts[2::3], strict=True))


def contents(sections: Sequence[Section], address: str = "#") -> str:
    """Return a table of contents, whose links lead to the anchors at an address."""
    return " · ".join(f"[{title}]({address}{anchor})" for anchor, title, _ in sections)
