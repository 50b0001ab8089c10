"""A whole study of a tiny checkpoint, against scikit-learn and plain transformers."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score
from sklearn.preprocessing import StandardScaler
from tiny import left_whole, loaded, make_cut_inputs, predicted_by_transformers
from transformers import AutoModelForSequenceClassification, AutoTokenizer

from core.encoder.loading import save
from core.inputs.cut_rows import CutInputs, prepare_cut
from core.request.cut_request import CutRequest
from core.results.cut import CutStudy, Score
from core.results.key import key_of
from core.training.cut_study import refit_again, study
from core.training.probe import STRENGTHS, probe
from tests.refusals import refusal

Reports = list[tuple[str, int, int]]


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> CutInputs:
    return make_cut_inputs(tmp_path_factory.mktemp("rows"), dtype=torch.float16)


@pytest.fixture(scope="module")
def made(inputs: CutInputs) -> tuple[CutStudy, Reports, list[Score]]:
    checkpoint, reports, scores = loaded(inputs.resolved), list[tuple[str, int, int]](), list[Score]()
    with left_whole(checkpoint.model):
        return study(checkpoint, inputs, lambda *report: reports.append(report), scores.append), reports, scores


def texts_of(inputs: CutInputs) -> list[str]:
    return [text for (text,) in inputs.subset.texts]


def test_its_scores_come_from_the_deepest_cut_up_and_its_bar_only_grows(
    made: tuple[CutStudy, Reports, list[Score]], inputs: CutInputs
) -> None:
    whole, reports, scores = made
    assert whole.key == inputs.key == key_of(whole)
    assert [score.layers for score in scores] == [1, 2]
    assert [depth.layers for depth in whole.depths] == [2, 1]
    for score, depth in zip(scores, reversed(whole.depths), strict=True):
        assert (score.held, score.saved) == (depth.held, depth.saved)
    shares = [done / total for _, done, total in reports]
    assert shares == sorted(shares)
    assert (shares[-1], {total for *_, total in reports}) == (1, {1000})
    stages = [*dict.fromkeys(stage for stage, *_ in reports)]
    assert stages == ["Running the full model", "Refitting 1 layer", "Refitting 2 layers", "Measuring size and speed"]


def test_the_full_model_is_judged_as_it_is(made: tuple[CutStudy, Reports, list[Score]], inputs: CutInputs) -> None:
    whole, expected = made[0], predicted_by_transformers(inputs.resolved.folder, texts_of(inputs))
    assert [*whole.full.predictions] == expected
    assert whole.full.metrics["accuracy"] == accuracy_score(whole.task.gold, expected)


def test_what_is_made_again_is_what_was_judged_and_measured(
    made: tuple[CutStudy, Reports, list[Score]], inputs: CutInputs, tmp_path: Path
) -> None:
    for depth in made[0].depths:
        model, differing = refit_again(loaded(inputs.resolved), inputs, made[0], depth.layers)
        assert differing == 0
        assert save(model, inputs.resolved, tmp_path) == depth.size.bytes
        weights = load_file(tmp_path / "model.safetensors")
        assert {weight.dtype for weight in weights.values()} == {torch.float16}
        assert sum(weight.numel() for weight in weights.values()) == depth.size.parameters
        assert predicted_by_transformers(tmp_path, texts_of(inputs)) == [*depth.saved.predictions]
        assert {*depth.size.speeds} == {1, 32}
    sizes = [made[0].full_size, *(depth.size for depth in made[0].depths)]
    assert [size.bytes for size in sizes] == sorted((size.bytes for size in sizes), reverse=True)


def test_what_is_held_is_a_probe_of_the_mean_of_the_tokens(
    made: tuple[CutStudy, Reports, list[Score]], inputs: CutInputs
) -> None:
    model = AutoModelForSequenceClassification.from_pretrained(inputs.resolved.folder, dtype=torch.float32)
    tokenizer = AutoTokenizer.from_pretrained(inputs.resolved.folder)
    means = []
    with torch.inference_mode():
        for (text,) in (*inputs.refit, *inputs.stop, *inputs.subset.texts):
            states = model(**tokenizer(text, return_tensors="pt"), output_hidden_states=True).hidden_states[1:]
            means.append(torch.stack([state[0].mean(0) for state in states]).numpy())  # (layers, hidden)
    features = np.stack(means, 1)  # (layers, rows, hidden)
    fitted = len(inputs.labels)
    for depth in made[0].depths:
        scaler = StandardScaler().fit(features[depth.layers - 1, :fitted])
        scaled = scaler.transform(features[depth.layers - 1])
        predicted = [
            LogisticRegression(C=strength, max_iter=1000).fit(scaled[:fitted], inputs.labels).predict(scaled[fitted:])
            for strength in STRENGTHS
        ]
        assert [*depth.held.predictions] in [labels.tolist() for labels in predicted]


def test_a_probe_learns_what_is_linear_and_bears_a_label_that_occurs_once() -> None:
    random = np.random.RandomState(0)
    features, direction = random.randn(300, 8) * [1, 100, *[1] * 6], random.randn(8)
    labels = (features * [1, 0.01, *[1] * 6] @ direction > 0).astype(int)
    predicted = probe(features[:200], labels[:200], features[200:])
    assert np.mean(np.array(predicted) == labels[200:]) > 0.9
    rare = np.where(np.arange(200) == 7, 2, labels[:200])
    assert {*probe(features[:200], rare, features[200:])} <= {0, 1, 2}


def test_the_full_models_answers_stand_in_for_labels(inputs: CutInputs) -> None:
    unlabelled = replace(inputs, labels=(None,) * len(inputs.labels))
    answered = predicted_by_transformers(inputs.resolved.folder, [text for (text,) in (*inputs.refit, *inputs.stop)])
    named = replace(inputs, labels=tuple(answered))
    first, second = (study(loaded(inputs.resolved), each) for each in (unlabelled, named))
    assert [depth.held for depth in first.depths] == [depth.held for depth in second.depths]
    one = replace(inputs, labels=(1,) * len(inputs.labels))
    assert "all rows to refit have one label" in refusal(study, loaded(inputs.resolved), one)


def test_other_rows_than_the_studys_are_refused(made: tuple[CutStudy, Reports, list[Score]], inputs: CutInputs) -> None:
    request = CutRequest.from_json({"checkpoint": str(inputs.resolved.folder), "task": "sst2", "data": "written"})
    other = prepare_cut(request)
    assert "not those of the study" in refusal(refit_again, loaded(other.resolved), other, made[0], 1)
