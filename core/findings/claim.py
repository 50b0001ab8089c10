"""The published claim, "lower layers survive longer", held against one result, its random control and each layer alone.

A decline of CKA with depth proves little by itself: pruning is cumulative, so that some decline is expected of any
method. The verdict on a result therefore stands beside what random pruning shows on the same examples, and beside
what is left when one layer alone is pruned, where these are at hand. Here are the facts; `words/claim.jinja` words
them.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from core.findings.comparable import controls_at_hand, controls_of, isolated_of, refusal_of
from core.findings.overview import layer_survivals, own_cka
from core.findings.words import render
from core.request.catalog import METHODS
from core.results.names import ReductionKey, circumstances, in_sentence, method_name, pruned_layer, pruning_name
from core.results.schema import DepthGapRecord, SweepResult
from core.sweep.statistics import DEPTH_GAP_BOUND, Difference, depth_correlation, gap_difference, verdict

SEEDS = 3  # of a random control, at least
ISOLATED_AMOUNT = 0.5  # where each layer alone is looked at, or as near as there are results
ORDERED = 0.5  # |tau-b| from which depth is said to order the layers


def verdict_finding(result: SweepResult, reduction: ReductionKey, companions: Iterable[SweepResult] = ()) -> str:
    """Say whether the published claim holds here, whether chance does the same, and what each layer does alone.

    The result may be a whole sweep or the first frames of one. `companions` are results among which its controls and
    its isolated layers are picked.
    """
    gap, companions = depth_gap_of(result, reduction), list(companions)
    if gap is None or pruned_layer(result):
        return _no_verdict(result, reduction)
    sentences = (
        _claim(result, reduction, gap),
        render("claim", "against_chance", chance=_chance(result, reduction, gap, companions), enough_seeds=SEEDS),
        isolated_finding(result, reduction, companions),
    )
    return " ".join(filter(None, sentences))


def verdict_in_short(result: SweepResult, reduction: ReductionKey, companions: Iterable[SweepResult] = ()) -> str:
    """Say the same in one line, without the isolated layers: the end of a sentence whose subject is the claim."""
    gap = depth_gap_of(result, reduction)
    if gap is None or pruned_layer(result):
        return render("claim", "no_verdict", flattened_tokens=reduction == "tokens")
    chance = _chance(result, reduction, gap, list(companions))
    return render("claim", "in_short", gap=gap, verdict=verdict(gap), chance=chance)


def depth_gap_of(result: SweepResult, reduction: ReductionKey) -> DepthGapRecord | None:
    """Return the depth gap with its interval, where the result holds one."""
    known = (result.statistics or {}).get(reduction)
    return known.depth_gap if known else None


# ---------------------------------------------------------------- the claim


def _claim(result: SweepResult, reduction: ReductionKey, gap: DepthGapRecord) -> str:
    return render(
        "claim",
        "claim",
        pruning=in_sentence(pruning_name(result)),
        gap=gap,
        verdict=verdict(gap),
        bound=DEPTH_GAP_BOUND,
        largest=result.amounts[-1],
        tau=depth_correlation([layer.value for layer in layer_survivals(result, reduction)]),
        circumstances=circumstances(result, reduction),
    )


def _no_verdict(result: SweepResult, reduction: ReductionKey) -> str:
    """Say why the claim is not judged."""
    if layer := pruned_layer(result):
        return render("claim", "one_layer", layer=layer)
    if reduction == "tokens":
        return render("claim", "flattened_tokens")
    reason = "unfinished" if not result.key else "undefined" if reduction in (result.statistics or {}) else "unknown"
    return render("claim", "no_interval", reason=reason, circumstances=circumstances(result, reduction))


# ---------------------------------------------------------------- chance


@dataclass(frozen=True)
class Chance:
    """What random pruning shows beside a method.

    Attributes:
        is_control_itself: The result is of random pruning, and has no control.
        control: What the control is called.
        refusal: Why none of the controls at hand can be compared; empty if one can, or where there is none.
        gaps: The depth gaps of the controls, one per seed.
        differences: The method's depth gap minus each of them, paired by example.
    """

    is_control_itself: bool = False
    control: str = ""
    refusal: str = ""
    gaps: tuple[float, ...] = ()
    differences: tuple[Difference, ...] = ()

    @property
    def above(self) -> int:
        """Seeds against which the method's depth gap is larger."""
        return sum(difference.low > 0 for difference in self.differences)

    @property
    def below(self) -> int:
        """Seeds against which the method's depth gap is smaller."""
        return sum(difference.high < 0 for difference in self.differences)


