"""No page contradicts another: every sentence that concludes is held against the one verdict and against its mirror.

The pages' sentences are asked for with what the pages pass them. They are walked over all pairs of shipped results of
each checkpoint and set of examples, and over made results that show every state.
"""

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations

import numpy as np
import pytest

from core.errors import PrunescopeError
from core.findings.claim import (
    DAMAGE,
    SENSITIVITY,
    Verdict,
    headline,
    verdict,
    verdict_details,
    verdict_finding,
    verdict_in_short,
)
from core.findings.comparable import SPARSITY_TOLERANCE, comparable, largest_mismatch, own_sweeps
from core.findings.compare import accuracy_comparisons, chance_finding, comparison_findings, depth_finding
from core.findings.isolated import isolated_finding, isolated_orders, isolated_table
from core.findings.layers import first_to_change, layer_finding, order_finding, title_finding
from core.findings.overview import finding, holding_finding
from core.findings.profiles import profiled
from core.findings.survival import layer_survivals, own_similarity, survival_table
from core.findings.verdict_table import verdict_rows, verdict_table
from core.request.catalog import SURVIVAL_THRESHOLD
from core.results.choices import companions, is_control, isolated, methods_beside, offered
from core.results.library import Entry, entry_of, shipped
from core.results.names import percent
from core.results.provenance import Recipe
from core.results.schema import SweepResult
from core.sweep.control_contrast import Direction
from tests.builders import make_result
from tests.core.findings.test_claim import SEED_SHARES, SEEDS, network, seeds

NO_RECIPE = Recipe("", "")


@dataclass(frozen=True)
class Shelf:
    """Results of one model on the same examples, by their keys, and the entries that pages choose them by."""

    entries: Sequence[Entry]
    results: dict[str, SweepResult]

    def beside(self, entry: Entry) -> list[SweepResult]:
        """What a page passes as the companions of a result."""
        return [self.results[other.key] for other in companions(entry, self.entries)]

    def alone(self, entry: Entry) -> list[SweepResult]:
        return [self.results[other.key] for other in isolated(entry, self.entries)]

    def finer(self, result: SweepResult) -> list[SweepResult]:
        """Those of its companions that Compare reads in its place."""
        return self._finer[result.key]

    @cached_property
    def _finer(self) -> dict[str, list[SweepResult]]:
        return {entry.key: own_sweeps(self.results[entry.key], self.beside(entry))[1:] for entry in self.entries}

    @cached_property
    def prunings(self) -> list[SweepResult]:
        """One result of each pruning, points and measures."""
        firsts: dict[object, SweepResult] = {}
        for entry in self.entries:
            same = (entry.method, entry.scope, entry.seed, entry.controls, entry.points)
            firsts.setdefault(same, self.results[entry.key])
        return list(firsts.values())


def shelf_of(results: Sequence[SweepResult]) -> Shelf:
    return Shelf([entry_of(result, NO_RECIPE) for result in results], {result.key: result for result in results})


def made() -> Shelf:
    """Results whose verdicts are of all four states, one method in two steps, and every layer alone."""
    shares = {"magnitude": 0.7, "wanda": 0.9}
    methods = [network(share, method=method) for method, share in shares.items()]
    flat = network(0.45, scope="all-linear")
    coarse = network(0.7, amounts=(0.0, 0.1, 0.3, 0.6))
    controls = [*SEEDS, *seeds(*SEED_SHARES, controls="wanda"), *seeds(*SEED_SHARES, scope="all-linear")]
    units = network(0.6, method="attribution", scope=None)
    alone = [make_result(num_layers=4, scope=f"layer:{k}", points="layer", amounts=(0.0, 0.5)) for k in range(4)]
    return shelf_of([coarse, *methods, flat, units, *controls, *alone])


