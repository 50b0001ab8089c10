"""No page contradicts another: every sentence that concludes is held against the one verdict and against its mirror.

The pages' sentences are asked for with what the pages pass them. They are walked over all pairs of shipped results of
each checkpoint and set of examples, and over made results that show every state.
"""

import re
from itertools import combinations
from typing import get_args

from core.findings.accuracy import lowest_until
from core.findings.claim import SENSITIVITY, Verdict, verdict
from core.findings.comparable import SPARSITY_TOLERANCE, largest_mismatch, obstacle
from core.findings.survival import layer_survivals, layers_of
from core.findings.tables import criteria_table, survival_table
from core.findings.words import Said, state
from core.findings.words.compare import compare_said, depth_sentence
from core.findings.words.layers import layers_said
from core.findings.words.overview import heading_of, overview_said, verdict_sentence
from core.request.catalog import DAMAGE, SURVIVAL_THRESHOLD
from core.results.choices import is_control, offered
from core.results.library import shipped
from core.results.names import percent, removed_name
from core.results.schema import SweepResult
from core.sweep.control_contrast import DIFFERENT, Direction
from tests.core.findings.made import Shelf, made_shelf, shipped_shelves

STATES: dict[str, Direction] = {state(direction): direction for direction in get_args(Direction)}
CLAIMS = {  # of the heading on chance, and the verdicts that bear it
    "more so than random removal": DIFFERENT,
    "less so than random removal": DIFFERENT,
    "the upper half changes more than under random removal": ("steeper",),
    "the upper half changes less than under random removal": ("flatter",),
    "random removal does about the same": ("as by chance",),
    "; so does random removal, but whether to the same degree cannot be told here": ("cannot be told",),
    "; whether random removal does the same cannot be told here": ("cannot be told",),
    "changes a model most cannot be told here": ("cannot be told",),
}
DEPTH = re.compile(
    rf"Of an overall change of {DAMAGE:.2f}, (\S+) % lies in the upper half of the layers under .+ and (\S+) % under "
    r".+ \(difference (\S+) to (\S+) points, 95 % interval over examples\)"
)


def told(*sentences: str) -> list[Direction]:
    """The directions that sentences name, in their order."""
    return [STATES[words] for words in re.findall("|".join(STATES), " ".join(sentences).lower())]


def checked(said: Said) -> Said:
    """A page says at most two sentences."""
    assert len(said.sentences) <= 2
    assert all(sentence.endswith(".") for sentence in said.sentences)
    return said


def verdicts_of(shelf: Shelf) -> dict[str, Verdict]:
    """The verdict on every result, after all that says it was held against it."""
    found = {}
    for entry in shelf.entries:
        result, beside = shelf.results[entry.key], shelf.beside(entry)
        found[entry.key] = known = verdict(result, beside)
        assert told(verdict_sentence(result, beside)) == [known.direction]
        others = [verdict(result, beside, *other).direction for other in SENSITIVITY]
        assert [told(row["Verdict"])[0] for row in criteria_table(result, beside)] == [known.direction, *others]
        for verdicts in ({"": known}, {"one": known, "other": known}):
            check_heading(known, heading_of(verdicts, "Pruning"))
        # Beside its control a method has the Overview's verdict.
        control = next((other for other in beside if is_control(other.pruning, result.pruning)), None)
        if control:
            said = checked(compare_said(result, control, "mean", beside))
            assert told(said.sentences[0]) in ([], [known.direction])
    return found


def check_heading(known: Verdict, heading: str) -> None:
    """The heading on one result, or two alike, claims of chance what the verdict does, of the halves what is shown."""
    claims = [words for words in CLAIMS if words in heading]
    if known.method:
        assert ("upper layers most" in heading) == (known.method.gap.low > 0)
        assert ("lower layers most" in heading) == (known.method.gap.high < 0)
    if known.method and known.reason == "random control":
        assert ("random draw" in heading, claims) == (True, [])
    elif "Compared with random removal" in heading:
        assert told(heading) == [known.direction] * 2
    else:
        assert len(claims) == 1, "no claim without a control, or without saying that there is none"
        assert known.direction in CLAIMS[claims[0]]
        assert not claims[0].startswith("; so does") or (known.lead and known.control_lead == known.lead)
        if known.lead and known.direction in DIFFERENT:
            assert claims[0].startswith("more" if (known.direction == "steeper") == (known.lead == "upper") else "less")


