"""What a study of cuts offers: chosen on the calibration examples, borne out or not by the judged ones."""

from dataclasses import replace

import numpy as np
import pytest

from core.findings.cut import DRAWS, RANDOM, Choice, Frontier, Judge, chosen, frontier_of, kept_by, picks_of, state_of
from core.findings.words.cut import cut_said, regrets_table, speed_words
from core.request.criteria import MEASURED
from core.results.cut import CutStudy
from core.results.statistics import Estimate
from core.sweep.scores import SCORES
from tests.studies import make_study, with_choices, with_sizes

# Of ten examples of each kind, all of which the full model of three layers gets right: how many of those for choosing
# and how many of the judged ones a cut gets wrong, by the layers that stay.
WRONG = {(0, 1): (1, 2), (0, 2): (2, 0), (1, 2): (5, 5), (0,): (3, 3), (1,): (6, 6), (2,): (7, 7), (): (9, 9)}
GOLD = (0, 1) * 5


def by_hand() -> CutStudy:
    study = make_study(num_layers=3)

    def predicted(wrong: int) -> tuple[int, ...]:
        return tuple(1 - label if k < wrong else label for k, label in enumerate(GOLD))

    cuts = []
    for cut in study.cuts:
        choosing, judged = WRONG.get(cut.layers, (0, 0))
        cuts.append(cut.model_copy(update={"calibration": predicted(choosing), "judged": predicted(judged)}))
    task = study.task.model_copy(update={"gold": GOLD, "examples": tuple(range(10))})
    calibration = study.calibration.model_copy(update={"gold": GOLD, "examples": tuple(range(10))})
    changed = {"task": task, "calibration": calibration, "cuts": tuple(cuts)}
    return with_sizes(with_choices(study.model_copy(update=changed)))


SMALL = by_hand()


def removed(model: Choice | None) -> tuple[int, ...]:
    return model.removed if model else ()


def test_the_measured_choices_can_be_chosen_each_with_its_losses_and_what_it_gains() -> None:
    known = frontier_of(SMALL)
    assert [model.removed for model in known.choices] == [(2,), (1, 2)]
    losses = [(model.loss["score"], model.loss["answers"]) for model in known.choices]
    assert losses == [(pytest.approx(0.1), 0.1), (pytest.approx(0.3), 0.3)]
    assert [model.value.value for model in known.choices] == [0.8, 0.7]
    assert [model.gain for model in known.choices] == pytest.approx([1.15, 1.3]), "the speed at the larger batch"
    assert (known.full.value, known.guess) == (1, 0.5)


def test_what_criteria_and_chance_would_have_picked_stands_beside() -> None:
    known = frontier_of(SMALL)
    first = {pick.criterion: (pick.removed, pick.value) for pick in known.picks if pick.fewer == 1}
    assert first.pop("read")[0] in ((0,), (1,), (2,))
    assert first.pop(MEASURED) == ((2,), 0.8)
    assert first == {
        **{"cosine": ((2,), 0.8), "cka": ((0,), 0.5), "top": ((2,), 0.8), "alternate": ((1,), 1.0)},
        RANDOM: ((), pytest.approx((0.8 + 1.0 + 0.5) / 3)),
    }
    assert [row["Layers out"] for row in regrets_table(frontier_of(SMALL))] == ["1 of 3", "2 of 3"]


@pytest.mark.parametrize(
    ("by", "most", "out"),
    [("score", 0.1, (2,)), ("score", 0.05, ()), ("score", 0.3, (1, 2)), ("answers", 0.1, (2,)), ("answers", 0.09, ())],
)
def test_the_fastest_is_chosen_of_those_that_lose_little_enough(by: str, most: float, out: tuple[int, ...]) -> None:
    assert removed(chosen(frontier_of(SMALL), by, most)) == out


def test_the_choice_ignores_the_judged_examples() -> None:
    worse = frontier_of(SMALL)
    worse = replace(worse, choices=tuple(replace(m, value=worse.full, difference=worse.full) for m in worse.choices))
    assert removed(chosen(worse, "score", 0.1)) == removed(chosen(frontier_of(SMALL), "score", 0.1))


def judged(low: float, high: float, **changes: object) -> Frontier:
    """A study whose smaller models all differ from the full one by so much."""
    known, lost = frontier_of(with_sizes(make_study())), Estimate(value=(low + high) / 2, low=low, high=high)
    choices = (replace(model, difference=lost, loss={"score": 0.0}) for model in known.choices)
    return replace(known, choices=tuple(choices), **changes)


