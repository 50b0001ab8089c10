"""Whether pruning regularises: the numbers of known data, and which models are measured."""

import re

import numpy as np
import pytest
from sklearn.metrics import r2_score

from benchmarks import regularising
from benchmarks.regularising import UNPRUNED, Answers, Pass
from core.encoder.loading import load
from core.inputs.prepare import prepare
from core.request.catalog import ROOT
from core.request.sweep_request import SweepRequest, checked

random = np.random.default_rng(0)
NONE = np.zeros(0)


def test_a_ridge_explains_a_linear_map_and_not_noise() -> None:
    features, noise = random.normal(size=(400, 5)), random.normal(size=400)
    targets = np.stack([features @ np.arange(5.0), noise])
    linear, unrelated = map(r2_score, targets, regularising.explained(features, targets))
    assert linear == pytest.approx(1, abs=1e-3)
    assert unrelated < 0.02


def test_a_temperature_undoes_a_scale() -> None:
    logits = random.normal(size=(20_000, 2)) * 2
    gold = (random.random(20_000) < 1 / (1 + np.exp(logits[:, 0] - logits[:, 1]))).astype(int)
    assert regularising.temperature(3 * logits, gold) == pytest.approx(3, rel=0.05)


def test_a_scale_alone_changes_the_loss_and_nothing_else() -> None:
    logits, bags = random.normal(size=(200, 2)), random.normal(size=(200, 4))
    gold, rows = random.integers(2, size=200), np.arange(200)
    models = [Pass(scaled, logits, NONE) for scaled in (logits, logits / 2)]
    answers = Answers(models, gold, gold, bags, "accuracy")
    score, gap, loss, tempered, bag, beyond = answers.numbers(1, rows, rows) - answers.numbers(
        0, rows, rows
    )
    assert (score, gap, tempered, bag, beyond) == pytest.approx((0, 0, 0, 0, 0), abs=1e-6)
    assert loss < -0.01
    assert answers.estimates([1])["score"][1:] == (0, 0, 0)


def test_models_are_pruned_to_one_change_and_their_blocks_add_less() -> None:
    request = checked(
        SweepRequest("embedded:sst2", "sst2", data="written", num_examples=128, points="layer")
    )
    inputs = prepare(request)
    sweeps = regularising.shipped_sweeps("embedded:sst2", inputs.subset.record.fingerprint)[:2]
    assert [sweep.pruning.method for sweep in sweeps] == ["magnitude", "random"]
    few, taken = (
        prepare(checked(SweepRequest("embedded:sst2", "sst2", data="written", num_examples=8))),
        {},
    )
    for method, _, amount, runner in regularising.steps(
        load(inputs.resolved), few, sweeps, [0.0, 0.1]
    ):
        taken[method] = amount, regularising.run(runner, []).updates
    assert list(taken) == [UNPRUNED, "magnitude", "random"]
    assert taken["random"][0] < 0.2 < taken["magnitude"][0]
    assert max(taken["magnitude"][1].mean(), taken["random"][1].mean()) < taken[UNPRUNED][1].mean()


def test_the_results_page_quotes_the_file() -> None:
    rows, figure = regularising.FILE.read(), re.compile(r"−?\d\.\d{3}")
    page = " ".join((ROOT / "docs" / "results.md").read_text("utf-8").split())
    prose = page.partition("A regulariser narrows")[2].partition("## ")[0]
    assert len(figure.findall(prose)) > 30
    assert {*figure.findall(prose)} <= {*figure.findall(str(regularising.tables(rows)))}
    unpruned = {row.task: np.array(row.updates) for row in rows if row.method == UNPRUNED}
    for method in ("magnitude", "random"):
        at_change = [row for row in rows if (row.method, row.change) == (method, 0.05)]
        ratios = np.stack(
            [row.updates / unpruned[row.task] for row in at_change]
        )  # (tasks, layers, 2)
        assert f"{(ratios < 1).sum()} of {ratios.size} under {method}" in page
