"""No page contradicts another: every sentence that concludes is held against the one verdict and against its mirror.

The pages' sentences are asked for with what the pages pass them. They are walked over all pairs of shipped results of
each checkpoint and set of examples, and over made results that show every state.
"""

import re
from collections.abc import Sequence
from itertools import combinations
from typing import get_args

import numpy as np
import pytest

from benchmarks.verdicts import verdict_rows, verdict_table
from core.errors import PrunescopeError
from core.findings.claim import SENSITIVITY, Verdict, verdict
from core.findings.comparable import SPARSITY_TOLERANCE, largest_mismatch, obstacle
from core.findings.compare import accuracy_comparisons
from core.findings.isolated import isolated_orders
from core.findings.layers import layers_of
from core.findings.overview import holding
from core.findings.profiles import profiled
from core.findings.survival import layer_survivals, own_similarity
from core.findings.tables import criteria_table, isolated_table, survival_table
from core.findings.words import Said, state
from core.findings.words.compare import accuracy_sentence, compare_said, depth_sentence
from core.findings.words.layers import layers_said
from core.findings.words.overview import heading_of, overview_said, verdict_sentence
from core.request.catalog import DAMAGE, SURVIVAL_THRESHOLD
from core.results.choices import is_control, methods_beside, offered
from core.results.library import shipped
from core.results.names import percent, removed_name
from core.results.schema import SweepResult
from core.sweep.control_contrast import DIFFERENT, Direction
from tests.core.findings.shelves import Shelf, made, shelves
from tests.core.findings.test_claim import network

# ---------------------------------------------------------------- the verdict

STATES: dict[str, Direction] = {state(direction): direction for direction in get_args(Direction)}
CLAIMS = {  # of the first sentence on chance, and the verdicts that bear it
    "more so than random removal": DIFFERENT,
    "less so than random removal": DIFFERENT,
    "the upper half changes more than under random removal": ("steeper",),
    "the upper half changes less than under random removal": ("flatter",),
    "random removal does about the same": ("as by chance",),
    "; so does random removal, but whether to the same degree cannot be told here": ("cannot be told",),
    "; whether random removal does the same cannot be told here": ("cannot be told",),
    "changes a model most cannot be told here": ("cannot be told",),
}


def told(sentence: str) -> list[Direction]:
    """The directions that a sentence names, in its order."""
    return [STATES[words] for words in re.findall("|".join(STATES), sentence.lower())]


def verdicts_of(shelf: Shelf) -> dict[str, Verdict]:
    """The verdict on every result, after all that says it was held against it."""
    found = {}
    for entry in shelf.entries:
        result, beside = shelf.results[entry.key], shelf.beside(entry)
        found[entry.key] = known = verdict(result, beside)
        assert told(verdict_sentence(result, beside)) == [known.direction]
        cells = [row["Verdict"] for row in criteria_table(result, beside)]
        others = [verdict(result, beside, *other).direction for other in SENSITIVITY]
        assert [told(cell)[0] for cell in cells] == [known.direction, *others]
        check_headings(known)
        if known.method and known.reason != "random control" and result.working_range and not entry.until_damage:
            working = result.working_range.to  # what the Overview shades
            assert known.method.works == (working is None or known.method.gap.amount <= working)
    return found


def check_headings(known: Verdict) -> None:
    """The heading on one result, or two alike, claims of chance what the verdict does, of the halves what is shown."""
    for verdicts in ({"": known}, {"one": known, "other": known}):
        heading = heading_of(verdicts, "Pruning")
        claims = [words for words in CLAIMS if words in heading]
        if known.method:
            gap = known.method.gap
            assert ("upper layers most" in heading) == (gap.low > 0)
            assert ("lower layers most" in heading) == (gap.high < 0)
        if known.method and known.reason == "random control":
            assert claims == []
            assert "random draw" in heading
            continue
        if "Compared with random removal" in heading:
            assert told(heading) == [known.direction] * 2
            continue
        assert len(claims) == 1, "no claim without a control, or without saying that there is none"
        assert known.direction in CLAIMS[claims[0]]
        if claims[0].startswith("; so does"):
            assert known.lead
            assert known.control_lead == known.lead
        if known.lead and known.direction in DIFFERENT:
            assert claims[0].startswith("more" if (known.direction == "steeper") == (known.lead == "upper") else "less")


