"""The one verdict on networks whose truth is known, what keeps it from being told, and several of them at once."""

import numpy as np
import pytest
from statsmodels.stats.multitest import multipletests

from core.findings.claim import corrected, spreads, verdict, with_rows
from core.findings.tables import beyond_cell
from core.request.catalog import ROOT
from core.results.schema import SweepResult
from core.sweep.control_contrast import Direction
from tests.builders import against, with_own_key
from tests.core.findings.made import COARSE, SEED_SHARES, SEEDS, around, network, of_seed, seeds, working_to


@pytest.mark.parametrize(
    ("share", "direction"), [(0.70, "as by chance"), (0.90, "steeper"), (0.45, "flatter"), (0.78, "cannot be told")]
)
def test_the_truth_is_found(share: float, direction: Direction) -> None:
    found = verdict(network(share), SEEDS)
    assert found.direction == direction
    assert (found.share, found.control_shares) == (pytest.approx(share), pytest.approx(SEED_SHARES))
    assert found.contrast
    assert found.contrast.difference == pytest.approx(4 * 0.05 * (share - 0.70))


def test_the_sweep_with_the_smallest_steps_is_read_and_the_range_judged_on_most_examples() -> None:
    full, fine = network(0.7, amounts=COARSE), network(0.9, until_damage=0.3)
    assert verdict(full, [*SEEDS, fine]).direction == verdict(fine, [*SEEDS, full]).direction == "steeper"
    long = seeds(*SEED_SHARES[:3], amounts=COARSE)
    assert verdict(network(), [*long, *SEEDS]) == verdict(network(), [*SEEDS, *long]) == verdict(network(), SEEDS)
    everything = working_to(fine, 0.04, examples=872)
    assert verdict(working_to(full, 0.3), [*SEEDS, everything]).reason == "beyond working range"
    equal = working_to(full, 0.04), working_to(fine, 0.06)
    for sweep, other in (equal, equal[::-1]):
        assert verdict(sweep, [*SEEDS, other]).direction == "steeper", "0.05 is below 0.06, of the sweep that is read"


UNITS = {"scope": None, "method": "attribution"}
TEN = seeds(*SEED_SHARES, *SEED_SHARES, method="random-neuron", scope=None)
REASONS = [
    (network(), [], "no control"),
    (network(), SEEDS[:4], "few seeds"),
    (network(), [*SEEDS[:3], *seeds(*SEED_SHARES, amounts=COARSE)[3:]], "few seeds"),
    (network(**UNITS), TEN, None),
    (network(**UNITS), TEN[:9], "few seeds"),
    (network(0.9), seeds(0.5, 0.9, 0.7, 0.6, 0.8), "wide interval"),
    (network(num_examples=60), seeds(*SEED_SHARES, num_examples=60), "few examples"),
    (network(amounts=(0.0, 0.01, 0.02)), SEEDS, "change not reached"),
    (network(holes=((0.03, 1, 1),)), SEEDS, "similarity undefined"),
    (network(num_layers=1), [], "single layer"),
    (network(amounts=COARSE), SEEDS, "coarse steps"),
    (working_to(network(), 0.04), SEEDS, "beyond working range"),
    (working_to(network(), None, reason="no lead"), SEEDS, "no lead"),
    (SEEDS[0], SEEDS[1:], "random control"),
    (network(scope="layer:2"), SEEDS, "some layers alone"),
    (network(points="layer"), seeds(*SEED_SHARES, points="layer"), "not attention blocks"),
    (network(statistics=False), SEEDS, "earlier version"),
    (network(statistics=False).model_copy(update={"key": ""}), SEEDS, "unfinished run"),
    (network(amounts=(0.0,)), SEEDS, "only unpruned"),
    (against(network(), 4, cell=lambda amount, row, column: 1 - abs(row - column)), SEEDS, "another checkpoint"),
]


@pytest.mark.parametrize(("result", "companions", "reason"), REASONS)
def test_a_reason_is_given_which_methods_explains(
    result: SweepResult, companions: list[SweepResult], reason: str | None
) -> None:
    found = verdict(result, companions)
    assert (found.reason, found.direction) == (reason, "cannot be told" if reason else "as by chance")
    assert verdict(result, companions, "tokens").reason in (reason, "all tokens")
    known = {reason for _, _, reason in REASONS if reason} | {"all tokens", "too small among so many"}
    words = " ".join((ROOT / "pages/methods.md").read_text("utf-8").split())
    assert not [reason for reason in known if f"*{reason}*" not in words]


def test_similarity_beyond_the_emptied_model() -> None:
    result = network()
    statistics = result.statistics or {}
    known = statistics["partial_cka"]["mean"]
    for low, high, said in (
        (-0.10, -0.02, "reversed: −0.060 (−0.100 to −0.020)"),
        (-0.02, 0.04, "none shown: 0.010 (−0.020 to 0.040)"),
        (0.01, 0.53, "undefined"),
    ):
        gap = known.gap_at_damage["0.05"].model_copy(update={"value": (low + high) / 2, "low": low, "high": high})
        changed = {"mean": known.model_copy(update={"gap_at_damage": {"0.05": gap}})}
        assert beyond_cell(verdict(with_own_key(result, statistics={**statistics, "partial_cka": changed}), [])) == said
    assert beyond_cell(verdict(with_own_key(result, statistics={"cka": statistics["cka"]}), [])) == "undefined"


# ---------------------------------------------------------------- several verdicts


def test_a_difference_must_survive_among_all_that_are_tested() -> None:
    """Of rows whose p-values are below and above 0.05 after Holm's correction; one that is not tested has none."""
    drawn = around(0.7, spread=3)
    known = [verdict(network(float(share)), drawn) for share in np.linspace(0.8, 1.0, 6)]
    adjusted = multipletests([found.contrast.p_value for found in known if found.contrast], method="holm")[1]
    *told, untested = corrected([*known, verdict(network(0.7), [])])
    assert {found.reason for found in told} == {None, "wide interval", "too small among so many"}
    for found, alone, p_value in zip(told, known, adjusted, strict=True):
        survives = p_value < 0.05 and alone.direction == "steeper"
        assert found.direction == ("steeper" if survives else "cannot be told")
        assert corrected([alone, untested]) == [alone, untested], "one alone needs no correction"


def test_every_method_has_a_row_and_weights_made_again_are_no_further_seed() -> None:
    methods = [network(task="cola"), network(method="wanda"), network(), network(scope="all-linear")]
    others = [*SEEDS, network(scope="layer:1"), network(points="layer"), network(until_damage=0.3)]
    assert with_rows([*methods, *others]) == methods
    first, other = of_seed(1, network(0.7)), of_seed(2, network(0.74))
    again = with_own_key(first, checkpoint=first.checkpoint.model_copy(update={"revision": "f" * 64}))
    judged = [(known.key, known.checkpoint.id, "", verdict(known, [])) for known in (first, again, other)]
    assert spreads(judged[:2]) == []
    ((name, twins),) = spreads(judged)
    assert (name, list(twins)) == ("MiniLM-L6, fine-tuned on SST-2, 2 seeds", [first.key, other.key])
