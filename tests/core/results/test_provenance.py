"""A result leads back to its request, and the command line to the same one."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from core.inputs.prepare import prepare
from core.request.catalog import TASKS
from core.request.sweep_request import SweepRequest, checked
from core.results.names import checkpoint_name
from core.results.provenance import (
    can_be_found,
    command_line,
    recompute_script,
    request_of,
)
from tests.builders import (
    made_by_recipe,
    make_result,
    make_result_of,
    with_own_key,
)
from tests.commands import asked
from tests.refusals import refusal


def test_a_result_leads_back_to_its_request() -> None:
    settings = {
        "amounts": (0.0, 0.2, 0.4),
        "points": "both",
        "scope": "layer:2",
        "num_examples": 60,
    }
    result = make_result(**settings, source="written")
    assert request_of(result) == SweepRequest("embedded:sst2", "sst2", **settings, data="written")
    checkpoint = result.checkpoint.model_copy(
        update={"source": "hub", "id": "owner/name", "revision": "abc"}
    )
    assert (
        request_of(result.model_copy(update={"checkpoint": checkpoint})).checkpoint
        == "owner/name@abc"
    )


def test_a_request_can_be_found_unless_a_place_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.request.limits.WEIGHTS", tmp_path)
    result = make_result(source="folder")
    made = SweepRequest("recipe:mpnet-l12-cola-seed-0", "cola", data="hub")
    task = result.task.model_copy(
        update={"source_name": TASKS["sst2"].dataset_id}
    )  # it holds the same as on the Hub
    whole = request_of(with_own_key(result, task=task))
    cut = request_of(result)
    assert [can_be_found(request) for request in (whole, cut, made)] == [
        True,
        False,
        False,
    ]
    (tmp_path / "mpnet-l12-cola-seed-0").mkdir()
    assert can_be_found(made)
    monkeypatch.setenv("PRUNESCOPE_HOSTED", "1")
    assert not can_be_found(made)


def pasted(command: str) -> SweepRequest:
    """Return the request that results from pasting the command."""
    _, program, line = command.partition("python -m core.precompute ")
    assert program
    return asked(line)


# Values that a command could mistake for other options or other pairs.
MARKS = {
    "label": "-l",
    "label_map": (("-1", "bad"), ("1", None), ("a=b\\", "c=d"), ("\\x", "=\\")),
}


@pytest.mark.parametrize(
    "request_",
    [
        SweepRequest(
            "embedded:sst2",
            "sst2",
            scope="layers:2-4",
            points="both",
            amounts=(0.0, 0.25, 0.5),
        ),
        SweepRequest(
            "owner/name@v1",
            "mrpc",
            num_examples=64,
            data="hub",
            source_name="GLUE; rm -rf 'x'",
        ),
        SweepRequest("owner/name", "auto", data="a.csv", text=("one", "two"), **MARKS),
    ],
)
def test_the_command_asks_for_the_same(
    request_: SweepRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a.csv").write_text("x")
    assert pasted(command_line(request_)) == checked(request_)


def test_weights_that_are_not_shipped_are_named_with_the_command_that_makes_them() -> None:
    plain = make_result(source="folder")
    task = plain.task.model_copy(update={"source_name": "mine\nrm -rf ~"})
    result = with_own_key(
        plain,
        checkpoint=made_by_recipe(plain.checkpoint, "mpnet-l12-cola", 2),
        task=task,
    )
    assert checkpoint_name(result) == "MPNet-L12, fine-tuned on CoLA, seed 2"
    weights, data, made, *_ = recompute_script(result).splitlines()
    assert f"(content {result.checkpoint.revision[:12]}…)" in weights
    assert data.endswith("sst2/validation-….parquet of mine rm -rf ~."), "no name begins a line"
    assert made == result.checkpoint.recipe.command


def test_a_run_on_folders_is_recomputed_from_anywhere(
    tiny_bert: Path,
    glue_folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    folder = shutil.copytree(tiny_bert, tmp_path / "models" / "bert-base-uncased")  # could be an id
    data = {
        "data": str(glue_folder),
        "source_name": "GLUE, cut",
        "num_examples": 16,
        "range_examples": "all",
    }
    request = checked(SweepRequest(str(folder), "sst2", amounts=(0.0, 0.5), seed=3, **data))
    result = make_result_of(request)
    checkpoint = result.checkpoint.model_copy(update={"id": folder.name, "source": "folder"})
    result = with_own_key(result, checkpoint=checkpoint)
    monkeypatch.chdir(folder.parent)
    complete = recompute_script(result, replace(request, checkpoint=folder.name))
    printed = recompute_script(result)
    assert "'./DATA_FOLDER' is not a folder" in refusal(pasted, printed)
    again = pasted(printed.replace("./DATA_FOLDER", str(glue_folder)))
    assert prepare(again).key_of(again) == result.key
    monkeypatch.chdir(tmp_path)
    assert pasted(complete) == replace(request, range_examples="subset")
    assert str(tmp_path) not in printed
