"""Files of results: round trip, damage, atomic writes, keys that follow content."""

import os
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest

from core.results import library, store
from core.results.key import key_of
from tests.builders import compress, make_result
from tests.refusals import full_disk, refusal
from tests.studies import make_study
from tests.uploaded import rewritten

RESULT = make_result(holes=((0.5, 1, 2),))


def test_round_trip_keeps_every_value(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PRUNESCOPE_RESULTS", str(tmp_path))
    assert store.find(RESULT.key) is None
    path = store.save(RESULT)
    assert store.find(RESULT.key) == path == tmp_path / f"{RESULT.key}.json"
    assert [store.find(key) for key in ("../secret", "", "0" * 63, "Z" * 64)] == [None] * 4
    assert store.load(path) == RESULT
    wrong = path.rename(tmp_path / f"{'0' * 64}.json")
    assert "holds the result" in refusal(store.load, wrong)
    assert store.load(wrong.rename(tmp_path / "any-other-name.json")) == RESULT


@pytest.mark.parametrize(
    ("changes", "sealed", "words"),
    [
        (
            {"frames.3.metrics.accuracy": 0.01},
            False,
            "does not match its checksum or key: it was edited",
        ),
        (
            {"key": "f" * 64},
            True,
            "does not match its checksum or key: it was edited",
        ),
        (
            {"pruning.scope": "all-linear"},
            True,
            "does not match its checksum or key: it was edited",
        ),
        (
            {"task.source_name": "\ud800"},
            False,
            "is not a valid result",
        ),  # half of a character
    ],
)
def test_an_edited_file_is_refused(
    tmp_path: Path, changes: dict[str, object], sealed: bool, words: str
) -> None:
    path = tmp_path / "one.json"
    path.write_bytes(rewritten(RESULT, changes, with_key=False, sealed=sealed))
    assert words in refusal(store.load, path)


def test_what_a_killed_process_left_is_removed_once_nobody_can_be_writing_it(
    tmp_path: Path,
) -> None:
    old, young = (tmp_path / f".{name}{store.PART}" for name in ("old", "young"))
    for path in (old, young):
        path.write_bytes(b"{")
    os.utime(old, (1e9, 1e9))
    store.check_writable(tmp_path / "result.json")
    assert list(tmp_path.iterdir()) == [young]


def test_an_unwritable_output_is_refused_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(
            os,
            "fsync",
            Mock(side_effect=OSError(28, "No space left on device")),
        )
        assert "No space left" in refusal(store.save, RESULT, tmp_path)
    with full_disk():
        assert "cannot write" in refusal(store.check_writable, tmp_path), "no work begins"
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "file").write_text("")
    for hosted, place in (("0", str(tmp_path)), ("1", "the server's results")):
        monkeypatch.setenv("PRUNESCOPE_HOSTED", hosted)
        assert refusal(store.check_writable, tmp_path / "file" / "below.json").startswith(
            f"cannot write {place}"
        )


def test_the_key_depends_on_what_decides_the_numbers() -> None:
    changes = {
        "num_layers": 4,
        "task": "cola",
        "source": "written",
        "num_examples": 100,
        "points": "both",
    }
    changes |= {
        "method": "random",
        "scope": "all-linear",
        "amounts": (0.0, 0.5),
        "until_damage": 0.3,
    }
    keys = [make_result(**{name: value}).key for name, value in changes.items()]
    keys += [
        make_result(method="random", **further).key
        for further in ({"seed": 1}, {"controls": "wanda"})
    ]
    keys.append(
        key_of(
            RESULT.model_copy(update={"environment": {**RESULT.environment, "dtype": "bfloat16"}})
        )
    )
    assert len({RESULT.key, *keys}) == 1 + len(keys)
    renamed = RESULT.task.model_copy(update={"source_name": "another name"})
    assert key_of(RESULT.model_copy(update={"task": renamed, "seconds": 9.0})) == RESULT.key