def check_table(shelf: Shelf, verdicts: dict[str, Verdict]) -> None:
    """The table of verdicts has the pages' verdict of every method, before Holm's correction."""
    table = verdict_table(shelf.results.values(), shelf.results.values())
    for row, cells in zip(table, verdict_rows(table), strict=True):
        known = verdicts[row.result.key]
        assert row.told.verdict == known
        assert known.direction in told(cells[f"Verdict at {DAMAGE:.2f}"])
        assert known.share is None or cells[f"In the upper half at {DAMAGE:.2f}"] == percent(known.share)


def check_profiles(shelf: Shelf, verdicts: dict[str, Verdict]) -> None:
    """What all methods are shown with is what each is shown with alone."""
    methods = methods_beside(shelf.entries[0], shelf.entries)
    for method in profiled([(shelf.results[entry.key], shelf.beside(entry)) for entry in methods], "mean"):
        assert method.verdicts[DAMAGE] == verdicts[method.result.key]


def check_length(said: Said) -> Said:
    """A page says at most two sentences."""
    assert len(said.sentences) <= 2
    assert all(sentence.endswith(".") for sentence in said.sentences)
    return said


# ---------------------------------------------------------------- two results

DEPTH = re.compile(
    rf"Of an overall change of {DAMAGE:.2f}, (\S+) % lies in the upper half of the layers under .+ and (\S+) % under "
    r".+ \(difference (\S+) to (\S+) points, 95 % interval over examples\)"
)


def numbers(sentence: str) -> list[float]:
    match = DEPTH.match(sentence)
    assert match, sentence
    return [float(number.replace("−", "-")) for number in match.groups()]


def check_pairs(shelf: Shelf) -> None:
    """Compare's sentence on where every two prunings change, both ways round."""
    shares = {result.key: share_of(result, shelf.finer(result)) for result in shelf.prunings}
    for one, other in combinations(shelf.prunings, 2):
        beside = [*shelf.finer(one), *shelf.finer(other)]
        there, back = depth_sentence(one, other, "mean", beside), depth_sentence(other, one, "mean", beside)
        both = [shares[result.key] for result in (one, other)]
        if obstacle(one, other) or None in both:
            assert there == back
            assert "is not compared (" in there
            assert told(there) == []
        else:
            first, second, low, high = numbers(there)
            assert [f"{first:.0f} %", f"{second:.0f} %"] == both
            assert numbers(back) == [second, first, -high, -low]
            assert low <= first - second + 1
            assert first - second - 1 <= high
            assert told(there) == told(back)
            assert len(told(there)) == any(is_control(a.pruning, b.pruning) for a, b in ((one, other), (other, one)))


def share_of(result: SweepResult, finer: Sequence[SweepResult]) -> str | None:
    """The share that the verdict on a pruning tells, where the steps are small enough."""
    found = verdict(result, finer)
    return None if found.share is None or not found.method or found.method.gap.coarse else percent(found.share)


def check_controls(shelf: Shelf, verdicts: dict[str, Verdict]) -> None:
    """Beside its control a method has the Overview's verdict, whichever of its own sweeps is chosen."""
    for entry in shelf.entries:
        result, beside = shelf.results[entry.key], shelf.beside(entry)
        controls = [control for control in beside if is_control(control.pruning, result.pruning)]
        for control in controls[:1]:  # the others differ in their seed and their steps
            said = check_length(compare_said(result, control, "mean", [*beside, *shelf.finer(control)]))
            assert told(said.sentences[0]) in ([], [verdicts[result.key].direction])
            for same in shelf.finer(result):
                assert verdict(same, [result, *beside]).share == verdicts[result.key].share


def test_who_is_right_more_often_does_not_depend_on_who_is_asked_first() -> None:
    one, other = (network(accuracy=lambda amount, fall=fall: 0.9 - fall * amount) for fall in (0.3, 1.3))
    there, back = accuracy_comparisons(one, other), accuracy_comparisons(other, one)
    mirrored = [(known.test.only_second, known.test.only_first, known.test.adjusted) for known in back]
    assert [(known.test.only_first, known.test.only_second, known.test.adjusted) for known in there] == mirrored
    better = sum(comparison.is_significant for comparison in there)
    assert better
    assert f"correct more often at {better} of {len(there)} amounts" in accuracy_sentence(one, other)
    assert f"at {better} (paired tests" in accuracy_sentence(other, one)


# ---------------------------------------------------------------- single layers


