"""The Methods page: everything of the catalog and every constant is on it."""

from benchmarks.pooled import FEWEST_PREDICTED
from core.findings.claim import CEILING, FEWEST_SEEDS, ONE_EXAMPLE
from core.findings.comparable import SPARSITY_TOLERANCE
from core.findings.words.verdict import STATES
from core.request import catalog as c
from core.request.controls import COARSER_STEP, SMALL_STEP, UNTIL_DAMAGE
from core.results.names import listed
from core.sweep.control_contrast import MARGIN
from core.sweep.equal_damage import DAMAGES, FEWEST_BEFORE
from core.sweep.working_range import DETECTABLE, DRAWS, RETAINED
from tests.opened import open_page, prose

PAGE = "pages/methods.py"
NUMBERS = [
    f"first falls below {c.SURVIVAL_THRESHOLD}",
    f"At least {c.MIN_EXAMPLES} examples are needed; below {c.FEW_EXAMPLES}, a result carries a "
    "warning",
    f"where their overall change is equal: at {listed(list(map(str, DAMAGES)))}.",
    f"to within {SPARSITY_TOLERANCE}.",
    f"takes {c.CONTROL_SEEDS['weight']} seeds, and {c.CONTROL_SEEDS['neuron']} for whole units",
    f"steps of {SMALL_STEP}, or for some shipped results {COARSER_STEP}, until the overall",
    f"change passes {UNTIL_DAMAGE}.",
    f"at an overall change of {c.DAMAGE}.",
    f"| **{STATES['steeper']}** | $Delta ge$ {100 * MARGIN:.0f} points ",
    f"*too few examples*: At least {c.FEW_EXAMPLES} examples",
    f"*steps too coarse*: Smaller steps are needed, with {FEWEST_BEFORE} amounts",
    f"*at the ceiling*: Under random removal, more than {100 * CEILING:.0f} %",
    f"*one example decides*: One example carries more than {100 * ONE_EXAMPLE:.0f} %",
    f"*interpolated*: The method was measured in steps of more than {100 * SMALL_STEP:.0f} %",
    f"at least {FEWEST_SEEDS} seeds can be used",
    f"first falls below {RETAINED:.0%}".replace("%", " %"),
    f"A drop of {DETECTABLE} standard errors",
    f"With $m ge {FEWEST_PREDICTED}$ cells",
    f"up to {c.CALIBRATION_EXAMPLES:,} labelled calibration examples",
    f"special ones included and at most {c.MAX_LENGTH}",
    f"paired, {DRAWS:,} draws",
]


def test_it_names_everything_of_the_catalog_and_every_constant_is_that_of_the_code() -> None:
    page = open_page(PAGE)
    words = " ".join(prose(page).replace("\N{NO-BREAK SPACE}", " ").split())
    expected = [
        *NUMBERS,
        *(f"#### {method.title} " for method in c.METHODS.values()),
    ]
    expected += [
        f"*{title}*"
        for title in (
            *c.POINTS.values(),
            *(way.title for way in c.REDUCTIONS.values()),
        )
    ]
    assert [part for part in expected if part not in words] == []
    assert "<!--" not in words
    anchors = [header.anchor for header in page.subheader]
    assert anchors[:2] == ["cka", "limits"], "what it is, and when not to trust it"