def test_a_compressed_result_is_found_among_shipped_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    compressed = compress(store.save(RESULT, tmp_path / "shipped"))
    monkeypatch.setattr(store, "SHIPPED_RESULTS", compressed.parent)
    monkeypatch.setenv("PRUNESCOPE_RESULTS", str(tmp_path / "own"))
    store.save(RESULT.model_copy(update={"seconds": 9.0}))
    assert store.find(RESULT.key) == store.place_in(compressed.parent, RESULT.key) == compressed
    assert store.load(compressed) == RESULT
    assert store.is_shipped(RESULT.key)
    assert (
        store.save(RESULT.model_copy(update={"seconds": 7.0}), compressed.parent) == compressed
    ), "it is replaced"
    assert store.load(compressed).seconds == 7.0
    whole = compressed.read_bytes()
    for damaged in (b"{}", whole[:-20], whole[:50] * 9):
        compressed.write_bytes(damaged)
        assert "is not readable as JSON: recompute it" in refusal(store.load, compressed)


# ---------------------------------------------------------------- studies of cuts

STUDY = make_study()
FAULT = "its depths do not lose one layer after another"


def test_a_study_and_a_sweep_share_a_store_and_stay_apart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PRUNESCOPE_RESULTS", str(tmp_path))
    study = store.save(STUDY)
    sweep = store.save(RESULT)
    assert store.find(STUDY.key) == study
    assert store.load_any(study) == STUDY
    assert store.load(sweep) == RESULT
    assert library.own(library.Entry) == (library.entry_of(RESULT),)
    assert library.own(library.CutEntry) == (library.entry_of(STUDY),)
    assert library.unreadable() == []
    assert "is a study of cuts, and a sweep is needed" in refusal(store.load, study)
    assert store.open_upload(study.read_bytes(), "mine.json") == STUDY
    monkeypatch.setattr(store, "SHIPPED_RESULTS", tmp_path / "results")
    for result in (STUDY, RESULT):
        store.save(result, tmp_path / "results")
        library.list_in(tmp_path / library.MANIFEST, [library.entry_of(result)])
    assert library.shipped(library.Entry) == (library.entry_of(RESULT),)
    assert library.shipped(library.CutEntry) == (library.entry_of(STUDY),)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"depths.1.layers": 3}, FAULT),
        ({"depths.0.layers": 4}, FAULT),
        (
            {"depths.1.held.predictions": [7, *STUDY.full.predictions[1:]]},
            "a label lies outside 0 to 1",
        ),
        ({"full.predictions": [0]}, "its predictions do not fit its examples"),
        ({"depths.1.size.speeds": {}}, "a depth has no speed"),
        (
            {"checkpoint.id": "embedded:none"},
            "no checkpoint embedded:none comes with this program",
        ),
        ({"kind": "slice"}, "is not a valid result"),
    ],
)
def test_a_study_that_no_page_can_show_is_refused(
    tmp_path: Path, changes: dict[str, Any], words: str
) -> None:
    path = tmp_path / "one.json"
    path.write_bytes(rewritten(STUDY, changes))
    assert words in refusal(store.load_any, path)


def test_the_key_depends_on_what_decides_the_predictions() -> None:
    others = (
        make_study(num_layers=3),
        make_study(task="qnli"),
        make_study(num_examples=100),
    )
    slower = STUDY.refit.training.model_copy(update={"rate": 0.1})
    refitted = [{"fingerprint": "d"}, {"stop": 41}, {"training": slower}]
    parts = [{"refit": STUDY.refit.model_copy(update=changes)} for changes in refitted] + [
        {"depths": STUDY.depths[1:]}
    ]
    keys = {key_of(STUDY.model_copy(update=changes)) for changes in parts}
    assert len({STUDY.key, *keys, *(study.key for study in others)}) == 8
    assert make_study(seed=1).key == STUDY.key, "predictions are not in the key"