def check_layers(shelf: Shelf) -> None:
    """The table, and the heading and sentences of Layers, tell one survival and one order."""
    for entry in offered(shelf.entries):
        result, beside = shelf.results[entry.key], shelf.beside(entry)
        found, survivals = layers_of(result, "mean"), layer_survivals(result, "mean")
        *table, last = survival_table(result, "mean")
        rows = [*table, last] if found.depth_correlation is None else table
        assert [row["Intact (similarity ≥ 0.9) up to"] for row in rows] == [layer.text for layer in survivals]
        for layer in survivals:
            said = check_length(layers_said(result, layer.label, beside, "mean"))
            amount = f"the last amount measured, {layer.text[2:]}" if layer.censored else layer.text
            assert f"up to {amount}" in said.sentences[0]
        assert bool(found.first) != said.heading.startswith(("All layers change together", "No layer falls"))
        if found.first:
            named = re.findall(r"\d+a?", said.heading.partition(" change")[0])
            first = [layer for layer in survivals if layer.label in named]
            assert {layer.rank for layer in first} == {min(layer.rank for layer in survivals)}
            assert f"at {first[0].text} of " in said.heading
            if not result.pruning.controls:
                assert re.search("[Rr]andom removal|random control|Only layer", said.sentences[1]), "no claim alone"
        assert told(" ".join((said.heading, *said.sentences))) == []


def check_isolated(shelf: Shelf) -> None:
    """The order of layers pruned alone names the half that the table shows to change more."""
    for entry in shelf.entries:
        result = shelf.results[entry.key]
        orders = isolated_orders(result, "mean", shelf.alone(entry))
        rows = isolated_table(result, orders)[: result.checkpoint.num_layers] if orders else []
        columns = [list(row.values())[1:] for row in rows]
        values = np.array([[float(cell.split()[0].replace("−", "-")) for cell in row] for row in columns])
        half = len(values) // 2
        for k, order in enumerate(orders):
            difference = values[:half, k].mean() - values[-half:, k].mean()
            assert order.state == "no order shown" or (difference > 0) == (order.state != "upper layers more")


def check_holding(shelf: Shelf) -> None:
    """The line below the Overview's heading calls no layer intact that the stack beside it says has fallen before."""
    for entry in offered(shelf.entries):
        result = shelf.results[entry.key]
        working = result.working_range and result.working_range.to
        said = check_length(overview_said(result, shelf.beside(entry), "mean"))
        line, layers = said.sentences[0], layer_survivals(result, "mean")
        assert told(line) == []
        if not working:
            continue
        until = result.amounts.index(working) + 1
        own = dict(zip(layers, own_similarity(result, "mean")[:until].min(0).tolist(), strict=True))
        fallen = [layer.label for layer in layers if own[layer] < SURVIVAL_THRESHOLD or layer.value < working]
        assert holding(result, "mean").changed == fallen
        assert ("is still intact there" in line) == (not fallen)
        assert f"The model still works with {removed_name(working, result)}" in line


# ---------------------------------------------------------------- all of it


def check(shelf: Shelf) -> set[Direction]:
    """Walk a shelf through all sentences; return the directions seen."""
    verdicts = verdicts_of(shelf)
    check_table(shelf, verdicts)
    check_profiles(shelf, verdicts)
    check_pairs(shelf)
    check_controls(shelf, verdicts)
    check_layers(shelf)
    check_isolated(shelf)
    check_holding(shelf)
    return {known.direction for known in verdicts.values()}


def test_made_results_do_not_contradict_each_other() -> None:
    assert check(made()) == set(STATES.values())


def test_shipped_results_do_not_contradict_each_other(shipped_results: dict[str, SweepResult]) -> None:
    found = shelves(shipped_results)
    assert found
    for shelf in found:
        check(shelf)
    for one, other in combinations([shelf.prunings[0] for shelf in found], 2):
        alike = (one.task.fingerprint, one.points) == (other.task.fingerprint, other.points)  # seed twins
        assert (obstacle(one, other) is None) == alike
        assert ("is not compared" in depth_sentence(one, other, "mean")) == (not alike)
        if one.task.fingerprint != other.task.fingerprint:
            assert compare_said(one, other, "mean").sentences == ()
            with pytest.raises(PrunescopeError):
                accuracy_comparisons(one, other)


def test_shipped_results_against_another_checkpoint_are_not_judged(shipped_results: dict[str, SweepResult]) -> None:
    for entry in shipped():
        if entry.against:
            said = overview_said(shipped_results[entry.key], [], "mean")
            assert told(" ".join((said.heading, *said.sentences))) == []


def test_shipped_controls_remove_what_their_method_removes(shipped_results: dict[str, SweepResult]) -> None:
    """It stands here because reading all results takes long, and neighbours share what was read."""
    for shelf in shelves(shipped_results):
        for method in shelf.results.values():
            for control in shelf.results.values():
                if is_control(control.pruning, method.pruning):
                    assert largest_mismatch(method, control) <= SPARSITY_TOLERANCE, method.pruning
