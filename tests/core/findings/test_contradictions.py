"""No page contradicts another: every sentence that concludes is held against the one verdict.

The pages' sentences are asked for with what the pages pass them, of all shipped results, and of
made results that show every state.
"""

import re

from benchmarks.verdicts import VerdictRow
from core.findings.accuracy import working_to
from core.findings.choices import is_control, settings
from core.findings.claim import SENSITIVITY, Verdict, verdict
from core.findings.words import Finding
from core.findings.words.compare import compare_heading, depth_sentence
from core.findings.words.grid import arranged, grid_rows
from core.findings.words.layers import layers_finding, layers_heading
from core.findings.words.story import (
    chance_finding,
    watch_finding,
)
from core.findings.words.verdict import STATES, criteria_table
from core.request.scope import run_of
from core.results.names import amount_name
from core.results.schema import SweepResult
from core.sweep.control_contrast import State
from tests.core.findings.made import Shelf, made_shelf, shipped_shelves

SAID: dict[str, State] = {words: state for state, words in STATES.items()}
CLAIMS: dict[State | None, tuple[str, ...]] = {  # of the headings on chance
    "steeper": ("random removal changes the upper half of the layers less",),
    "flatter": ("random removal changes the upper half of the layers more",),
    "equivalent": ("random removal changes the upper half of the layers about as much",),
    "inconclusive": (
        "most, too (whether to the same degree is inconclusive)",
        "does the same is inconclusive",
        "Not measured here",
    ),
    None: (
        "is not judged here",
        "This is random removal itself",
        "Not asked here",
        "Not measured here",
    ),
}


def told(*sentences: str) -> list[State]:
    """The states that sentences name, in their order."""
    return [SAID[words] for words in re.findall("|".join(SAID), " ".join(sentences).lower())]


def named(judged: Verdict) -> list[State]:
    """The state of a verdict, where one is given."""
    return [judged.state] if judged.state else []


def check_verdicts(shelf: Shelf) -> set[State]:
    """All that says a verdict is held against it, on the story as beside its control."""
    states = set[State]()
    for entry in settings(shelf.entries):  # those that may have a verdict
        result = shelf.results[entry.key]
        beside = shelf.beside(entry)
        judged = verdict(result, beside)
        states.update(named(judged))
        check_headings(result, judged, beside)
        criteria = [judged, *(verdict(result, beside, *other) for other in SENSITIVITY)]
        rows = criteria_table(result, beside)
        assert [told(row["Verdict"]) for row in rows] == list(map(named, criteria))
        controls = [other for other in beside if is_control(other.pruning, result.pruning)]
        for control in controls[:1]:
            sentence = depth_sentence((result, control), "mean", beside)
            assert told(sentence) in ([], named(judged))
        check_numbers(result, beside)
    return states


def text_of(finding: Finding) -> str:
    return " ".join((finding.heading, *finding.sentences))


def check_numbers(result: SweepResult, beside: list[SweepResult]) -> None:
    """How far the model works, and which layers fall first, is the same wherever it stands."""
    to = working_to(result)
    heading = layers_heading(result, "mean")
    if to and to < result.amounts[-1]:
        pages = [
            text_of(watch_finding(result, beside, "mean")),
            text_of(layers_finding(result, "1", beside, "mean")),
        ]
        pages += [
            compare_heading((result, other))
            for other in beside[:1]
            if working_to(other) is not None
        ]
        assert [page for page in pages if f"p to {amount_name(to)}" not in page] == []
    assert heading in text_of(watch_finding(result, beside, "mean"))


def check_headings(result: SweepResult, judged: Verdict, beside: list[SweepResult]) -> None:
    """The story claims of the halves what is shown, and of chance what the verdict does."""
    where = watch_finding(result, beside, "mean").heading
    chance = chance_finding(result, beside).heading
    if judged.method and not run_of(result.pruning.scope):
        assert ("changes the upper layers" in where) == (judged.method.gap.low > 0)
        assert ("changes the lower layers" in where) == (judged.method.gap.high < 0)
    claims = [
        (state, words) for state, options in CLAIMS.items() for words in options if words in chance
    ]
    assert judged.state in {state for state, _ in claims}, chance
    assert len({words for _, words in claims}) == 1, "one claim on chance, or why there is none"
    assert ("most, too" not in chance) or judged.lead == judged.control_lead is not None


def test_made_results_do_not_contradict_each_other() -> None:
    assert check_verdicts(made_shelf()) == set(STATES)


def test_shipped_results_do_not_contradict_each_other(
    shipped_results: dict[str, SweepResult],
) -> None:
    for shelf in shipped_shelves(shipped_results):
        check_verdicts(shelf)


def test_the_table_of_all_results_has_the_verdicts_of_the_documents(
    shipped_results: dict[str, SweepResult], verdict_rows: list[VerdictRow]
) -> None:
    shelves = shipped_shelves(shipped_results)
    rows = [row for shelf in shelves for row in grid_rows(list(shelf.results.values()))]
    on_grid = {row.key: row.verdict for row in arranged(rows) if row.verdict}
    assert on_grid == {row.result.key: row.verdict for row in verdict_rows}
