"""Data sets on a local Hub: which files are read, at which commit, and which are refused."""

import json
from functools import partial

import pytest
from datasets import ClassLabel, Dataset, Features, Value
from hub_faults import Fault, sized
from huggingface_hub import constants
from local_hub import commit_of
from tiny import make_bert

from core.inputs.data import find_dataset, layout
from core.inputs.prepare import prepare
from core.precompute import parse
from core.request import limits
from core.request.sweep_request import SweepRequest, request_in
from core.results.provenance import recompute_script
from tests.builders import make_result
from tests.refusals import refusal

REPO = "someone/moods"
FEATURES = Features({"text": Value("string"), "label": ClassLabel(names=["bad", "good"])})


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    """Make a random classifier with the data's labels, in another order and case. Do not write to it."""
    folder = make_bert(tmp_path_factory.mktemp("checkpoints") / "tiny-moods")
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(
        json.dumps({**config, "id2label": {"0": "Good", "1": "Bad"}})
    )
    return folder


@pytest.fixture
def folder(tmp_path, hub):
    """Return the folder of a repository that the Hub serves."""
    hub.datasets[REPO] = tmp_path / "repo"
    (tmp_path / "repo").mkdir()
    return tmp_path / "repo"


def write(where, name, rows=20):
    """Write one Parquet file of so many rows, whose texts begin with the names of its folder and of itself."""
    path = where / name
    path.parent.mkdir(parents=True, exist_ok=True)
    texts = [f"{path.parent.name} {path.stem} {k}" for k in range(rows)]
    columns = {"text": texts, "label": [k % 2 for k in range(rows)]}
    Dataset.from_dict(columns, features=FEATURES).to_parquet(str(path))
    return path


@pytest.fixture
def ask(checkpoint):
    return lambda data=f"hub:{REPO}", *further: prepare(
        request_in(parse(["--checkpoint", str(checkpoint), "--data", data, *further]), SweepRequest)
    )


@pytest.fixture
def refused(ask):
    return partial(refusal, ask)


def read_at_most(patch, rows):
    patch.setattr(limits, "LOCAL_LIMITS", limits.LOCAL_LIMITS._replace(rows=rows))


def downloaded(hub):
    """Return the data files whose content was requested."""
    asked = [path for method, path, _ in hub.requests if method == "GET" and "/resolve/" in path]
    return [path.partition("/resolve/")[2].partition("/")[2] for path in asked]


def test_a_data_set_with_three_splits(hub, folder, ask, refused):
    for split in ("train", "validation", "test"):
        write(folder, f"data/{split}-00000-of-00001.parquet", rows=40)
    subset = ask().subset
    record = subset.record
    assert (record.source, record.source_name, record.split, len(record.examples)) == (
        "hub",
        REPO,
        "validation",
        40,
    )
    assert record.gold == tuple(1 - row % 2 for row in record.examples), (
        "by name: the checkpoint has Good first"
    )
    assert record.data == f"hub:{REPO}@{commit_of(hub.files('datasets', REPO) or {})}"
    assert downloaded(hub) == ["data/validation-00000-of-00001.parquet"], "nothing else"
    scored = ask(f"hub:{REPO}", "--split", "test", "--method", "wanda")
    assert {text.split("-")[0] for (text,) in scored.calibration.texts} == {"data train"}
    assert {text.split("-")[0] for (text,) in scored.subset.texts} == {"data test"}
    trained = ask(f"hub:{REPO}", "--split", "train", "--method", "wanda")
    assert (len(trained.subset.record.examples), len(trained.calibration.record.examples)) == (
        20,
        20,
    )
    assert "'dev': choose one of test, train, validation" in refused(
        f"hub:{REPO}", "--split", "dev"
    )
    command = recompute_script(make_result(num_examples=8).model_copy(update={"task": record}))
    assert f"--data {record.data} --split validation --text text --label label" in command


def test_files_that_the_hub_has_converted_serve_and_no_script_is_run(hub, folder, ask, refused):
    (folder / "moods.py").write_text("raise SystemExit('it ran')")
    assert "has no Parquet files at revision 'main', and a loading script is never run" in refused()
    assert downloaded(hub) == []
    write(folder.parent / "converted", "default/partial-validation/0000.parquet")
    hub.branches[REPO, "refs/convert/parquet"] = folder.parent / "converted"
    record = ask().subset.record
    assert (
        record.data
        == f"hub:{REPO}@{commit_of(hub.at('datasets', REPO, 'refs/convert/parquet') or {})}"
    )
    assert "has no Parquet files at revision 'main'" in refused(f"hub:{REPO}@main")
    assert ask(record.data).subset.record == record, "the commit of the converted files will do"


