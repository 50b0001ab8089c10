"""What is said about all methods of a task at one damage."""

import pytest

from core.findings.profiles import changed_at, costs_of, profiled
from core.results.schema import SweepResult
from core.sweep.equal_damage import DAMAGES
from tests.builders import make_result

AMOUNTS = tuple(k / 50 for k in range(48))


def falling(speed: float, **settings: object) -> SweepResult:
    """Damage is speed · amount, the share of changed predictions half the amount."""
    return make_result(
        **{"amounts": AMOUNTS, "num_layers": 4, "own_cka": lambda a, p, n: 1 - speed * a * 2 * p / (n - 1), **settings}
    )


MAGNITUDE, WANDA = falling(0.5), falling(0.25, method="wanda")
SEEDS = [falling(1.0, method="random", seed=seed) for seed in range(5)]


def test_what_a_frame_costs_is_its_similarity_and_what_has_changed() -> None:
    costs = costs_of(MAGNITUDE, "mean")
    assert [cost.own for cost in costs] == pytest.approx([1 - 0.5 * amount for amount in AMOUNTS])
    assert [cost.changed for cost in costs] == pytest.approx([amount / 2 for amount in AMOUNTS])
    old = tuple(frame.model_copy(update={"changed": None}) for frame in MAGNITUDE.frames)
    assert costs_of(MAGNITUDE.model_copy(update={"frames": old}), "mean") == []


def test_the_share_at_a_damage_is_interpolated_where_it_is_reached() -> None:
    assert changed_at([MAGNITUDE], "mean", 0.125) == pytest.approx(0.125)  # at amount 0.25
    coarse = falling(0.5, amounts=(0.0, 0.9))
    assert changed_at([coarse, MAGNITUDE], "mean", 0.125) == changed_at([MAGNITUDE], "mean", 0.125)
    assert changed_at([WANDA], "mean", 0.3) is None


def test_every_method_has_its_verdict_at_every_damage() -> None:
    methods = profiled([(MAGNITUDE, SEEDS), (falling(0.04, method="wanda"), ())], "mean")
    assert [tuple(method.verdicts) for method in methods] == [DAMAGES, DAMAGES]
    assert [len(method.verdicts[0.1].controls) for method in methods] == [5, 0]