def _chance(
    result: SweepResult, reduction: ReductionKey, gap: DepthGapRecord, companions: Sequence[SweepResult]
) -> Chance:
    method = METHODS.get(result.pruning.method)
    if method and method.control is None:
        return Chance(is_control_itself=True)
    at_hand = controls_at_hand(result, companions)
    if not at_hand:
        return Chance()
    name = in_sentence(method_name(at_hand[0]))
    if refusal := refusal_of(result, at_hand):
        return Chance(control=name, refusal=refusal)
    gaps = [known for control in controls_of(result, at_hand) if (known := depth_gap_of(control, reduction))]
    return Chance(
        control=name,
        gaps=tuple(known.value for known in gaps),
        differences=tuple(gap_difference(gap, known) for known in gaps),
    )


# ---------------------------------------------------------------- each layer alone


Direction = Literal["deeper keep more", "deeper keep less", "none"]


@dataclass(frozen=True)
class Isolated:
    """What each layer keeps when it is pruned alone, in depth order.

    Attributes:
        amount: Of the pruning.
        at_output: Whether CKA is that of the layers' outputs, or of their attention blocks.
        own_cka: CKA with the layer's own baseline; None if it is undefined.
        alone_tau: Kendall's tau-b of these with depth; None if all are equal or one is undefined.
        together_tau: The same of survival when all layers are pruned.
    """

    amount: float
    at_output: bool
    own_cka: tuple[float | None, ...]
    alone_tau: float | None
    together_tau: float | None

    @property
    def order(self) -> Direction | None:
        """How depth orders the layers pruned alone; None if a value is undefined."""
        return None if None in self.own_cka else _direction(self.alone_tau)

    @property
    def together_order(self) -> Direction:
        """How depth orders the layers pruned together."""
        return _direction(self.together_tau)


def isolated_finding(result: SweepResult, reduction: ReductionKey, companions: Iterable[SweepResult]) -> str:
    """Say whether layers that are pruned alone show the order of layers that are pruned together.

    Empty if no layer's result is among the companions, or they share no amount.
    """
    isolated = isolated_of(result, companions)
    layers = result.checkpoint.num_layers
    common = set.intersection(*(set(alone.amounts) - {0.0} for alone in isolated.values())) if isolated else set()
    if not common:
        return ""
    if len(isolated) < layers:
        return render("claim", "isolated_missing", known=len(isolated), layers=layers)
    amount = min(common, key=lambda amount: (abs(amount - ISOLATED_AMOUNT), amount))
    own = tuple(_own_cka_at(alone, reduction, layer, amount) for layer, alone in isolated.items())
    known = [value for value in own if value is not None]
    facts = Isolated(
        amount,
        any(point.endswith("output") for point in result.cka.points),
        own,
        depth_correlation(known) if len(known) == layers else None,
        depth_correlation([layer.value for layer in layer_survivals(result, reduction)]),
    )
    return render("claim", "isolated", isolated=facts)


def _own_cka_at(result: SweepResult, reduction: ReductionKey, layer: int, amount: float) -> float | None:
    """Return a layer's own CKA at its deepest point; None if it is undefined."""
    column = max(k for k, point in enumerate(result.cka.points) if point.startswith(f"layer.{layer - 1}."))
    value = float(own_cka(result, reduction)[result.amounts.index(amount), column])
    return None if value != value else value


def _direction(tau: float | None) -> Direction:
    if tau is None or abs(tau) < ORDERED:
        return "none"
    return "deeper keep more" if tau > 0 else "deeper keep less"
