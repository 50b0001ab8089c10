"""The file of a study of cuts: round trip, one store with sweeps, what is refused."""

import json
from pathlib import Path
from typing import Any

import pytest

from core.results import library, store
from core.results.cut import study_in, sweep_in
from core.results.digest import digest
from core.results.key import sealed
from tests.builders import make_result
from tests.refusals import refusal
from tests.studies import make_study
from tests.uploaded import rewritten

STUDY, SWEEP = make_study(), make_result()
FAULT = "its cuts and examples do not fit each other"


def test_a_study_and_a_sweep_share_a_store_and_stay_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PRUNESCOPE_RESULTS", str(tmp_path))
    study, sweep = store.save(STUDY), store.save(SWEEP)
    assert (store.find(STUDY.key), store.load_cut(study), store.load(sweep)) == (study, STUDY, SWEEP)
    listed = [[entry.key for entry in library.own(kind)] for kind in (library.Entry, library.CutEntry)]
    assert (listed, library.unreadable()) == ([[SWEEP.key], [STUDY.key]], [])
    assert "is a study of cuts, and a sweep is needed" in refusal(store.load, study)
    assert "is a sweep, and a study of cuts is needed" in refusal(store.load_cut, sweep)
    found = store.open_upload(study.read_bytes(), "mine.json")
    assert study_in(found, "mine.json") == STUDY
    assert refusal(sweep_in, found, "mine.json").startswith("mine.json is a study of cuts")
    monkeypatch.setattr(store, "SHIPPED_RESULTS", tmp_path / "results")
    for result in (STUDY, SWEEP, STUDY):
        store.save(result, tmp_path / "results")
        library.list_in(tmp_path / library.MANIFEST, [library.entry_of(result)])
    assert library.shipped(library.Entry) == (library.entry_of(SWEEP),)
    assert library.shipped(library.CutEntry) == (library.entry_of(STUDY),)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"cuts.3.judged": [0, 1]}, FAULT),
        ({"cuts.3.layers": [2, 1]}, FAULT),
        ({"cuts.3.layers": [0, 9]}, FAULT),
        ({"cuts.3.worth": None}, FAULT),
        ({"cuts.3": STUDY.cuts[2].model_dump(mode="json")}, FAULT),
        ({"cuts.3.calibration": [7, *STUDY.cuts[3].calibration[1:]]}, "a label lies outside 0 to 1"),
        ({"calibration.split": "validation"}, FAULT),
        ({"checkpoint.id": "embedded:none"}, "no checkpoint embedded:none comes with this program"),
        ({"kind": "slice"}, "is not a valid result"),
    ],
)
def test_what_no_page_could_show_is_refused_in_one_line(tmp_path: Path, changes: dict[str, Any], said: str) -> None:
    path = tmp_path / "one.json"
    path.write_bytes(rewritten(STUDY, changes))
    message = refusal(store.load_any, path)
    assert said in message
    assert "\n" not in message


def test_what_older_studies_hold_besides_is_left_out(tmp_path: Path) -> None:
    values = STUDY.model_dump(mode="json", exclude={"checksum"})
    for cut in values["cuts"]:
        cut |= {"share": 0.0, "kept": [], "read": 0.5, "worth": {**cut["worth"], "changed": {"value": 0.1}}}
    values["cuts"] += [{**values["cuts"][0], "share": 0.5, "kept": ["8A=="]}, {**values["cuts"][1], "worth": None}]
    values |= {"scores": {"cosine": [0.5], "cka": [None]}, "steps": [{"picks": {}, "drawn": [[0]]}]}
    path = tmp_path / "older.json"
    path.write_text(json.dumps({**values, "checksum": digest(values)}))
    assert sealed(store.load_cut(path)) == STUDY


def test_the_key_follows_what_decides_the_predictions() -> None:
    others = make_study(num_layers=3), make_study(task="qnli"), make_study(num_examples=100)
    assert len({STUDY.key, *(study.key for study in others)}) == 4
    assert make_study(seed=1).key == STUDY.key, "outcomes are not in the key"
