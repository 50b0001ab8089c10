"""A whole study of a tiny checkpoint, against scikit-learn and plain transformers.

Tests of exports save it.
"""

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score
from sklearn.preprocessing import StandardScaler
from tiny import Studied, loaded, predicted_by_transformers
from transformers import AutoModelForSequenceClassification, AutoTokenizer

from core.inputs.cut_rows import prepare_cut
from core.request.cut_request import CutRequest
from core.results.key import key_of
from core.training import cut_study
from core.training.cut_study import refit_again, study
from core.training.probe import STRENGTHS, probe
from tests.refusals import refusal


def test_its_scores_come_from_the_deepest_cut_up_and_its_bar_only_grows(
    studied: Studied,
) -> None:
    inputs, whole, reports, scores = studied
    assert whole.key == inputs.key == key_of(whole)
    assert [score.layers for score in scores] == [1, 2]
    assert [depth.layers for depth in whole.depths] == [2, 1]
    for score, depth in zip(scores, reversed(whole.depths), strict=True):
        assert (score.held, score.saved) == (depth.held, depth.saved)
    shares = [done / total for _, done, total in reports]
    assert shares == sorted(shares)
    assert (shares[-1], {total for *_, total in reports}) == (1, {1000})
    stages = [*dict.fromkeys(stage for stage, *_ in reports)]
    assert stages == [
        "Running the full model",
        "Refitting 1 layer",
        "Refitting 2 layers",
        "Measuring size and speed",
    ]
    expected = predicted_by_transformers(
        inputs.resolved.folder, [text for (text,) in inputs.subset.texts]
    )
    assert [*whole.full.predictions] == expected, "the full model is judged as it is"
    assert whole.full.metrics["accuracy"] == accuracy_score(whole.task.gold, expected)


def test_what_is_held_is_a_probe_of_the_mean_of_the_tokens(
    studied: Studied,
) -> None:
    inputs = studied.inputs
    model = AutoModelForSequenceClassification.from_pretrained(
        inputs.resolved.folder, dtype=torch.float32
    )
    tokenizer = AutoTokenizer.from_pretrained(inputs.resolved.folder)
    means = []
    with torch.inference_mode():
        for (text,) in inputs.texts:
            states = model(
                **tokenizer(text, return_tensors="pt"),
                output_hidden_states=True,
            ).hidden_states[1:]
            means.append(
                torch.stack([state[0].mean(0) for state in states]).numpy()
            )  # (layers, hidden)
    features = np.stack(means, 1)  # (layers, rows, hidden)
    fitted = len(inputs.labels)
    for depth in studied.study.depths:
        scaler = StandardScaler().fit(features[depth.layers - 1, :fitted])
        scaled = scaler.transform(features[depth.layers - 1])
        predicted = [
            LogisticRegression(C=strength, max_iter=1000)
            .fit(scaled[:fitted], inputs.labels)
            .predict(scaled[fitted:])
            for strength in STRENGTHS
        ]
        assert [*depth.held.predictions] in [labels.tolist() for labels in predicted]


def test_a_probe_learns_what_is_linear_and_bears_a_label_that_occurs_once() -> None:
    random = np.random.RandomState(0)
    features = random.randn(300, 8) * [1, 100, *[1] * 6]
    direction = random.randn(8)
    labels = (features * [1, 0.01, *[1] * 6] @ direction > 0).astype(int)
    predicted = probe(features[:200], labels[:200], features[200:])
    assert np.mean(np.array(predicted) == labels[200:]) > 0.9
    rare = np.where(np.arange(200) == 7, 2, labels[:200])
    assert {*probe(features[:200], rare, features[200:])} <= {0, 1, 2}


def test_the_full_models_answers_stand_in_for_labels(
    studied: Studied, monkeypatch: pytest.MonkeyPatch
) -> None:
    inputs = studied.inputs
    learned = list[list[int]]()
    answered = predicted_by_transformers(
        inputs.resolved.folder,
        [text for (text,) in inputs.trained],
    )
    monkeypatch.setattr(
        cut_study,
        "probe",
        lambda features, labels, others: learned.append([*labels]) or [0] * len(others),
    )
    labels = tuple(label if k % 2 else None for k, label in enumerate(inputs.labels))
    study(loaded(inputs.resolved), inputs._replace(labels=labels))
    both = [
        answer if label is None else label for label, answer in zip(labels, answered, strict=True)
    ]
    assert (learned, both != answered, both != [*inputs.labels]) == (
        [both] * 2,
        True,
        True,
    )
    one = inputs._replace(labels=(1,) * len(inputs.labels))
    assert "all rows to refit have one label" in refusal(study, loaded(inputs.resolved), one)


def test_other_rows_than_the_studys_are_refused(studied: Studied) -> None:
    folder = str(studied.inputs.resolved.folder)
    other = prepare_cut(
        CutRequest.from_json({"checkpoint": folder, "task": "sst2", "data": "written"})
    )
    assert "not those of the study" in refusal(
        refit_again, loaded(other.resolved), other, studied.study, 1
    )
