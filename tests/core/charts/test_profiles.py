"""All methods of a task at one damage: read from the SVG that Vega draws, frame by frame."""

from collections.abc import Mapping

import pytest

from core.charts.grammar import UNDEFINED_COLOUR
from core.charts.profiles import profile_scene
from core.charts.view import Scene, View
from core.findings.profiles import profiled
from core.results.schema import ProfileAtDamage
from core.sweep.equal_damage import DAMAGES
from tests.core.findings.test_profiles import MAGNITUDE, SEEDS, WANDA, falling
from tests.pictures import drawn, labels, marks, place


@pytest.fixture(scope="module")
def scene() -> Scene:
    flat = falling(0.04, method="attribution", scope=None)
    methods = profiled([(MAGNITUDE, SEEDS), (WANDA, ()), (flat, ())], "mean")
    return profile_scene(MAGNITUDE, methods, "mean")


@pytest.fixture(scope="module")
def views(scene: Scene) -> Mapping[str, View]:
    return scene.views


def test_a_profile_is_that_of_the_statistics_at_the_damage_on_show(views: Mapping[str, View]) -> None:
    known = MAGNITUDE.statistics_of("mean")
    assert known
    for k, damage in enumerate(DAMAGES):
        at = known.profile_at_damage[f"{damage}"]
        assert isinstance(at, ProfileAtDamage)
        points = marks(drawn(views["profile-1"].spec, k), "point")
        told = [float(labels(point)["Similarity"]) for point in points]
        assert told == pytest.approx(list(at.value), abs=5.1e-3)
        rows = views["profile-1"].datasets["profile-1"]
        assert sum(row["value"][k] for row in rows) / 4 == pytest.approx(1 - damage, abs=1e-6)


def test_every_seed_is_a_thin_line_under_its_method(views: Mapping[str, View]) -> None:
    for name, seeds in (("profile-1", 5), ("profile-2", 0)):
        lines = marks(drawn(views[name].spec, 1), "line mark")
        assert sum(line.get("stroke") == UNDEFINED_COLOUR for line in lines) == seeds


def test_the_floor_is_drawn_beside_the_profile(views: Mapping[str, View]) -> None:
    floor = MAGNITUDE.floor.cka["mean"] if MAGNITUDE.floor else ()
    assert [row["value"] for row in views["profile-1"].datasets["floor-1"]] == pytest.approx(floor)


def test_methods_share_their_axis_and_one_without_profile_has_no_picture(views: Mapping[str, View]) -> None:
    assert list(views) == ["cost", "profile-1", "profile-2"]
    first, second = (views[name].arguments for name in ("profile-1", "profile-2"))
    assert first[2] == second[2]
    names = [name for view in views.values() for name in view.datasets]
    assert len(names) == len(set(names)), "a figure can hold them all"


def test_the_line_over_the_costs_stands_at_the_similarity_on_show(scene: Scene) -> None:
    views = scene.views
    assert [frame["amount"] for frame in scene.frames] == list(DAMAGES)
    places = []
    for k, damage in enumerate(DAMAGES):
        (line,) = marks(drawn(views["cost"].spec, k), "rule mark")
        assert float(next(iter(labels(line).values()))) == pytest.approx(1 - damage, abs=0.051)
        places.append(place(line)[0])
    assert places == sorted(places), "the further right, the less is left"
    rows = views["cost"].datasets["cost"]
    assert {row["method"] for row in rows} == {
        "Magnitude pruning of the encoder",
        "Wanda pruning of the encoder",
        "Attribution pruning",
    }
    assert len(views["cost"].datasets["cost-chance"]) == 5 * len(MAGNITUDE.frames)


def test_nothing_changes_its_size_while_it_plays(views: Mapping[str, View]) -> None:
    for view in views.values():
        pictures = [drawn(view.spec, frame) for frame in range(len(DAMAGES))]
        assert len({(one.get("viewBox"), one[1].get("transform")) for one in pictures}) == 1