def shelves(results: dict[str, SweepResult]) -> list[Shelf]:
    """The shipped results by what they were measured on; against another checkpoint nothing is judged."""
    groups = defaultdict(list)
    for entry in shipped():
        if entry.against is None:
            groups[entry.checkpoint, entry.fingerprint].append(entry)
    return [Shelf(entries, {entry.key: results[entry.key] for entry in entries}) for entries in groups.values()]


# ---------------------------------------------------------------- the verdict

STATES: dict[str, Direction] = {
    "steeper than chance": "steeper",
    "flatter than chance": "flatter",
    "as by chance": "as by chance",
    "cannot be told": "cannot be told",
}
COMPARED = ("more so than", "less so than", "to about the same degree", "cannot be told")


def told(sentence: str) -> list[Direction]:
    """The directions that a sentence names, in its order."""
    return [STATES[state] for state in re.findall("|".join(STATES), sentence.lower())]


def first_words(found: Verdict) -> str:
    """The words of the first sentence that stand for a verdict: steeper is more so where the upper layers lead."""
    if found.direction not in ("steeper", "flatter"):
        return {"as by chance": "to about the same degree"}.get(found.direction, found.direction)
    assert found.method
    lead = 1 if found.method.gap.low > 0 else -1
    return "more so than" if (found.direction == "steeper") == (lead > 0) else "less so than"


def verdicts_of(shelf: Shelf) -> dict[str, Verdict]:
    """The verdict on every result, after all its sentences were held against it."""
    found = {}
    for entry in shelf.entries:
        result, beside = shelf.results[entry.key], shelf.beside(entry)
        found[entry.key] = known = verdict(result, beside)
        assert told(verdict_in_short(result, beside)) == [known.direction]
        main, *others = told(verdict_finding(result, beside))
        assert main == known.direction
        assert others in ([], [verdict(result, beside, *other).direction for other in SENSITIVITY])
        first = headline({"one": known, "other": known}, "Pruning")
        if known.reason == "control":
            assert told(first) == [w for w in COMPARED if w in first] == []
        else:
            assert told(first) == [known.direction] * 2 or [w for w in COMPARED if w in first] == [first_words(known)]
        check_headline(known)
        assert told(verdict_details(result, beside)) == []
        if known.method and known.reason != "control" and result.working_range and not entry.until_damage:
            working = result.working_range.to  # what the Overview shades
            assert known.method.works == (working is None or known.method.gap.amount <= working)
    return found


ALONE = (
    "more so than",
    "less so than",
    "does the same",
    "cannot be told here",
    "upper half changes",
    "to about the same degree",
)


def check_headline(known: Verdict) -> None:
    """The Overview's heading on one result claims of chance what the verdict does, and of the halves what is shown."""
    heading = headline({"": known}, "Pruning")
    claims = [words for words in ALONE if words in heading]
    if known.method is None:
        assert claims == ["cannot be told here"]
        return
    gap = known.method.gap
    assert ("upper layers most" in heading) == (gap.low > 0)
    assert ("lower layers most" in heading) == (gap.high < 0)
    if known.reason == "control":
        assert claims == []
    elif known.direction == "cannot be told":
        leads_as_well = (
            known.controls
            and (gap.low > 0 or gap.high < 0)
            and known.control_lead == ("upper" if gap.low > 0 else "lower")
        )
        assert claims == ([] if leads_as_well else ["does the same"]) + ["cannot be told here"]
        assert ("; so does random removal, but" in heading) == bool(leads_as_well)
    elif known.direction == "as by chance":
        assert claims in (["to about the same degree"], [])
        assert "and so does random removal" in heading or "random removal does about the same" in heading
    else:
        assert claims in ([first_words(known)], ["upper half changes"])


def check_table(shelf: Shelf, verdicts: dict[str, Verdict]) -> None:
    """The table of verdicts has the pages' verdict of every method, before Holm's correction."""
    table = verdict_table(shelf.results.values(), shelf.results.values())
    for row, cells in zip(table, verdict_rows(table), strict=True):
        known = verdicts[row.result.key]
        assert row.verdict == known
        assert known.direction in told(cells[f"Verdict at {DAMAGE:.2f}"])
        assert known.share is None or cells[f"In the upper half at {DAMAGE:.2f}"] == percent(known.share)


