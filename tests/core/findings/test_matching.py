"""Two results where both have changed equally much: stored frames, and what lies between them."""

import numpy as np
import pytest

from core.findings.compare import shown_together
from core.findings.matching import MOST_FRAMES, between, frames_at, grid_to, largest_on, values_on
from core.findings.words.compare import compare_notes
from core.results.schema import SweepResult
from core.sweep.equal_damage import at_place, place_of
from tests.builders import make_result

AMOUNTS = tuple(k / 20 for k in range(20))


def falling(speed: float, **settings: object) -> SweepResult:
    return make_result(
        **{"amounts": AMOUNTS, "own_cka": lambda a, p, n: 1 - speed * a * (0.5 + p / (n - 1)), **settings}
    )


def test_a_frame_between_two_lies_on_the_line_between_them() -> None:
    low, high = falling(0.5).frames[4:6]
    for share in (0.0, 0.25, 1.0):
        frame = between(low, high, share)

        def mixed(a: float, b: float, share: float = share) -> float:
            return pytest.approx((1 - share) * a + share * b)

        assert frame.amount == mixed(low.amount, high.amount)
        assert frame.metrics["accuracy"] == mixed(low.metrics["accuracy"] or 0, high.metrics["accuracy"] or 0)
        for reduction in ("mean", "tokens"):
            expected = (1 - share) * np.array(low.matrix(reduction)) + share * np.array(high.matrix(reduction))
            np.testing.assert_allclose(np.array(frame.matrix(reduction)), expected, atol=1e-12)
        partial = [known.own("mean", "partial_cka") or () for known in (low, high)]
        assert frame.own("mean", "partial_cka") == mixed(*map(np.array, partial))  # type: ignore[arg-type]
        assert low.changed
        assert high.changed
        assert frame.changed
        assert frame.changed.share == mixed(low.changed.share, high.changed.share)
        assert frame.predictions == ()


def test_what_one_of_two_frames_lacks_is_missing_between_them() -> None:
    whole = make_result(num_layers=3, amounts=AMOUNTS, holes=((0.25, 0, 2),))
    low, high = whole.frames[4:6]
    assert between(low, high, 0.5).matrix("mean")[0][2] is None
    bare = high.model_copy(update={"changed": None, "divergence": None})
    frame = between(low, bare, 0.5)
    assert (frame.changed, frame.divergence) == (None, None)


@pytest.mark.parametrize("target", [0.05, 0.1, 0.2, 0.3])
def test_the_frame_at_a_damage_is_where_the_statistics_find_it(target: float) -> None:
    result = make_result(amounts=AMOUNTS)
    own = np.array([frame.own("mean") for frame in result.frames], dtype=np.float64)
    without = own[:, :, None]  # (frames, points, 1)
    found = at_place(result.amounts, own, without, place_of(own, without, target))
    frame = frames_at("damage", result, "mean", (0.0, target))[1]
    assert frame.amount == pytest.approx(found.amount)  # type: ignore[union-attr]
    assert frame.own("mean") == pytest.approx(found.profile)  # type: ignore[union-attr]
    assert 1 - np.mean(frame.own("mean") or ()) == pytest.approx(target)


@pytest.mark.parametrize("axis", ["damage", "divergence"])
def test_both_results_have_the_value_of_the_grid(axis: str) -> None:
    first, second = falling(0.5), falling(0.8, method="random")
    together = shown_together(first, second, axis)  # type: ignore[arg-type]
    assert together.places[0] == 0
    assert len(together.places) > 2
    for at, pair in zip(together.places, together.pairs, strict=True):
        for frame in pair:
            own = frame.own("mean")
            assert own
            assert frame.divergence
            value = 1 - np.mean(own) if axis == "damage" else frame.divergence.value
            assert value == pytest.approx(at, abs=1e-9)


@pytest.mark.parametrize("largest", [0.0, 0.004, 0.05, 0.3, 0.55, 1.0])
def test_the_grid_is_even_holds_what_is_judged_and_is_not_long(largest: float) -> None:
    grid = grid_to(largest)
    assert grid[0] == 0
    assert grid[-1] <= largest + 1e-9
    assert len(grid) <= MOST_FRAMES + 1
    assert len(set(np.diff(grid).round(9))) <= 1
    assert all(damage in grid for damage in (0.05, 0.1, 0.2, 0.3) if damage <= largest)


def test_where_one_result_ends_is_told() -> None:
    far, near = falling(0.9), falling(0.2, method="wanda")
    together = shown_together(far, near, "damage")
    assert together.places[-1] <= largest_on("damage", near, "mean")
    assert len(compare_notes(far, near, "damage")) == 1
    assert compare_notes(far, far, "damage") == []


def test_an_undefined_layer_ends_the_scale_and_an_unknown_divergence_leaves_the_baseline() -> None:
    result = make_result(amounts=AMOUNTS, holes=((0.5, 3, 3),))
    assert np.isnan(values_on("damage", result, "mean")).sum() == 1
    assert largest_on("damage", result, "mean") == np.nanmax(values_on("damage", result, "mean")[:10])
    frames = tuple(frame.model_copy(update={"divergence": None}) for frame in result.frames)
    old = result.model_copy(update={"frames": frames})
    assert largest_on("divergence", old, "mean") == 0
    together = shown_together(old, result, "divergence")
    assert together.places == (0.0,)
    assert any("nothing to play" in note for note in compare_notes(old, result, "divergence"))
