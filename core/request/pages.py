"""The table of pages: what each is about, what its reader can choose, and where the address has it.

The navigation, the address, the app's pages and the static edition are made from it.
`core.charts.pages` composes what a page shows, by its name.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from core.request.catalog import REDUCTIONS

# Links between pages carry what all pages show, and the job that the visitor watches. A page's own
# choices stay there. So does the amount: a shared link began with it, and the player has moved on.
CARRIED = ("result", "other", "reduction", "job")
REFUSED = "The link asks for the {} “{}”, which is not available here."
MAX_QUOTED_CHARS = 24  # of a refused value
MAX_LINE_CHARS = 200  # of the visitor's own line on Present


class Choice(NamedTuple):
    """What a page lets its reader choose.

    Attributes:
        name: The parameter of the address.
        label: The words over the choice.
        options: The values and their names on screen; empty where the result determines them.
        default: The value without a parameter; empty for the first option.
        is_folded: Whether it is folded away behind the name of the result.
        is_segmented: Whether all options stand side by side.
    """

    name: str
    label: str
    options: Mapping[str, str] = {}
    default: str = ""
    is_folded: bool = False
    is_segmented: bool = False


REDUCTION = Choice(
    "reduction",
    "Sentence vector",
    {name: reduction.title for name, reduction in REDUCTIONS.items()},
    is_folded=True,
    is_segmented=True,
)
METRIC = Choice("metric", "Metric", is_segmented=True)
AXIS = Choice(
    "axis",
    "Compare at",
    {"amount": "Equal amount", "damage": "Equal overall change"},
    is_segmented=True,
)
SOURCE = Choice("results", "Results", {"shipped": "Shipped with Prunescope", "own": "Your results"})
ALONE = Choice(
    "alone", "Layers pruned alone", {"": "Left out", "shown": "Shown"}, is_segmented=True
)
LOSS = Choice(
    "most",
    "I can lose at most",
    {
        "0.01": "1 point",
        "0.02": "2 points",
        "0.03": "3 points",
        "0.05": "5 points",
        "0.1": "10 points",
    },
    default="0.05",
    is_segmented=True,
)


class Page(NamedTuple):
    """A page of the app and of the static edition.

    Attributes:
        name: Its name in the navigation.
        address: The path of its address; empty for the first page.
        subjects: The parameters that name the results, the study or the recovery that it is about,
            with their labels.
        choices: What else its reader can choose.
        title: The heading where no result supplies one; empty for its name.
    """

    name: str
    address: str
    subjects: Mapping[str, str] = {}
    choices: tuple[Choice, ...] = ()
    title: str = ""

    @property
    def file(self) -> str:
        """The script that Streamlit runs."""
        return f"pages/{self.address}.py" if self.address else "app.py"


RESULT = {"result": "Result"}
_PAGES = (
    Page("Story", "", RESULT, (REDUCTION,)),
    Page("Lab", "lab", title="Prune a checkpoint and watch its layers"),
    Page("Present", "present", RESULT),
    Page(
        "Layers", "layers", RESULT, (REDUCTION, Choice("layer", "Selected layer", is_folded=True))
    ),
    Page("Sentences", "sentences", RESULT, (Choice("flips", "Flips"), Choice("label", "Label"))),
    Page("Compare", "compare", {"result": "First", "other": "Second"}, (AXIS, REDUCTION, METRIC)),
    Page(
        "Cut",
        "cut",
        {"study": "Study"},
        (LOSS, Choice("keep", "Layers that stay", is_folded=True)),
        title="Which layers can go?",
    ),
    Page("Recover", "recover", {"recovery": "Recovery"}, title="What comes back?"),
    Page("All results", "grid", choices=(SOURCE, ALONE)),
    Page("Methods", "methods"),
)
PAGES: Mapping[str, Page] = {page.name: page for page in _PAGES}

# In the first line of the navigation; the second line lists the views of it.
ONE_RESULT = "One result"
FIRST_LINE = {
    "Story": "Story",
    "Lab": "Lab",
    ONE_RESULT: "Layers",
    "All results": "All results",
    "Methods": "Methods",
}
VIEWS = tuple(name for name in PAGES if name not in FIRST_LINE)


def table_of_pages() -> dict[str, Any]:
    """Return the table as core/charts/site.js takes it."""
    pages = {
        page.address: {
            "name": page.name,
            "title": page.title or page.name,
            "subjects": page.subjects,
        }
        for page in PAGES.values()
    }
    return {
        "pages": pages,
        "first": {label: PAGES[name].address for label, name in FIRST_LINE.items()},
        "views": [PAGES[name].address for name in VIEWS],
        "carried": CARRIED,
        "refused": REFUSED,
        "maxQuotedChars": MAX_QUOTED_CHARS,
        "maxLineChars": MAX_LINE_CHARS,
    }
