"""A result leads back to its request, and the command line to the same one."""

import shlex
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import ValidationError
from tiny import make_texts

from core.errors import PrunescopeError
from core.findings.words.lab import check_sentence
from core.inputs.uploads import keep, placed
from core.precompute import compute, parse
from core.precompute import request_of as request_of_options
from core.request.amounts import stepped_amounts
from core.request.sweep_request import SweepRequest, checked
from core.results import library
from core.results.key import key_of
from core.results.names import checkpoint_name
from core.results.provenance import DATA_FOLDER, can_be_found, command_line, recipe, request_of
from core.results.schema import CheckpointRecord, RecipeRecord, SweepResult
from core.results.store import find, load
from tests.builders import make_result


@pytest.mark.parametrize("points", ["attention", "layer", "both"])
@pytest.mark.parametrize("scope", ["encoder", "all-linear", "layer:2"])
def test_a_result_leads_back_to_its_request(points: str, scope: str) -> None:
    amounts = stepped_amounts(0.2, 0.8)
    result = make_result(amounts=amounts, points=points, scope=scope, num_examples=60, source="written")
    assert request_of(result) == SweepRequest(
        "embedded:sst2", "sst2", "magnitude", scope, points, amounts, num_examples=60, data="written"
    )


def test_a_request_can_be_found_unless_a_place_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.request.sweep_request.WEIGHTS", tmp_path)
    one_each = {(entry.source, entry.checkpoint): find(entry.key) for entry in library.shipped()}
    shipped = [(source, request_of(load(path))) for (source, _), path in one_each.items() if path]
    found = {(source, request.data, request.checkpoint): can_be_found(request) for source, request in shipped}
    assert found["folder", "hub", "embedded:sst2"], "a folder named as the data set is on the Hub holds the same"
    assert found["written", "written", "embedded:qnli"]
    assert not found["folder", DATA_FOLDER, "embedded:qnli"], "the cut that it was measured on is not there"
    made = "recipe:mpnet-l12-cola-seed-0"
    assert not found["folder", "hub", made]
    (tmp_path / made.removeprefix("recipe:")).mkdir()
    assert can_be_found(SweepRequest(made, "cola", data="hub"))
    monkeypatch.setenv("PRUNESCOPE_HOSTED", "1")
    assert not can_be_found(SweepRequest(made, "cola", data="hub"))


def test_a_checkpoint_on_the_hub_is_pinned_to_its_commit() -> None:
    result = make_result()
    checkpoint = result.checkpoint.model_copy(update={"source": "hub", "id": "owner/name", "revision": "abc"})
    assert request_of(result.model_copy(update={"checkpoint": checkpoint})).checkpoint == "owner/name@abc"
    assert request_of(result.model_copy(update={"against": checkpoint})).against == "owner/name@abc"


@pytest.mark.parametrize(
    "request_",
    [
        SweepRequest("embedded:sst2", "sst2"),
        SweepRequest("embedded:sst2", "sst2", scope="layer:3", points="both", amounts=(0.0, 0.25, 0.5)),
        SweepRequest("embedded:sst2", "sst2", against="embedded:cola"),
        SweepRequest("owner/name@v1", "mrpc", num_examples=64, data="hub", source_name="GLUE; rm -rf 'x'"),
    ],
)
def test_the_command_line_asks_for_the_same(request_: SweepRequest) -> None:
    words = shlex.split(command_line(request_))
    assert words[:3] == ["python", "-m", "core.precompute"]
    assert request_of_options(parse(words[3:])) == checked(request_)


