"""No page contradicts another: every sentence that concludes is held against the one verdict and against its mirror.

The pages' sentences are asked for with what the pages pass them. They are walked over all pairs of shipped results of
each checkpoint and set of examples, and over made results that show every state.
"""

import re
from itertools import combinations

from benchmarks.verdicts import verdict_table
from core.charts.stack import stack_rows
from core.findings import pooled
from core.findings.accuracy import metrics_of, working_to
from core.findings.choices import is_control
from core.findings.claim import SENSITIVITY, Verdict, verdict
from core.findings.comparable import SPARSITY_TOLERANCE, largest_mismatch, obstacle
from core.findings.layers import layers_of
from core.findings.words import lab, layers
from core.findings.words.compare import compare_finding, compare_heading, depth_sentence
from core.findings.words.grid import corrected_verdicts, grid_rows
from core.findings.words.numbers import percent
from core.findings.words.story import chance_finding, guess_answer, limits_finding, play_finding
from core.findings.words.verdict import STATES, criteria_table, numbers_table
from core.request.scope import run_of
from core.results.names import amount_name, removed_name
from core.results.schema import SweepResult
from core.sweep.control_contrast import DIFFERENT, State
from tests.core.findings.made import Shelf, made_shelf, shipped_shelves

SAID: dict[str, State] = {said: state for state, said in STATES.items()}
CLAIMS: dict[State | None, tuple[str, ...]] = {  # of the headings on chance
    "steeper": ("random removal changes the upper half of the layers less",),
    "flatter": ("random removal changes the upper half of the layers more",),
    "equivalent": ("Random removal changes the upper half of the layers about as much",),
    "inconclusive": (
        "most, too (whether to the same degree is inconclusive)",
        "does the same is inconclusive",
        "Not measured here",
    ),
    None: ("is not judged here", "This is random removal itself", "Not asked here", "Not measured here"),
}


def told(*sentences: str) -> list[State]:
    """The states that sentences name, in their order."""
    return [SAID[words] for words in re.findall("|".join(SAID), " ".join(sentences).lower())]


def named(known: Verdict) -> list[State]:
    """The state of a verdict, where one is given."""
    return [known.state] if known.state else []


def check_verdicts(shelf: Shelf) -> set[State]:
    """All that says a verdict is held against it, on the story as beside its control."""
    found = set[State]()
    for entry in shelf.entries:
        result, beside = shelf.results[entry.key], shelf.beside(entry)
        known = verdict(result, beside)
        found.update(named(known))
        check_headings(result, known, beside)
        criteria = [known, *(verdict(result, beside, *other) for other in SENSITIVITY)]
        assert [told(row["Verdict"]) for row in criteria_table(result, beside)] == list(map(named, criteria))
        for control in [other for other in beside if is_control(other.pruning, result.pruning)][:1]:
            assert told(*compare_finding((result, control), "mean", beside).sentences) in ([], named(known))
        check_numbers(result, beside)
    return found


def check_numbers(result: SweepResult, beside: list[SweepResult]) -> None:
    """How far the model works, and which layers fall first, is the same wherever it stands."""
    to = working_to(result)
    heading, (falls, _, holds) = layers.layers_heading(result, "mean"), lab.key_figures(result, "mean")
    if to and to < result.amounts[-1] and result.pruning.granularity != "layer":
        pages = [limits_finding(result, "mean").heading, layers.layers_finding(result, "1", beside, "mean").text, holds]
        pages += [" ".join(row.values()) for row in numbers_table(result, beside) if "advantage" in row["Number"]]
        pages += [compare_heading((result, other)) for other in beside[:1] if working_to(other) is not None]
        said = [re.search(r"(?:Past|works|Up|advantage)(?: up)?(?: to)? (\S+ %)", words) for words in pages]
        assert [found and found[1] for found in said] == [amount_name(to)] * len(pages), pages
    for metric in metrics_of(result):
        by = working_to(result, metric)
        assert not by or removed_name(by, result) in limits_finding(result, "mean", metric).heading
    rows = stack_rows(result, "mean", None)
    first = [row["layer"] for row in rows if "first to fall" in guess_answer(row["layer"], row["words"], row["first"])]
    assert first == [layer.label for layer in layers_of(result, "mean").first]
    assert heading in play_finding(result, beside, "mean").text
    at = re.match(r"(Layers? .+?) changes? first: .+? at (\S+ %)", heading)
    assert (bool(at), falls) == (bool(first), f"{at[1]}, at {at[2]}" if at else falls)


