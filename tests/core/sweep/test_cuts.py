"""The study of cuts: subsets that share their first layers predict what plain transformers do without the others."""

from collections.abc import Iterable
from copy import deepcopy
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import numpy as np
import pytest
import torch
from tiny import loaded, make_encoder, write_sst2
from torch import nn

from core.encoder.architectures import classifier
from core.encoder.batches import micro_batches
from core.encoder.loading import Checkpoint
from core.encoder.stack import Stack
from core.inputs.prepare import CutInputs, prepare_cut
from core.request.criteria import MEASURED
from core.request.sweep_request import SweepRequest, checked
from core.results import store
from core.results.cut import LayerScores
from core.results.key import sealed
from core.results.schema import TaskRecord
from core.similarity.cka import cka
from core.similarity.gram import compare, prepare, u_centred_bands
from core.sweep import cuts
from core.sweep.search import (
    SEARCHING,
    Answered,
    SubsetRunner,
    drawn_subsets,
    fixed_choice,
    layer_passes,
    search,
    sizes,
)
from tests.refusals import refusal

DEPTH = 6
Layers = tuple[int, ...]


def asked(checkpoint: Path, data: Path, **settings: Any) -> SweepRequest:
    return checked(SweepRequest(str(checkpoint), "sst2", data=str(data), **settings))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Checkpoint, CutInputs]:
    folder = write_sst2(tmp_path_factory.mktemp("cuts"))
    inputs = prepare_cut(asked(make_encoder(folder / "deep", "bert", layers=DEPTH), folder))
    return loaded(inputs.resolved), inputs


def without(checkpoint: Checkpoint, kept: Layers) -> Any:
    """A plain model whose other layers were removed."""
    small: Any = deepcopy(checkpoint.model)
    small.bert.encoder.layer = nn.ModuleList(small.bert.encoder.layer[k] for k in kept)
    small.config.num_hidden_layers = len(kept)
    return small


@torch.inference_mode()
def naive(checkpoint: Checkpoint, texts: Iterable[tuple[str, ...]], kept: Layers) -> tuple[Layers, torch.Tensor]:
    """Each sentence alone through the plain smaller model: the labels, and what the classifier reads."""
    small, read = without(checkpoint, kept), list[torch.Tensor]()
    classifier(small).register_forward_hook(lambda _, inputs, __: read.append(inputs[0]))
    encoded = [checkpoint.tokenizer(*text, return_tensors="pt") for text in texts]
    return tuple(int(small(**one).logits.argmax()) for one in encoded), torch.cat(read)


def test_every_subset_predicts_what_plain_transformers_do_and_layers_are_shared(
    made: tuple[Checkpoint, CutInputs], monkeypatch: pytest.MonkeyPatch
) -> None:
    checkpoint, inputs = made
    counted, layer = [0], Stack.layer
    monkeypatch.setattr(Stack, "layer", lambda *given: (counted.__setitem__(0, counted[0] + 1), layer(*given))[1])
    found = cuts.study(checkpoint, inputs)
    batches = [len(micro_batches(checkpoint.tokenizer, some.texts)) for some in (inputs.subset, inputs.calibration)]
    assert counted[0] == (2**DEPTH - 1) * sum(batches) + DEPTH * batches[1]
    assert counted[0] <= 12 * DEPTH * sum(batches)
    assert [*map(len, (found.cuts, found.steps))] == [2**DEPTH, DEPTH - 1]
    assert not {*inputs.subset.texts} & {*inputs.calibration.texts}
    full = prepare(u_centred_bands(naive(checkpoint, inputs.calibration.texts, found.full.layers)[1][None]))
    for cut in found.cuts:
        predicted, read = naive(checkpoint, inputs.calibration.texts, cut.layers)
        assert cut.calibration == predicted
        assert cut.judged == naive(checkpoint, inputs.subset.texts, cut.layers)[0]
        expected = cka(compare(full, prepare(u_centred_bands(read[None])))).item()
        assert (np.nan if cut.read is None else cut.read) == pytest.approx(expected, abs=1e-5, nan_ok=True)
    again = cuts.study(checkpoint, inputs)
    outcome = {"seconds": 0.0, "created_at": "", "environment": {}}
    assert again.model_copy(update=outcome) == found.model_copy(update=outcome)


def test_a_study_is_kept_and_its_choices_follow_from_it(made: tuple[Checkpoint, CutInputs], tmp_path: Path) -> None:
    found = sealed(cuts.study(*made))
    assert store.load_cut(store.save(found, tmp_path)) == found
    choosing, judging = (
        {cut.layers: accuracy(task, row) for cut, row in rows}
        for task, rows in (
            (found.calibration, [(cut, cut.calibration) for cut in found.cuts]),
            (found.task, [(cut, cut.judged or ()) for cut in found.cuts]),
        )
    )
    for left, step in zip(sizes(DEPTH), found.steps, strict=True):
        alike = [cut for cut in found.cuts if len(cut.layers) == left]
        chosen, read = found.choice(left), {cut.layers: cut.read or -2 for cut in alike}
        assert chosen.layers == step.picks[MEASURED]
        assert choosing[chosen.layers] == max(choosing[cut.layers] for cut in alike)
        assert read[step.picks["read"]] == max(read.values())
        assert {*step.drawn} == {*read}
        assert chosen.worth.metrics["accuracy"] == pytest.approx(judging[chosen.layers])
        assert chosen.worth.changed.value == np.not_equal(chosen.judged, found.full.judged).mean()


def accuracy(task: TaskRecord, predicted: Layers) -> float:
    return float((np.array(predicted) == np.array(task.gold)).mean())