def test_files_are_read_by_name_until_rows_suffice(hub, folder, ask, refused, monkeypatch):
    read_at_most(monkeypatch, 50)
    names = [f"data/validation-{k:05}-of-00004.parquet" for k in range(4)]
    for name in names:
        write(folder, name)
    find_dataset(f"hub:{REPO}", "validation")
    assert downloaded(hub) == []
    record = ask().subset.record
    rows = (0, 20), (20, 40), (40, 50)
    assert [(file.name, file.rows) for file in record.files] == list(
        zip(names[:3], rows, strict=True)
    )
    assert downloaded(hub) == names[:3]
    assert len(record.examples) == 25, "no other split: half is left to score on"
    with monkeypatch.context() as patch:
        patch.setattr(constants, "HF_HUB_OFFLINE", True)
        assert ask().subset.record == record, "enough rows are there"
        read_at_most(patch, 70)
        assert "only a part of 'validation' is in the local cache" in refused()
    read_at_most(monkeypatch, 70)
    hub.faults[REPO] = Fault("api", sized(7 * 2**30))
    assert (
        "is a download of 7,168 MiB, more than the 6,144 MiB allowed here: choose a smaller one"
        in refused()
    )


def test_a_revision_that_moves_stays_pinned(hub, tmp_path, ask, refused, monkeypatch):
    before, after = (
        write(tmp_path / name, "validation.parquet").parent for name in ("before", "after")
    )
    hub.datasets[REPO] = hub.branches[REPO, "v1"] = before
    first = ask(f"hub:{REPO}@v1").subset
    pinned = first.record.data
    hub.datasets[REPO] = hub.branches[REPO, "v1"] = after
    hub.branches[REPO, "v0"] = before  # else its commit would not be found
    assert "has no such revision: leave it out, or give an existing branch" in refused(
        f"hub:{REPO}@v2"
    )
    for is_offline in (False, True):
        monkeypatch.setattr(constants, "HF_HUB_OFFLINE", is_offline)
        assert {text.split()[0] for (text,) in ask(f"hub:{REPO}@v1").subset.texts} == {"after"}
        assert ask(pinned).subset == first


def test_what_is_not_to_be_had_is_refused(hub, folder, ask, refused):
    for name in ("hub:moods", "hub:a/b@", "hub:a/../b"):
        assert "is not a data set: write hub:OWNER/NAME" in refused(name)
    assert "is not on the Hub, or is private" in refused("hub:someone/else")


def test_a_configuration_is_asked_for_where_it_is_unclear(hub, folder, ask, refused):
    for config in ("films", "books"):
        write(folder, f"{config}/validation-00000-of-00001.parquet")
    assert (
        "unknown configuration of someone/moods 'default': choose one of books, films" in refused()
    )
    subset = ask(f"hub:{REPO}/films").subset
    assert (subset.record.source_name, subset.texts[0][0][:5]) == (f"{REPO}/films", "films")


def test_rows_without_text_or_label_are_left_out(folder, ask):
    columns = {
        "text": ["", None, *(f"text {k}" for k in range(18))],
        "label": [k % 2 for k in range(18)] + [-1, -1],
    }
    Dataset.from_dict(columns, features=FEATURES).to_parquet(
        path := str(folder / "validation.parquet")
    )
    for data in (f"hub:{REPO}", path):
        assert sorted(ask(data, "--examples", "16").subset.record.examples) == list(range(2, 18))


def test_names_tell_configurations_and_splits():
    names = [
        *(f"data/train-0000{k}-of-00002.parquet" for k in range(2)), "test.parquet", "README.md", "train.csv",
        "en/train/0000.parquet", "de/partial-train/0000.parquet",
    ]  # fmt: skip
    counts = {
        config: {split: len(files) for split, files in found.items()}
        for config, found in layout(names).items()
    }
    assert counts == {"default": {"train": 2, "test": 1}, "en": {"train": 1}, "de": {"train": 1}}