def check_headings(result: SweepResult, known: Verdict, beside: list[SweepResult]) -> None:
    """The story claims of the halves what is shown, and of chance what the verdict does."""
    play, chance = (told.heading for told in (play_finding(result, beside, "mean"), chance_finding(result, beside, ())))
    if known.method and not run_of(result.pruning.scope):
        assert ("upper layers most" in play) == (known.method.gap.low > 0)
        assert ("lower layers most" in play) == (known.method.gap.high < 0)
    claims = [(state, words) for state, options in CLAIMS.items() for words in options if words in chance]
    assert known.state in {state for state, _ in claims}, chance
    assert len({words for _, words in claims}) == 1, "one claim on chance, or why there is none"
    assert ("most, too" not in chance) or known.lead == known.control_lead is not None


def check_pairs(shelf: Shelf) -> None:
    """Compare's sentence on where every two prunings change, both ways round."""
    for (one, of_one), (other, of_other) in combinations(shelf.prunings(), 2):
        beside = [*of_one, *of_other]
        said = [depth_sentence(pair, "mean", beside) for pair in ((one, other), (other, one))]
        known = [verdict(one, of_one), verdict(other, of_other)]
        if obstacle(one, other) or not all(found.method and not found.method.gap.coarse for found in known):
            assert said[0] == said[1]
            assert ("is not compared (" in said[0], told(said[0])) == (True, [])
            continue
        shares = [percent(found.share or 0) for found in known]
        assert [re.findall(r"(\d+ %) (?:lies|under)", words) for words in said] == [shares, shares[::-1]]
        ends = [re.search(r"difference (\S+) to (\S+) points", words.replace("−", "-")) for words in said]
        low, high, *mirrored = (float(end) for found in ends if found for end in found.groups())
        assert mirrored == [-high, -low]
        is_judged = any(is_control(a.pruning, b.pruning) for a, b in ((one, other), (other, one)))
        assert (told(said[1]), len(told(said[0]))) == (told(said[0]), is_judged)


def test_made_results_do_not_contradict_each_other() -> None:
    check_pairs(made_shelf())
    assert check_verdicts(made_shelf()) == set(STATES)


def test_shipped_results_do_not_contradict_each_other(shipped_results: dict[str, SweepResult]) -> None:
    for shelf in shipped_shelves(shipped_results):
        check_verdicts(shelf)
        check_pairs(shelf)
        for method, control in ((a, b) for a in shelf.results.values() for b in shelf.results.values()):
            if is_control(control.pruning, method.pruning):
                assert largest_mismatch(method, control) <= SPARSITY_TOLERANCE, method.pruning


def test_the_grid_the_page_of_results_and_what_is_pooled_agree(shipped_results: dict[str, SweepResult]) -> None:
    shelves = shipped_shelves(shipped_results)
    rows = {row.key: row for shelf in shelves for row in grid_rows(list(shelf.results.values()))}
    on_grid = corrected_verdicts(list(rows.values()))
    table = verdict_table([*shipped_results.values()])  # which the page of results is written from
    assert on_grid == {row.result.key: row.verdict for row in table}
    for shelf in shelves:
        for entry in shelf.entries:
            if entry.key not in on_grid:
                continue
            found, alone = on_grid[entry.key], verdict(shelf.results[entry.key], shelf.beside(entry))
            assert (found.share, found.contrast) == (alone.share, alone.contrast), "one result and all of them"
            assert found.state == alone.state or (alone.state in DIFFERENT and found.state == "inconclusive")
    for known in pooled.shipped():
        settings = {(rows[key].pruning.method, rows[key].pruning.scope) for key in known.keys}
        assert settings == {(known.method, known.scope)}
        for cell in known.cells:
            assert cell.upper == sum(on_grid[key].lead == "upper" for key in cell.keys)
            assert cell.control_upper == sum(on_grid[key].control_lead == "upper" for key in cell.keys)
