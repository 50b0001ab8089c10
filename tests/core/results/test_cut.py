"""Files of studies of cuts: round trip, the store that they share with sweeps, refusals."""

import json
from pathlib import Path
from typing import Any

import pytest

from core.results import library, store
from core.results.cut import CutStudy, of_kind
from core.results.key import key_of
from tests.builders import make_result
from tests.refusals import refusal
from tests.studies import make_study
from tests.uploaded import rewritten

STUDY, SWEEP = make_study(), make_result()
FAULT = "its depths do not lose one layer after another"


def test_a_study_and_a_sweep_share_a_store_and_stay_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PRUNESCOPE_RESULTS", str(tmp_path))
    study, sweep = store.save(STUDY), store.save(SWEEP)
    assert (store.find(STUDY.key), store.load_any(study), store.load(sweep)) == (study, STUDY, SWEEP)
    listed = [[entry.key for entry in library.own(kind)] for kind in (library.Entry, library.CutEntry)]
    assert (listed, library.unreadable()) == ([[SWEEP.key], [STUDY.key]], [])
    assert "is a study of cuts, and a sweep is needed" in refusal(store.load, study)
    assert refusal(of_kind, CutStudy, SWEEP, "mine").startswith("mine is a sweep, and a study of cuts is needed")
    assert store.open_upload(study.read_bytes(), "mine.json") == STUDY
    monkeypatch.setattr(store, "SHIPPED_RESULTS", tmp_path / "results")
    for result in (STUDY, SWEEP):
        store.save(result, tmp_path / "results")
        library.list_in(tmp_path / library.MANIFEST, [library.entry_of(result)])
    assert library.shipped(library.Entry) == (library.entry_of(SWEEP),)
    assert library.shipped(library.CutEntry) == (library.entry_of(STUDY),)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"depths.1.layers": 3}, FAULT),
        ({"depths.0.layers": 4}, FAULT),
        ({"depths.0.layers": 99}, "depths.0.layers: Input should be less than 96"),
        ({"depths": []}, "depths: Tuple should have at least 1 item"),
        ({"depths.1.held.predictions": [7, *STUDY.full.predictions[1:]]}, "a label lies outside 0 to 1"),
        ({"full.predictions": [0]}, "its predictions do not fit its examples"),
        ({"depths.1.size.speeds": {}}, "a depth has no speed"),
        ({"refit.training.targets": "both"}, "refit.training.targets: Input should be 'labels' or 'answers'"),
        ({"checkpoint.id": "embedded:none"}, "no checkpoint embedded:none comes with this program"),
        ({"kind": "slice"}, "is not a valid result"),
    ],
)
def test_a_study_that_no_page_can_show_is_refused(tmp_path: Path, changes: dict[str, Any], words: str) -> None:
    path = tmp_path / "one.json"
    path.write_bytes(rewritten(STUDY, changes))
    assert words in refusal(store.load_any, path)


def test_an_older_study_is_refused_in_one_line(tmp_path: Path) -> None:
    path = tmp_path / "older.json"
    path.write_text(json.dumps({"schema_version": 2, "kind": "cut", "search": "all", "cuts": []}))
    assert refusal(store.load_any, path) == (
        "older.json is an older study, of cuts that were not refitted: compute it again with python -m core.cut"
    )


def test_the_key_depends_on_what_decides_the_predictions() -> None:
    others = make_study(num_layers=3), make_study(task="qnli"), make_study(num_examples=100)
    slower = STUDY.refit.training.model_copy(update={"rate": 0.1})
    refitted = [{"fingerprint": "d"}, {"stop": 41}, {"training": slower}]
    parts = [{"refit": STUDY.refit.model_copy(update=changes)} for changes in refitted] + [{"depths": STUDY.depths[1:]}]
    keys = {key_of(STUDY.model_copy(update=changes)) for changes in parts}
    assert len({STUDY.key, *keys, *(study.key for study in others)}) == 8
    assert make_study(seed=1).key == STUDY.key, "predictions are not in the key"
