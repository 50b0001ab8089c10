"""Regret over several studies: the interval is a t-test's, and a study on written examples counts for nothing."""

import numpy as np
import pytest
from scipy.stats import ttest_1samp

from benchmarks.verdicts import RANDOM, beyond_chance, regrets_of, regrets_said, regrets_table
from core.findings.words.cut import CRITERION
from core.request.criteria import CRITERIA, MEASURED
from core.results.cut import CutStudy
from tests.studies import make_study


def renamed(study: CutStudy, key: str, source: str) -> CutStudy:
    return study.model_copy(update={"key": key, "task": study.task.model_copy(update={"source": source})})


STUDIES = [make_study(num_layers=6, seed=seed) for seed in range(4)]
STUDIES = [renamed(study, str(k), "written" if k == 3 else "folder") for k, study in enumerate(STUDIES)]


@pytest.mark.parametrize("name", ["cosine", MEASURED])
def test_the_gain_over_chance_is_that_of_a_t_test_over_studies(name: str) -> None:
    rows = regrets_of(STUDIES)
    assert [row.fewer for row in rows] == [1, 2, 3] * 4
    gains = []
    for study in STUDIES[:3]:
        gold = np.array(study.task.gold)
        correct = {kept: (np.array(labels) == gold).mean() for kept, labels in study.judged.items()}
        steps = study.steps[:3]
        gains.append(np.mean([correct[step.picks[name]] - np.mean([correct[k] for k in step.drawn]) for step in steps]))
    test, found = ttest_1samp(gains, 0.0), beyond_chance(rows)[name]
    assert found.value == pytest.approx(np.mean(gains))
    assert (found.low, found.high) == pytest.approx(tuple(test.confidence_interval()))


def test_what_is_said_and_tabulated_follows_the_facts() -> None:
    rows = regrets_of(STUDIES)
    found = beyond_chance(rows)
    better = {name for name, gain in found.items() if gain.low > 0}
    assert {name for name in found if CRITERIA[name].lower()[1:] in regrets_said(rows).lower()} >= better
    assert "over 3 studies" in regrets_said(rows)
    assert [len(row) for row in regrets_table(rows)] == [2 + len(CRITERION)] * (len(rows) + 1)
    assert beyond_chance(regrets_of(STUDIES[:1])) == beyond_chance([]) == {}
    assert CRITERION[RANDOM] in regrets_table(rows)[0]
