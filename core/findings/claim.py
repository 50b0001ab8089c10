"""Test the published claim, "lower layers survive longer", on one result, its random control and each layer alone.

A decline of CKA with depth proves little by itself: pruning is cumulative, so some decline is expected of any method.
The verdict on a result therefore stands beside random pruning on the same examples, and beside each layer pruned
alone, if there are such results. This file collects the facts; `words/claim.jinja` words them.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from core.findings.comparable import available_controls, controls_of, isolated_of, refusal_of
from core.findings.overview import layer_survivals, own_similarity
from core.findings.words import render
from core.request.catalog import METHODS
from core.results.names import ReductionKey, circumstances, in_sentence, method_name, pruned_layer, pruning_name
from core.results.schema import DepthGapRecord, SweepResult
from core.sweep.statistics import DEPTH_GAP_BOUND, Difference, depth_correlation, gap_difference, verdict

MIN_SEEDS = 3  # of a random control
ISOLATED_AMOUNT = 0.5  # preferred amount at which to look at each layer alone
MIN_ORDERING_TAU = 0.5  # |tau-b| from which depth is said to order the layers


def verdict_finding(result: SweepResult, reduction: ReductionKey, companions: Iterable[SweepResult] = ()) -> str:
    """Say whether the published claim holds here, whether chance does the same, and what each layer does alone.

    The result may be a whole sweep or the first frames of one. Its controls and isolated layers are picked from the
    `companions`.
    """
    gap, companions = depth_gap_of(result, reduction), list(companions)
    if gap is None or pruned_layer(result):
        return _no_verdict(result, reduction)
    sentences = (
        _claim(result, reduction, gap),
        render("claim", "against_chance", chance=_chance(result, reduction, gap, companions), enough_seeds=MIN_SEEDS),
        isolated_finding(result, reduction, companions),
    )
    return " ".join(filter(None, sentences))


def verdict_in_short(result: SweepResult, reduction: ReductionKey, companions: Iterable[SweepResult] = ()) -> str:
    """Say the same in one line, without the isolated layers, as the end of a sentence whose subject is the claim."""
    gap = depth_gap_of(result, reduction)
    if gap is None or pruned_layer(result):
        return render("claim", "no_verdict", flattened_tokens=reduction == "tokens")
    chance = _chance(result, reduction, gap, list(companions))
    return render("claim", "in_short", gap=gap, verdict=verdict(gap), chance=chance)


def depth_gap_of(result: SweepResult, reduction: ReductionKey) -> DepthGapRecord | None:
    """Return the depth gap with its interval; None if the result has none."""
    known = result.statistics_of(reduction)
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
    reason = "unfinished" if not result.key else "undefined" if result.statistics_of(reduction) else "unknown"
    return render("claim", "no_interval", reason=reason, circumstances=circumstances(result, reduction))


# ---------------------------------------------------------------- chance


@dataclass(frozen=True)
class Chance:
    """Random pruning beside a method.

    Attributes:
        is_control_itself: Whether the result is itself random pruning, and has no control.
        control: The control's name.
        refusal: Why no available control can be compared; empty if one can, or if there is none.
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
        """The number of seeds against which the method's depth gap is larger."""
        return sum(difference.low > 0 for difference in self.differences)

    @property
    def below(self) -> int:
        """The number of seeds against which the method's depth gap is smaller."""
        return sum(difference.high < 0 for difference in self.differences)


def _chance(
    result: SweepResult, reduction: ReductionKey, gap: DepthGapRecord, companions: Sequence[SweepResult]
) -> Chance:
    method = METHODS.get(result.pruning.method)
    if method and method.control is None:
        return Chance(is_control_itself=True)
    available = available_controls(result, companions)
    if not available:
        return Chance()
    name = in_sentence(method_name(available[0]))
    if refusal := refusal_of(result, available):
        return Chance(control=name, refusal=refusal)
    gaps = [known for control in controls_of(result, available) if (known := depth_gap_of(control, reduction))]
    return Chance(
        control=name,
        gaps=tuple(known.value for known in gaps),
        differences=tuple(gap_difference(gap, known) for known in gaps),
    )


# ---------------------------------------------------------------- each layer alone


Direction = Literal["deeper keep more", "deeper keep less", "none"]


@dataclass(frozen=True)
class Isolated:
    """What each layer keeps when it alone is pruned, in depth order.

    Attributes:
        amount: The pruning amount.
        at_output: Whether CKA is taken at the layers' outputs, not at their attention blocks.
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
    """Say whether layers pruned alone show the same order as layers pruned together.

    Empty if the companions hold no layer's result, or if these share no amount.
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
        any(point.endswith("output") for point in result.points),
        own,
        depth_correlation(known) if len(known) == layers else None,
        depth_correlation([layer.value for layer in layer_survivals(result, reduction)]),
    )
    return render("claim", "isolated", isolated=facts)


def _own_cka_at(result: SweepResult, reduction: ReductionKey, layer: int, amount: float) -> float | None:
    """Return a layer's own CKA at its deepest point; None if it is undefined."""
    column = max(k for k, point in enumerate(result.points) if point.startswith(f"layer.{layer - 1}."))
    value = float(own_similarity(result, reduction)[result.amounts.index(amount), column])
    return None if value != value else value


def _direction(tau: float | None) -> Direction:
    if tau is None or abs(tau) < MIN_ORDERING_TAU:
        return "none"
    return "deeper keep more" if tau > 0 else "deeper keep less"
