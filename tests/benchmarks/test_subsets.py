"""Which layers may stay: what the rules choose."""

from benchmarks.subsets import Row, choices

PROBED = {"0123": 1, "0145": 3, "135": 1, "145": 3}  # scores of some subsets


def test_the_rules_choose_by_depth_likeness_and_hindsight() -> None:
    scores = {subset: {"held": score / 9} for subset, score in PROBED.items()}
    row = Row("sst2", [0.1, 0.9, 0.2, 0.8, 0.3, 0.4], scores)

    four = choices(row, 4)
    three = choices(row, 3)

    assert [*four.values()] == ["0123", "0124", "0245", "0145"]
    assert [*three.values()] == ["012", "024", "024", "145"]
