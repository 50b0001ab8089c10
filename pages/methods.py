"""Methods: what every word and number of the other pages means, where it comes from, and when not to trust it.

The prose stands in `methods.md`: its sections are `# anchor: Title`, and those below `# more` are folded away.
`@{NAME}` is a constant or a text of the code.
"""

import json
import re
from collections.abc import Sequence
from pathlib import Path
from string import Template

import streamlit as st

from core.findings import claim, comparable, pooled
from core.findings.words.numbers import percent
from core.findings.words.verdict import FLAGS, POINTS, REASONS, STATES, explained
from core.request import catalog, controls
from core.request.criteria import CRITERIA
from core.results.cut import ALL_UP_TO
from core.results.names import listed
from core.sweep import control_contrast, equal_damage, working_range
from ui.header import page_header
from ui.player import component, pause_after_first_picture
from ui.text import plain

PROSE, MEASURED = Path(__file__).with_suffix(".md"), catalog.SHIPPED / "measured.json"
MODULES = (catalog, controls, claim, comparable, pooled, control_contrast, equal_damage, working_range)
SECTION = re.compile("^# ", re.MULTILINE)
MORE = "More: how each method prunes, how a layer becomes one vector, other numbers, intervals"
STYLE = """<style>
.stMain .katex { font-size: min(1.06em, 4vw); } /* a telephone shows every formula whole */
.stMain .katex-display { text-align: left; padding: 0.1rem 0; }
.stMain .katex-display > .katex { text-align: left; }
.stMain .stMarkdown p, .stMain .stMarkdown li { max-width: 46rem; }
</style>"""

_picture = component("methods")


class Prose(Template):
    """Text with `@{NAME}` where the code has the word; the braces and dollars of formulas stay as they are."""

    delimiter = "@"
    idpattern = r"[A-Za-z][\w-]*"


def texts(prose: Prose) -> dict[str, object]:
    """Return what the names in the prose stand for: constants by their own names, the catalog's texts by its."""
    described = set(prose.get_identifiers())
    others = [name for name in catalog.METHODS if name not in described]
    return {
        **{name: value for module in MODULES for name, value in vars(module).items()},
        **catalog.POINTS,
        **{name: heading(name) for name in catalog.METHODS},
        **{name: f"*{plain(way.title)}.* {plain(way.explanation)}" for name, way in catalog.REDUCTIONS.items()},
        "ALL_UP_TO": ALL_UP_TO,
        **{f"by-{name}": title for name, title in CRITERIA.items()},
        **json.loads(MEASURED.read_text("utf-8")),  # written by `benchmarks.verdicts`
        "partial_cka": catalog.MEASURES["partial_cka"].title,
        "other-methods": "\n\n".join(f"{heading(new)} Its formula stands at the head of its file." for new in others),
        "DAMAGES": listed([str(damage) for damage in equal_damage.DAMAGES]),
        "LEAST_LEFT": f"{catalog.LEAST_LEFT:f}".rstrip("0"),
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


def heading(name: str) -> str:
    """Introduce a method in the catalog's words."""
    method = catalog.METHODS[name]
    small = f":small[{method.granularity} method; `core/pruning/{name.replace('-', '_')}.py`]"
    return f"##### {plain(method.title)}\n{small}\n\n{plain(method.explanation)}"


def methods() -> None:
    """Show the picture, what to know first, and more."""
    page_header("Methods")
    st.html(STYLE)
    st.title("What the pictures mean, and when not to trust them", anchor=False)
    _picture(key="explanation")
    pause_after_first_picture()
    prose = Prose(PROSE.read_text("utf-8"))
    first, _, more = prose.substitute(texts(prose)).partition("# more\n")
    introduction, *sections = SECTION.split(first)
    st.markdown(introduction)
    show_sections(sections)
    with st.expander(MORE):
        show_sections(SECTION.split(more)[1:])


def show_sections(sections: Sequence[str]) -> None:
    """Show a table of contents, and the sections."""
    named = [section.partition("\n") for section in sections]
    st.markdown(" · ".join("[{2}](#{0})".format(*name.partition(": ")) for name, _, _ in named))
    for name, _, body in named:
        anchor, _, title = name.partition(": ")
        st.subheader(title, anchor=anchor, divider="gray")
        st.markdown(body)


methods()