def check_pairs(shelf: Shelf) -> None:
    """Compare's sentence on where every two prunings change, both ways round."""
    for (one, of_one), (other, of_other) in combinations(shelf.prunings(), 2):
        beside = [*of_one, *of_other]
        there, back = depth_sentence(one, other, "mean", beside), depth_sentence(other, one, "mean", beside)
        known = [verdict(one, of_one), verdict(other, of_other)]
        is_known = all(found.method and not found.method.gap.coarse for found in known)
        if obstacle(one, other) or not is_known:
            assert there == back
            assert ("is not compared (" in there, told(there)) == (True, [])
            continue
        numbers = [[float(number.replace("−", "-")) for number in DEPTH.match(said).groups()] for said in (there, back)]
        first, second, low, high = numbers[0]
        assert [f"{first:.0f} %", f"{second:.0f} %"] == [percent(found.share or 0) for found in known]
        assert numbers[1] == [second, first, -high, -low]
        assert low - 1 <= first - second <= high + 1
        is_judged = any(is_control(a.pruning, b.pruning) for a, b in ((one, other), (other, one)))
        assert (told(back), len(told(there))) == (told(there), is_judged)


def check_layers(shelf: Shelf) -> None:
    """The table, the heading and sentences of Layers, and the Overview's line tell one survival and one order."""
    for entry in offered(shelf.entries):
        result, beside = shelf.results[entry.key], shelf.beside(entry)
        found, survivals = layers_of(result, "mean"), layer_survivals(result, "mean")
        column = [row["Intact (similarity ≥ 0.9) up to"] for row in survival_table(result, "mean")]
        assert column[: len(survivals)] == [layer.text for layer in survivals]
        for layer in survivals:
            said = checked(layers_said(result, layer.label, beside, "mean"))
            amount = f"the last amount measured, {layer.text[2:]}" if layer.censored else layer.text
            assert f"up to {amount}" in said.sentences[0]
        assert bool(found.first) != said.heading.startswith(("All layers change together", "No layer falls"))
        if found.first:
            named = re.findall(r"\d+a?", said.heading.partition(" change")[0])
            ranks = {layer.rank for layer in survivals if layer.label in named}
            assert (ranks, f"at {found.first[0].text} of " in said.heading) == ({found.first[0].rank}, True)
            if not result.pruning.controls:
                assert re.search("[Rr]andom removal|random control|Only layer", said.sentences[1]), "no claim alone"
        line = checked(overview_said(result, beside, "mean")).sentences[0]
        assert told(said.heading, *said.sentences, line) == []
        if working := result.working_range and result.working_range.to:
            lowest = lowest_until(result, "mean", working)
            fallen = [layer for layer in survivals if lowest[layer.label] < SURVIVAL_THRESHOLD or layer.value < working]
            assert [label for label, value in lowest.items() if value < SURVIVAL_THRESHOLD] == [
                layer.label for layer in fallen
            ]
            assert ("is still intact there" in line) == (not fallen)
            assert f"The model still works with {removed_name(working, result)}" in line


def check(shelf: Shelf) -> set[Direction]:
    """Walk a shelf through all sentences; return the directions seen."""
    check_pairs(shelf)
    check_layers(shelf)
    return {known.direction for known in verdicts_of(shelf).values()}


def test_made_results_do_not_contradict_each_other() -> None:
    assert check(made_shelf()) == set(STATES.values())


def test_shipped_results_do_not_contradict_each_other(shipped_results: dict[str, SweepResult]) -> None:
    found = shipped_shelves(shipped_results)
    for shelf in found:
        check(shelf)
        for method, control in ((a, b) for a in shelf.results.values() for b in shelf.results.values()):
            if is_control(control.pruning, method.pruning):
                assert largest_mismatch(method, control) <= SPARSITY_TOLERANCE, method.pruning
    for one, other in combinations([shelf.prunings()[0][0] for shelf in found], 2):
        alike = (one.task.fingerprint, one.points) == (other.task.fingerprint, other.points)  # seed twins
        assert (obstacle(one, other) is None) == alike
        assert ("is not compared" in depth_sentence(one, other, "mean")) == (not alike)
    for entry in shipped():
        if entry.against:
            said = overview_said(shipped_results[entry.key], [], "mean")
            assert told(said.heading, *said.sentences) == []
