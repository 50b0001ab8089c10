"""A recovery holds its zeros, repeats its bits, and leaves its checkpoint as it was.

Its file, and refusals.
"""

import json
from collections import namedtuple
from pathlib import Path

import pytest
import torch
from recovery import found, tiny_sweep
from tiny import left_whole, loaded

from core.results import library, store
from core.results.key import key_of
from core.results.recovery import Recovery
from core.training import recovery as engine
from core.training.recovery import recover
from tests.refusals import refusal
from tests.uploaded import rewritten

Made = namedtuple(
    "Made", "folder sweep whole parts reports"
)  # its parts as they came, its reports of (done, total)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    folder = tmp_path_factory.mktemp("recovery")
    parts = list[Recovery]()
    reports = list[tuple[int, int]]()
    result = tiny_sweep(folder)
    inputs = found(folder, result, steps=12)
    assert not {*inputs.rows.texts} & {*inputs.swept.subset.texts}
    checkpoint = loaded(inputs.swept.resolved)
    with left_whole(checkpoint.model):
        whole, _ = recover(
            checkpoint,
            inputs,
            lambda _, *report: reports.append(report),
            parts.append,
        )
    return Made(folder, result, whole, parts, reports)


def test_it_begins_where_the_sweep_ends_and_its_frames_come_one_by_one(
    made: Made,
) -> None:
    whole = made.whole
    assert [frame.step for frame in whole.all_frames] == [0, 10, 12] * 2
    assert [part.all_frames for part in made.parts] == [whole.all_frames[: k + 1] for k in range(6)]
    assert all(
        part == Recovery.model_validate(part.model_dump()) and not part.key for part in made.parts
    )
    for frame, begun in zip(made.sweep.frames, (whole.unpruned[0], whole.frames[0]), strict=True):
        assert (frame.intervals, frame.predictions, frame.read) == (
            begun.intervals,
            begun.predictions,
            begun.read,
        )
        assert (frame.metrics, frame.similarity.cka) == (
            begun.metrics,
            begun.similarity.cka,
        )
    assert made.reports == sorted(made.reports)
    assert made.reports[-1] == (24, 24)


@pytest.mark.parametrize("method", ["magnitude", "attribution-residual"])
def test_zeros_stay_and_other_weights_learn(
    made: Made, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    inputs = found(made.folder, tiny_sweep(made.folder, method=method), steps=3)
    seen = list[dict[str, torch.Tensor]]()
    copies = list[torch.nn.Module]()
    original = engine.deepcopy
    monkeypatch.setattr(
        engine,
        "deepcopy",
        lambda model: copies.append(original(model)) or copies[0],
    )

    def look(_: Recovery) -> None:
        seen.append(
            {name: weight.detach().clone() for name, weight in copies[0].named_parameters()}
        )

    recover(loaded(inputs.swept.resolved), inputs, on_frame=look)
    pruned, trained, *_ = seen
    same = {name for name in pruned if torch.equal(pruned[name], trained[name])}
    assert same == {name for name in pruned if ".embeddings." in name}
    matrices = [name for name in pruned if "encoder" in name and pruned[name].ndim == 2]
    zeros = [pruned[name] == 0 for name in matrices]
    assert all(
        torch.equal(trained[name] == 0, zero) for name, zero in zip(matrices, zeros, strict=True)
    )
    assert min(float(zero.float().mean()) for zero in zeros) > 0.3


def test_the_same_seed_gives_the_same_bits_and_the_control_is_made_once(
    made: Made,
) -> None:
    whole = made.whole
    totals = set[int]()
    same, other = (found(made.folder, made.sweep, steps=12, seed=seed) for seed in (0, 1))
    again, _ = recover(
        loaded(same.swept.resolved),
        same,
        lambda _, __, total: totals.add(total),
    )
    assert (again.all_frames, again.key) == (whole.all_frames, whole.key)
    assert totals == {12}, "the control is stored, and serves"
    differing, _ = recover(loaded(other.swept.resolved), other)
    alike = [a == b for a, b in zip(differing.all_frames, whole.all_frames, strict=True)]
    assert alike == [True, False, False] * 2
    assert len({key_of(part) for part in (whole, whole.control, differing, differing.control)}) == 4


def test_a_cancelled_one_leaves_the_model_and_what_was_shown(
    made: Made,
) -> None:
    inputs = found(made.folder, made.sweep, steps=11)
    parts = list[Recovery]()
    checkpoint = loaded(inputs.swept.resolved)

    def cancel(_: str, done: int, __: int) -> None:
        if done == 11 + 5:
            raise KeyboardInterrupt

    with left_whole(checkpoint.model), pytest.raises(KeyboardInterrupt):
        recover(checkpoint, inputs, cancel, parts.append)
    assert [frame.step for frame in parts[-1].all_frames] == [0, 10, 11, 0]
    assert store.find(key_of(parts[-1].control)) is None


def test_a_file_is_listed_and_a_false_one_refused(
    made: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PRUNESCOPE_RESULTS", str(tmp_path))
    path = store.save(made.whole)
    frames = json.loads(made.whole.model_dump_json())["frames"]
    assert store.load_any(path).model_copy(update={"checksum": ""}) == made.whole
    (entry,) = library.own(library.RecoveryEntry)
    assert (entry.amount, entry.pruning, entry.training.seed) == (
        0.6,
        made.whole.pruning,
        0,
    )
    assert entry.name.endswith("Magnitude pruning, 60 %, trained again")
    for change, words in (
        ({"frames": frames[1:]}, "do not fit each other"),
        (
            {"frames.1.predictions": [7, *frames[1]["predictions"][1:]]},
            "a label lies outside 0 to 1",
        ),
    ):
        path.write_bytes(rewritten(made.whole, change))
        assert words in refusal(store.load_any, path, "one.json"), change


def test_what_cannot_be_trained_is_refused_in_one_line(made: Made, tmp_path: Path) -> None:
    head, *rows = (made.folder / "rows.csv").read_text().splitlines()
    judged = [rows[number] for number in made.sweep.task.examples]
    others = [row for row in rows if row not in judged]

    def refused(*lines: str) -> str:
        (tmp_path / "train.csv").write_text("\n".join([head, *lines]))
        return refusal(found, made.folder, made.sweep, train=str(tmp_path / "train.csv"))

    assert "train.csv has only 0 examples besides those evaluated, and 32 are needed" in refused(
        *judged
    )
    assert "train.csv has only 8 examples besides those evaluated" in refused(*judged, *others[:8])
    positive = [f"{row.split(',')[0]},positive" for row in others]
    assert "all 50 rows to train on have one label" in refused(*positive)
    for wrong in ({"amount": 0}, {"steps": 401}, {"seed": -1}):
        assert "choose an amount above 0, 1 to 400 steps, a seed" in refusal(
            found, made.folder, made.sweep, **wrong
        )
