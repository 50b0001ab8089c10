"""All methods of a task at one damage: read from the SVG that Vega draws, frame by frame."""

import pytest

from core.charts.grammar import UNDEFINED_COLOUR
from core.charts.profiles import profile_scene
from core.charts.view import Scene
from core.findings.compare import profiled
from core.results.schema import ProfileAtDamage, SweepResult
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


def test_a_profile_is_that_of_the_statistics_at_the_damage_on_show(scene: Scene) -> None:
    known, view = MAGNITUDE.statistics_of("mean"), scene.views["profile-1"]
    for k, damage in enumerate(DAMAGES):
        at = known.profile_at_damage[f"{damage}"] if known else None
        assert isinstance(at, ProfileAtDamage)
        shown = [float(point["Similarity"]) for point in told(view.spec, k, "Similarity", "point")]
        assert shown == pytest.approx(list(at.value), abs=5.1e-3)
        assert sum(row["value"][k] for row in view.datasets["profile-1"]) / 4 == pytest.approx(1 - damage, abs=1e-6)


def test_every_seed_is_a_thin_line_under_its_method_and_the_floor_stands_beside_it(scene: Scene) -> None:
    for name, seeds in (("profile-1", 5), ("profile-2", 0)):
        lines = marks(drawn(scene.views[name].spec, 1), "line mark")
        assert sum(line.get("stroke") == UNDEFINED_COLOUR for line in lines) == seeds
    floor = MAGNITUDE.floor.cka["mean"] if MAGNITUDE.floor else ()
    assert [row["value"] for row in scene.views["profile-1"].datasets["floor-1"]] == pytest.approx(floor)


def test_methods_share_their_axis_and_one_without_profile_has_no_picture(scene: Scene) -> None:
    assert list(scene.views) == ["cost", "profile-1", "profile-2"]
    first, second = (scene.views[name].arguments for name in ("profile-1", "profile-2"))
    assert first[2] == second[2]


def test_the_line_over_the_costs_stands_at_the_similarity_on_show(scene: Scene) -> None:
    view, places = scene.views["cost"], []
    assert [frame["amount"] for frame in scene.frames] == list(DAMAGES)
    for k, damage in enumerate(DAMAGES):
        (line,) = marks(drawn(view.spec, k), "rule mark")
        assert float(next(iter(labels(line).values()))) == pytest.approx(1 - damage, abs=0.051)
        places.append(place(line)[0])
    assert places == sorted(places), "the further right, the less is left"
    assert {row["method"].split()[0] for row in view.datasets["cost"]} == {"Magnitude", "Wanda", "Attribution"}
    assert len(view.datasets["cost-chance"]) == 5 * len(MAGNITUDE.frames)
