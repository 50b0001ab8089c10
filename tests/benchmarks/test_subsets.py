"""Which layers may stay: what the rules choose."""

from benchmarks.subsets import Row, choices


def test_the_rules_choose_by_depth_likeness_and_hindsight() -> None:
    scores = {
        "0123": {"held": 0.1},
        "0145": {"held": 0.3},
        "135": {"held": 0.1},
        "145": {"held": 0.3},
    }
    row = Row("sst2", [0.1, 0.9, 0.2, 0.8, 0.3, 0.4], scores)

    four = choices(row, 4)
    three = choices(row, 3)

    assert [*four.values()] == ["0123", "0124", "0245", "0145"]
    assert [*three.values()] == ["012", "024", "024", "145"]