def test_values_that_look_like_options_stay_values(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("x")
    request = SweepRequest(
        "owner/name", "auto", data=str(tmp_path / "a.csv"), label="-l", label_map=(("-1", "bad"), ("1", None))
    )
    words = shlex.split(command_line(request))
    assert request_of_options(parse(words[3:])) == checked(request)


def run(command: str) -> SweepResult:
    """The request that results from pasting the command."""
    words = shlex.split(command)
    assert words[:3] == ["python", "-m", "core.precompute"]
    return compute(request_of_options(parse(words[3:])), None)


def test_weights_that_are_not_shipped_are_named_with_their_seed_and_the_command_that_makes_them() -> None:
    made_by = RecipeRecord(family="mpnet-l12-cola", seed=2)
    plain = make_result(source="written")
    folder = {"id": "recipe:mpnet-l12-cola-seed-2", "source": "folder", "recipe": made_by}
    result = plain.model_copy(update={"checkpoint": plain.checkpoint.model_copy(update=folder)})
    assert checkpoint_name(result) == "MPNet-L12, fine-tuned on CoLA, seed 2"
    printed = recipe(result)
    assert "--checkpoint recipe:mpnet-l12-cola-seed-2 " in printed.command
    assert f"(content {plain.checkpoint.revision[:12]}…)" in printed.missing
    assert printed.first == (made_by.command,)
    assert printed.script.splitlines() == [made_by.command, printed.command]
    assert key_of(result) == key_of(plain), "who made the weights does not decide the numbers"
    with pytest.raises(ValidationError, match="is not called by it"):
        CheckpointRecord.model_validate(result.checkpoint.model_dump() | {"id": "/home/me/tiny"})


@pytest.fixture
def hub_like_folder(tiny_bert: Path, tmp_path: Path) -> Path:
    """A checkpoint folder whose name would also do as an id on the Hub."""
    return Path(shutil.copytree(tiny_bert, tmp_path / "models" / "bert-base-uncased"))


def test_an_embedded_checkpoint_is_printed_by_its_name_though_the_result_came_from_a_copy() -> None:
    """A copy of it in a folder has the same content, and so its results have the same keys."""
    result = make_result(source="written")
    checkpoint = result.checkpoint.model_copy(update={"source": "folder", "id": "a-copy"})
    asked = SweepRequest("embedded:sst2", "sst2", data="written")
    printed = recipe(result.model_copy(update={"checkpoint": checkpoint}), asked)
    assert "--checkpoint embedded:sst2 " in printed.command
    assert printed.missing == ""


def test_a_run_on_folders_is_recomputed_from_anywhere_and_a_folder_is_never_printed_as_an_id_on_the_hub(
    hub_like_folder: Path, glue_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = SweepRequest(
        str(hub_like_folder),
        "sst2",
        amounts=(0.0, 0.5),
        num_examples=16,
        data=str(glue_folder),
        source_name="GLUE, cut",
        seed=3,  # of a method that draws nothing, and yet a part of the key
    )
    result = compute(checked(asked), None)
    judged_on_more = compute(checked(replace(asked, range_examples="all")), None)
    assert "--range-examples all" in recipe(judged_on_more, asked).command
    monkeypatch.chdir(hub_like_folder.parent)
    known = recipe(result, replace(asked, checkpoint="bert-base-uncased"))
    assert known.missing == ""
    monkeypatch.chdir(tmp_path)
    again = run(known.command)  # from anywhere
    assert (again.key, again.frames, again.task) == (result.key, result.frames, result.task)
    printed = recipe(result)
    assert str(tmp_path) not in printed.command + printed.missing
    assert f"content {result.checkpoint.revision[:12]}…" in printed.missing
    assert "sst2/validation-….parquet of this result's data: GLUE, cut" in printed.missing
    with pytest.raises(PrunescopeError, match=r"'\./bert-base-uncased' is not a checkpoint"):
        run(printed.command)
    monkeypatch.chdir(hub_like_folder.parent)  # beside it, the placeholder is the path
    with pytest.raises(PrunescopeError, match=r"'\./DATA_FOLDER' is not a folder"):
        run(printed.command)
    again = run(printed.command.replace("./DATA_FOLDER", str(glue_folder)))
    assert (again.key, again.frames, again.task) == (result.key, result.frames, result.task)


def test_an_upload_is_recomputed_from_where_it_is_kept(
    tiny_bert: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = "review,mood\n" + "".join(f"{text},{k % 2}\n" for k, text in enumerate(make_texts(24)))
    asked = SweepRequest(
        str(tiny_bert),
        "sst2",
        amounts=(0.0, 0.5),
        data=keep("reviews.csv", rows.encode()),
        text=("review",),
        label="mood",
    )
    result = compute(checked(asked), None)
    here = recipe(result, placed(asked))
    monkeypatch.chdir(tmp_path)
    again = run(here.command)
    assert (again.key, again.frames, again.task) == (result.key, result.frames, result.task)
    assert here.missing == ""
    elsewhere = recipe(result)
    assert "./reviews.csv is the file with the content" in elsewhere.missing
    assert "own:" not in elsewhere.command + here.command


@pytest.mark.parametrize(
    ("engine", "other", "torch_cka", "within", "said"),
    [
        (0.0, 0.0, 2.4e-6, True, ("is confirmed", "again it differs by 0 at most", "torch-cka by 2 × 10⁻⁶")),
        (3e-8, 0.0, 2.4e-6, True, ("is confirmed", "again it differs by 3 × 10⁻⁸")),
        (0.0, 4e-8, 2.4e-6, True, ("is confirmed", "again it differs by 4 × 10⁻⁸")),
        (0.0, 0.0, 0.2, False, ("is not confirmed", "torch-cka by 0.2")),
        (0.0, 0.0, None, False, ("is not confirmed", "torch-cka by inf")),
    ],
)
def test_a_check_is_stated_in_words(
    engine: float, other: float, torch_cka: float | None, within: bool, said: tuple[str, ...]
) -> None:
    deviations = {
        "amount": 0.5,
        "engine": {"mean": engine, "cls": 0.0},
        "others": {"floor": other},
        "torch_cka": {"mean": torch_cka, "cls": 0.0},
        "accuracy": 0.0,
        "within_tolerance": within,
    }
    sentence = check_sentence(deviations)
    assert all(part in sentence for part in (*said, "50 %"))