def test_scores_of_layers_are_those_of_their_hidden_states(made: tuple[Checkpoint, CutInputs]) -> None:
    checkpoint, inputs = made
    scores, _ = SubsetRunner(checkpoint, inputs.calibration).full
    cosines, means = [list[float]() for _ in range(DEPTH)], list[torch.Tensor]()
    with torch.inference_mode():
        for text in inputs.calibration.texts:
            encoded = checkpoint.tokenizer(*text, return_tensors="pt")
            states = checkpoint.model(**encoded, output_hidden_states=True).hidden_states
            for number in range(DEPTH):
                cosines[number] += torch.cosine_similarity(states[number], states[number + 1], dim=-1)[0].tolist()
            means.append(torch.stack([state[0].mean(0) for state in states]))
    assert scores.cosine == pytest.approx([np.mean(values) for values in cosines], abs=1e-5)
    grams = [prepare(u_centred_bands(point[None])) for point in torch.stack(means, 1)]
    expected = [cka(compare(*pair)).item() for pair in pairwise(grams)]
    assert scores.cka == pytest.approx(expected, abs=1e-5)


class Additive:
    """Stands for a model whose layers each make some examples correct, and some of what is read similar."""

    def __init__(self, depth: int) -> None:
        self.depth, self.looked_at = depth, 0
        self.full = LayerScores(cosine=(0.5,) * depth, cka=(0.5,) * depth), None
        random = np.random.default_rng(5)
        self._worth, self._read = random.permutation(depth) + 1, random.permutation(depth) + 1

    def run(self, subsets: Iterable[Layers], _: object) -> dict[Layers, Answered]:
        found = {}
        for kept in subsets:
            self.looked_at += 1
            correct, similar = (int(of[[*kept]].sum()) for of in (self._worth, self._read))
            found[kept] = (0,) * (100 - correct) + (1,) * correct, similar / 100
        return found


def test_a_beam_finds_what_all_subsets_of_twelve_layers_show_where_layers_add_up() -> None:
    depth, gold = 12, (1,) * 100
    beam, brute = Additive(depth), Additive(depth)
    (some, found), (every, best) = (
        search(run, "accuracy", gold, exhaustive)  # type: ignore[arg-type]
        for run, exhaustive in ((beam, False), (brute, True))
    )
    assert (len(every), brute.looked_at) == (2**depth, 2**depth)
    assert beam.looked_at == len(some) < 600
    assert found == best
    for left, step in zip(sizes(depth), found, strict=True):
        assert step.drawn == tuple(drawn_subsets(depth, left))
        assert {*step.drawn} <= {cut.layers for cut in some}
        assert len(step.drawn) == 5
    searched, _ = layer_passes(depth, exhaustive=True)
    subsets = [cut.layers for cut in every]
    begun = {kept[:end] for kept in subsets for end in range(1, len(kept) + 1)}
    assert searched == 2**depth - 1 + depth == len(begun) + depth


@pytest.mark.parametrize(
    ("criterion", "left", "kept"),
    [
        ("top", 4, (0, 1, 2, 3)),
        ("alternate", 4, (0, 1, 3, 5)),
        ("alternate", 3, (1, 3, 5)),
        ("alternate", 2, None),
        ("cosine", 4, (0, 2, 3, 4)),  # the second and the last are alike: of equals the upper goes first
        ("cosine", 5, (0, 1, 2, 3, 4)),
        ("cka", 5, (0, 1, 2, 3, 5)),
        ("cka", 1, (0,)),  # where it is undefined, nothing shows that a layer can go
    ],
)
def test_criteria_that_run_nothing_choose_by_their_rule(criterion: str, left: int, kept: Layers | None) -> None:
    scores = LayerScores(cosine=(0.1, 0.9, 0.2, 0.3, 0.4, 0.9), cka=(None, 0.3, 0.4, 0.5, 0.9, 0.8))
    assert fixed_choice(criterion, scores, left) == kept


@pytest.mark.parametrize(
    ("layers", "rows", "labels", "exhaustive", "said"),
    [
        (1, 50, 2, False, "'deep' has 1 encoder layer, and 2 are needed for 1 to go"),
        (13, 50, 2, True, "all subsets of 13 layers are 8,192, leave out --exhaustive"),
        (DEPTH, 50, 1, False, "50 examples with 1 labels to choose by, and 16 with 2"),
        (DEPTH, 9, 2, False, "9 examples with 2 labels to choose by, and 16 with 2"),
    ],
)
def test_what_no_study_can_be_made_of_is_refused_in_one_line(
    made: tuple[Checkpoint, CutInputs], layers: int, rows: int, labels: int, exhaustive: bool, said: str
) -> None:
    checkpoint, inputs = deepcopy(made[0]), made[1]
    checkpoint = replace(checkpoint, record=checkpoint.record.model_copy(update={"num_layers": layers}))
    record = inputs.calibration.record.model_copy(update={"gold": tuple(k % labels for k in range(rows))})
    calibration = replace(inputs.calibration, texts=inputs.calibration.texts[:rows], record=record)
    message = refusal(cuts.check_cut, checkpoint, replace(inputs, calibration=calibration), exhaustive)
    assert message.startswith(said)
    assert "\n" not in message


def test_it_reports_its_progress_and_can_be_cancelled(made: tuple[Checkpoint, CutInputs]) -> None:
    cuts.study(*made, report := Mock())
    seen = [call.args for call in report.mock_calls]
    assert {stage for stage, _, _ in seen} == {SEARCHING, cuts.JUDGING}
    assert all(0 <= done < total for _, done, total in seen)
    with pytest.raises(SystemExit):
        cuts.study(*made, Mock(side_effect=SystemExit))
