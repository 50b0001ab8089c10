"""All methods of a task at one damage: read from the SVG that Vega draws, frame by frame."""

import numpy as np
import pytest

from core.charts.grammar import UNDEFINED_COLOUR
from core.charts.profiles import profile_scene
from core.charts.view import Scene
from core.findings.compare import profiled
from core.results.schema import SweepResult
from core.sweep.equal_damage import DAMAGES
from tests.builders import make_result
from tests.pictures import drawn, labels, marks, place, told

AMOUNTS = tuple(k / 50 for k in range(48))


def falling(speed: float, **settings: object) -> SweepResult:
    """Damage is speed · amount, the share of changed predictions half the amount."""
    own = {"own_cka": lambda amount, point, size: 1 - speed * amount * 2 * point / (size - 1)}
    return make_result(**{"amounts": AMOUNTS, "num_layers": 4, **own, **settings})


MAGNITUDE, WANDA = falling(0.5), falling(0.25, method="wanda")
SEEDS = [falling(1.0, method="random", seed=seed) for seed in range(5)]


@pytest.fixture(scope="module")
def scene() -> Scene:
    flat = falling(0.04, method="attribution", scope=None)
    methods = [profiled(MAGNITUDE, SEEDS, "mean"), profiled(WANDA, (), "mean"), profiled(flat, (), "mean")]
    return profile_scene(MAGNITUDE, methods, "mean")


def test_a_profile_is_that_of_the_statistics_at_the_damage_on_show_over_its_controls_seeds(scene: Scene) -> None:
    assert list(scene.views) == ["cost", "profile-1", "profile-2"], "one method reaches no damage"
    first, second = (scene.views[f"profile-{k}"] for k in (1, 2))
    for k, damage in enumerate(DAMAGES):
        known = MAGNITUDE.statistics_of("mean").profile_at_damage[f"{damage}"]
        shown = [float(point["Similarity"]) for point in told(first.spec, k, "Similarity", "point")]
        assert shown == pytest.approx(list(known.value), abs=5.1e-3)
        assert np.mean([row["value"][k] for row in first.datasets["profile"]]) == pytest.approx(1 - damage, abs=1e-6)
    for view, seeds in ((first, 5), (second, 0)):
        lines = marks(drawn(view.spec, 1), "line mark")
        assert sum(line.get("stroke") == UNDEFINED_COLOUR for line in lines) == seeds
    assert [row["value"] for row in first.datasets["floor"]] == pytest.approx(MAGNITUDE.floor.cka["mean"])
    assert first.arguments[1] == second.arguments[1], "they share their axis"


def test_the_line_over_the_costs_stands_at_the_similarity_on_show(scene: Scene) -> None:
    view = scene.views["cost"]
    lines = [marks(drawn(view.spec, k), "rule mark")[0] for k in range(len(DAMAGES))]
    shown = [float(next(iter(labels(line).values()))) for line in lines]
    assert shown == pytest.approx([1 - damage for damage in DAMAGES], abs=0.051)
    assert sorted(lines, key=place) == lines, "the further right, the less is left"
    assert {row["method"].split()[0] for row in view.datasets["cost"]} == {"Magnitude", "Wanda", "Attribution"}
    assert len(view.datasets["chance"]) == 5 * len(MAGNITUDE.frames)