def check_profiles(shelf: Shelf, verdicts: dict[str, Verdict]) -> None:
    """What all methods are shown with is what each is shown with alone."""
    methods = methods_beside(shelf.entries[0], shelf.entries)
    for method in profiled([(shelf.results[entry.key], shelf.beside(entry)) for entry in methods], "mean"):
        assert method.verdicts[DAMAGE] == verdicts[method.result.key]


# ---------------------------------------------------------------- two results

DEPTH = re.compile(
    rf"Of an overall change of {DAMAGE:.2f}, (\S+) % lies in the upper half of the layers under .+ and (\S+) % under "
    r".+ \(95 % interval (\S+) to (\S+) percentage points"
)
UNKNOWN = "is not compared at an overall change of 0.05: under"


def numbers(sentence: str) -> list[float]:
    match = DEPTH.match(sentence)
    assert match, sentence
    return [float(number.replace("−", "-")) for number in match.groups()]


def check_pairs(shelf: Shelf) -> None:
    """Compare's sentences on every two prunings, both ways round."""
    shares = {result.key: share_of(result, shelf.finer(result)) for result in shelf.prunings}
    for one, other in combinations(shelf.prunings, 2):
        beside = [*shelf.finer(one), *shelf.finer(other)]
        there, back = depth_finding(one, other, "mean", beside), depth_finding(other, one, "mean", beside)
        assert told(there) == told(back) == [], "what holds against chance is the verdict's to say"
        both = [shares[result.key] for result in (one, other)]
        if not comparable(one, other):
            assert there == back
            assert "is not compared" in there
            assert chance_finding(one, other, beside) == chance_finding(other, one, beside) == ""
        elif None in both:
            assert there == back
            assert UNKNOWN in there
        else:
            first, second, low, high = numbers(there)
            assert [f"{first:.0f} %", f"{second:.0f} %"] == both
            assert numbers(back) == [second, first, -high, -low]
            assert low <= first - second + 1
            assert first - second - 1 <= high


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
            sentence = chance_finding(result, control, [*beside, *shelf.finer(control)])
            assert sentence == (verdict_in_short(result, beside) if comparable(result, control) else "")
            assert sentence == chance_finding(control, result, [*shelf.finer(control), *beside])
            for same in shelf.finer(result):
                assert verdict(same, [result, *beside]).share == verdicts[result.key].share


def test_who_is_right_more_often_does_not_depend_on_who_is_asked_first() -> None:
    one, other = (network(accuracy=lambda amount, fall=fall: 0.9 - fall * amount) for fall in (0.3, 1.3))
    there, back = accuracy_comparisons(one, other), accuracy_comparisons(other, one)
    assert any(comparison.is_significant for comparison in there)
    assert [(c.only_first, c.only_second, c.adjusted) for c in there] == [
        (c.only_second, c.only_first, c.adjusted) for c in back
    ]
    assert comparison_findings(one, other, "mean")[-1].count("correct more often") == 1


# ---------------------------------------------------------------- single layers


TAU = re.compile(r"Kendall's tau-b between that amount and depth is (\S+\d)\.")


