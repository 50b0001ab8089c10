"""Flips: what counts as one, and which texts belong to an example."""

from pathlib import Path

import pytest

from core.findings.sentences import examples_of, selected
from core.inputs.examples import open_examples
from core.inputs.texts import texts_of
from core.inputs.uploads import keep
from core.request.sweep_request import SweepRequest, checked
from tests.builders import open_preset
from tests.core.findings.made import flipping


def test_a_flip_is_the_first_departure_from_the_unpruned_prediction() -> None:
    examples = examples_of(flipping())
    assert [example.flip for example in examples] == [None, 2, 1, 3, None]
    assert [example.returns for example in examples] == [
        False,
        False,
        True,
        False,
        False,
    ]
    assert [example.row for example in selected(flipping(), examples)] == [
        2,
        1,
        0,
        3,
        4,
    ], "correct ones come first"


# ---------------------------------------------------------------- texts


def test_texts_once_drawn_are_remembered(
    glue_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    subset = open_preset("mrpc", str(glue_folder)).subset(40)
    known, (remembered,) = (
        subset.record,
        (tmp_path / "prunescope" / "subsets").iterdir(),
    )
    assert texts_of(known) == subset.texts
    for content in (
        remembered.read_text().replace(subset.texts[0][0], "spoilt"),
        "{",
        "7",
        "[" * 10**5,
    ):
        remembered.write_text(content)
        assert texts_of(known) is None, "not what the result was computed on"
    assert texts_of(known.model_copy(update={"fingerprint": "../../x"})) is None


def test_texts_of_a_file_are_found_of_an_upload_only_at_home(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    rows = "text,label\n" + "".join(f"sentence {k},{k % 2}\n" for k in range(12))
    for hosted in ("", "1"):
        monkeypatch.setenv("PRUNESCOPE_HOSTED", hosted)
        rows += "one more,1\n"
        request = SweepRequest("embedded:sst2", "sst2", data=keep("a.csv", rows.encode()))
        subset = open_examples(checked(request), ()).subset(4)
        assert texts_of(subset.record) == (None if hosted else subset.texts)