@pytest.mark.parametrize(
    ("known", "state"),
    [
        (judged(-0.03, 0.01), "holds"),
        (judged(-0.031, 0.01), "inconclusive"),
        (judged(-0.09, -0.03), "inconclusive"),
        (judged(-0.09, -0.031), "fails"),
        (judged(-0.03, 0.01, guess=0.99), "guesses"),
    ],
)
def test_a_claim_is_what_its_interval_carries(known: Frontier, state: str) -> None:
    model = chosen(known, "score", 0.03)
    assert state_of(known, model, "score", 0.03) == state
    heading, *said = cut_said(known, model, "score", 0.03).heading, *cut_said(known, model, "score", 0.03).sentences
    answers = {"holds": "Yes", "inconclusive": "Inconclusive", "fails": "No", "guesses": "The full"}
    assert heading.removeprefix("At most 3 points lost? ").startswith(answers[state])
    assert bool(said[1:]) == (state in ("inconclusive", "fails")), "what keeps to it, where the choice does not"


def test_what_keeps_to_a_limit_is_the_fastest_that_is_shown_to_and_no_faster_than_the_choice() -> None:
    known = judged(-0.09, -0.04)
    held = Estimate(value=-0.01, low=-0.02, high=0.0)
    one, two, *others = sorted(known.choices, key=lambda model: model.gain)
    both = replace(known, choices=(replace(one, difference=held), two, *others))
    for choice in (two, others[-1]):
        kept = kept_by(both, choice, "score", 0.03)
        assert kept == both.choices[0]
    all_hold = judged(-0.02, 0.0)
    assert {kept_by(all_hold, model, "score", 0.03).gain for model in (one, two)} == {one.gain, two.gain}  # type: ignore[union-attr]
    assert kept_by(known, two, "score", 0.03) is None


def test_a_model_that_guesses_and_a_limit_that_is_too_tight_leave_no_claim() -> None:
    assert "not shown to beat" in cut_said(replace(frontier_of(make_study()), guess=1.0), None, "score", 0.03).heading
    known = frontier_of(SMALL)
    assert state_of(known, None, "score", 0.0) == "nothing"
    assert cut_said(known, None, "score", 0.0).heading.startswith("No smaller model is chosen")


def test_a_speed_counts_only_where_all_were_timed_and_is_named_only_where_it_is_shown() -> None:
    known = frontier_of(make_study())
    assert (known.timed, {model.gain for model in known.choices}) == (False, {1, 2, 3})
    assert speed_words(known.choices[0]) == ""
    assert speed_words(frontier_of(with_sizes(make_study(), gain=0.01)).choices[0]) == "not shown to be faster"


def test_narrower_parts_are_offered_beside_fewer_layers() -> None:
    known = frontier_of(with_sizes(make_study(), 0.25, 0.5))
    offered = {(len(model.removed), model.model.share) for model in known.choices}
    assert offered >= {(0, 0.25), (0, 0.5), (3, 0.5), (3, 0.0)}


@pytest.mark.parametrize("metric", ["accuracy", "matthews_correlation", "f1", "macro_f1"])
def test_a_metric_of_draws_is_that_of_their_examples(metric: str) -> None:
    study = make_study()
    study = study.model_copy(update={"task": study.task.model_copy(update={"main_metric": metric})})
    n, gold = len(study.task.gold), np.array(study.task.gold)
    rows = np.vstack([np.arange(n), np.random.default_rng(0).integers(n, size=(DRAWS, n))])
    found = Judge(study).values(study.judged.values())
    for labels, values in zip(study.judged.values(), found, strict=True):
        assert np.array_equal(values, SCORES[metric](gold[rows], np.array(labels)[rows]))


def test_regret_by_hand() -> None:
    study, right = make_study(num_layers=3), (0, 1) * 100
    worse, steps = (0, 1) * 80 + (1, 0) * 20, make_study(num_layers=3).steps  # 40 of 200 are wrong
    judged = {kept: right if kept in ((0, 1, 2), (0, 1)) else worse for kept in study.judged}
    cuts = [cut.model_copy(update={"judged": judged[cut.layers]}) for cut in study.cuts]
    picks, drawn = {MEASURED: (0, 1), "top": (1, 2)}, steps[1].drawn[:1]
    steps = (steps[0].model_copy(update={"picks": picks}), steps[1].model_copy(update={"drawn": drawn}))
    task = study.task.model_copy(update={"gold": right})
    known = picks_of(study.model_copy(update={"task": task, "cuts": tuple(cuts), "steps": steps}))
    regrets = {(pick.fewer, pick.criterion): pick.regret for pick in known}
    assert regrets[1, MEASURED] == Estimate(value=0, low=0, high=0)
    assert regrets[1, "top"].value == pytest.approx(0.2)
    assert (regrets[1, "top"].low, regrets[1, "top"].high) == pytest.approx((0.145, 0.255), abs=0.015)
    assert regrets[1, RANDOM].value == pytest.approx(0.4 / 3)
    assert regrets[2, RANDOM].value == 0, "all left with one layer do equally"


def test_models_are_valued_alike_however_many_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    study = with_sizes(make_study(), 0.25)
    together = frontier_of(study)
    monkeypatch.setattr("core.findings.cut.AT_ONCE", 1)
    assert frontier_of(study) == together