def check_layers(shelf: Shelf) -> None:
    """The Overview's sentence and table, and the heading and sentences of Layers, tell one survival and one order."""
    for entry in offered(shelf.entries):
        result = shelf.results[entry.key]
        overview, order = finding(result, "mean"), order_finding(result, "mean")
        layers, table = layer_survivals(result, "mean"), survival_table(result, "mean")
        assert [row["Intact (similarity ≥ 0.9) up to"] for row in table] == [layer.text for layer in layers]
        for layer in layers:
            amount = f"the last amount measured, {layer.text[2:]}" if layer.censored else layer.text
            assert f"up to {amount}" in layer_finding(result, "mean", layer.label)
        assert f"up to {amount}" in overview, "it names the last layer"
        tau = TAU.search(order)
        assert ("every layer stays" in overview) == ("Every layer stays" in order) == (tau is None)
        heading, found = title_finding(result, "mean"), first_to_change(result, "mean")
        assert (found is None) == (heading.startswith(("All layers change together", "No layer falls")))
        if found:
            first = [layer for layer in layers if layer.label in re.findall(r"\d+a?", heading.partition(" change")[0])]
            assert {layer.rank for layer in first} == {min(layer.rank for layer in layers)}
            assert f"at {first[0].text} of " in heading
        if tau:
            assert ("each layer falls earlier than" in overview) == (tau[1] == "−1.00")
            assert ("each layer falls later than" in overview) == (tau[1] == "1.00")
        assert told(overview) == told(order) == []


def check_isolated(shelf: Shelf) -> None:
    """Layers' sentence on layers pruned alone names the half that its table shows to change more."""
    for entry in shelf.entries:
        alone = shelf.alone(entry)
        orders = isolated_orders(shelf.results[entry.key], "mean", alone)
        if not orders:
            continue
        assert told(isolated_finding(shelf.results[entry.key], "mean", alone)) == []
        columns = [list(row.values())[1:] for row in isolated_table(orders)]
        values = np.array([[float(cell.split()[0].replace("−", "-")) for cell in row] for row in columns])
        half = len(values) // 2
        differences = values[:half].mean(0) - values[-half:].mean(0)  # (amounts,)
        for order, difference in zip(orders, differences, strict=True):
            if order.state != "none shown":
                assert (difference > 0) == (order.state != "same")


HELD = re.compile(
    r"though (?:layers? (.+)|(all layers)) ha(?:s|ve) fallen below 0\.9 by then \(similarity .*?(\d\.\d+)\)"
)


def check_holding(shelf: Shelf) -> None:
    """The line below the Overview's heading calls no layer intact that the stack beside it says has fallen before."""
    for entry in offered(shelf.entries):
        result = shelf.results[entry.key]
        working = result.working_range and result.working_range.to
        line, layers = holding_finding(result, "mean"), layer_survivals(result, "mean")
        assert told(line) == []
        if not working:
            continue
        until = result.amounts.index(working) + 1
        own = dict(zip(layers, own_similarity(result, "mean")[:until].min(0).tolist(), strict=True))
        fallen = [layer for layer in layers if own[layer] < SURVIVAL_THRESHOLD or layer.value < working]
        match = HELD.search(line)
        assert ("is still intact there" in line) == (match is None) == (not fallen)
        assert f"The model still works with {percent(working)}" in line
        if match:
            assert match[2] or match[1].split()[0].rstrip(",") == fallen[0].label
            assert match[2] or match[1].split()[-1] == fallen[-1].label
            assert float(match[3]) == pytest.approx(min(own[layer] for layer in fallen), abs=0.0051)
            assert all(own[layer] < SURVIVAL_THRESHOLD for layer in fallen)


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
        assert bool(comparable(one, other)) == alike
        assert ("is not compared" in depth_finding(one, other, "mean")) == (not alike)
        if one.task.fingerprint != other.task.fingerprint:
            with pytest.raises(PrunescopeError):
                comparison_findings(one, other, "mean")


def test_shipped_results_against_another_checkpoint_are_not_judged(shipped_results: dict[str, SweepResult]) -> None:
    for entry in shipped():
        if entry.against:
            assert verdict_in_short(shipped_results[entry.key]) == verdict_finding(shipped_results[entry.key]) == ""


def test_shipped_controls_remove_what_their_method_removes(shipped_results: dict[str, SweepResult]) -> None:
    """It stands here because reading all results takes long, and neighbours share what was read."""
    for shelf in shelves(shipped_results):
        for method in shelf.results.values():
            for control in shelf.results.values():
                if is_control(control.pruning, method.pruning):
                    assert largest_mismatch(method, control).size <= SPARSITY_TOLERANCE, method.pruning
