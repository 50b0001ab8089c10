"""Data sets on a local Hub: which files are read, at which commit, and which are refused."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from datasets import ClassLabel, Dataset, Features, Value
from huggingface_hub import constants
from local_hub import LocalHub, commit_of
from tiny import make_bert

from core.errors import PrunescopeError
from core.inputs.hub import fetch
from core.inputs.hub_data import find_dataset, layout, usual_config
from core.inputs.prepare import Inputs, prepare
from core.precompute import parse, request_of
from core.request import limits
from core.request.sweep_request import dataset_of
from core.results.provenance import recipe
from tests.builders import make_result

REPO = "someone/moods"
NAMES = ("bad", "good")
FEATURES = Features({"id": Value("int64"), "text": Value("string"), "label": ClassLabel(names=list(NAMES))})


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random classifier with the data's labels, in another order and case. Do not write to it."""
    folder = make_bert(tmp_path_factory.mktemp("checkpoints") / "tiny-moods")
    config = folder / "config.json"
    text = config.read_text().replace('"LABEL_0"', '"Good"').replace('"LABEL_1"', '"Bad"')
    config.write_text(text)
    if "id2label" not in text:
        config.write_text(text.rstrip()[:-1] + ', "id2label": {"0": "Good", "1": "Bad"}}')
    return folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "repo"


@pytest.fixture
def write(folder: Path) -> Callable[..., Path]:
    """Writes one Parquet file of so many rows into a folder, by default that of the repository."""

    def write_file(name: str, rows: int = 20, said: str = "", where: Path | None = None) -> Path:
        path = (where or folder) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        columns = {
            "id": list(range(rows)),
            "text": [f"{said or path.parent.name + ' ' + path.stem} {k}" for k in range(rows)],
            "label": [k % 2 for k in range(rows)],
        }
        Dataset.from_dict(columns, features=FEATURES).to_parquet(str(path))
        return path

    return write_file


@pytest.fixture
def ask(checkpoint: Path) -> Callable[..., Inputs]:
    def asked(data: str = f"hub:{REPO}", *further: str) -> Inputs:
        words = ["--checkpoint", str(checkpoint), "--data", data, *further]
        return prepare(request_of(parse(words)))

    return asked


@pytest.fixture
def refusal(ask) -> Callable[..., str]:
    def refused(*arguments: str) -> str:
        with pytest.raises(PrunescopeError) as caught:
            ask(*arguments)
        assert "\n" not in str(caught.value)
        return str(caught.value)

    return refused


def downloaded(hub: LocalHub) -> list[str]:
    """The data files that were asked for with their content."""
    asked = [path for method, path, _ in hub.requests if method == "GET" and "/resolve/" in path]
    return [path.partition("/resolve/")[2].partition("/")[2] for path in asked]


def test_a_data_set_with_three_splits(hub: LocalHub, write, folder: Path, ask, refusal) -> None:
    for split in ("train", "validation", "test"):
        write(f"data/{split}-00000-of-00001.parquet", rows=40)
    hub.datasets[REPO] = folder
    inputs = ask()
    subset, record = inputs.subset, inputs.subset.record()
    assert (subset.source, subset.source_name, subset.split, len(subset.rows)) == ("hub", REPO, "validation", 40)
    assert all(text.startswith("data validation-") for (text,) in subset.texts)
    assert subset.gold == tuple(1 - row % 2 for row in subset.rows), "by name: the checkpoint has Good first"
    assert record.data == f"hub:{REPO}@{commit_of(hub.files('datasets', REPO) or {})}"
    assert [(file.name, file.rows) for file in record.files or ()] == [
        ("data/validation-00000-of-00001.parquet", (0, 40))
    ]
    assert (record.guessed, record.label_map) == (("text", "label"), None)
    assert downloaded(hub) == ["data/validation-00000-of-00001.parquet"], "nothing else"
    scored = ask(f"hub:{REPO}", "--split", "test", "--method", "wanda")
    assert scored.calibration is not None
    assert {text.split("-")[0] for (text,) in scored.calibration.texts} == {"data train"}
    assert {text.split("-")[0] for (text,) in scored.subset.texts} == {"data test"}
    trained = ask(f"hub:{REPO}", "--split", "train", "--method", "wanda")
    assert (len(trained.subset.rows), trained.calibration and len(trained.calibration.rows)) == (20, 20)
    assert "has no split 'dev', only test, train, validation: name one with --split" in refusal(
        f"hub:{REPO}", "--split", "dev"
    )


def test_the_files_that_the_hub_has_converted_serve(hub: LocalHub, write, folder: Path, ask, refusal) -> None:
    folder.mkdir()
    (folder / "reviews.csv").write_text("text,label\n")
    hub.datasets[REPO] = folder
    assert "has no Parquet files at revision 'main', and a loading script is never run" in refusal()
    converted = folder.parent / "converted"
    for name in ("default/train/0000.parquet", "default/partial-validation/0000.parquet"):
        write(name, where=converted)
    hub.branches[REPO, "refs/convert/parquet"] = converted
    record = ask().subset.record()
    commit = commit_of(hub.at("datasets", REPO, "refs/convert/parquet") or {})
    assert record.data == f"hub:{REPO}@{commit}"
    assert record.files is not None
    assert record.files[0].name == "default/partial-validation/0000.parquet"
    assert "has no Parquet files at revision 'main'" in refusal(f"hub:{REPO}@main")
    assert ask(record.data).subset.record() == record, "the commit of the converted files will do"


def test_a_loading_script_is_never_run(hub: LocalHub, folder: Path, refusal) -> None:
    folder.mkdir()
    (folder / "moods.py").write_text("raise SystemExit('it ran')")
    hub.datasets[REPO] = folder
    assert "a loading script is never run" in refusal()
    assert downloaded(hub) == []


def test_a_gated_one(hub: LocalHub, write, folder: Path, refusal, monkeypatch: pytest.MonkeyPatch) -> None:
    write("data/validation-00000-of-00001.parquet")
    hub.datasets[REPO] = folder
    hub.faults[REPO] = "gated"
    assert (
        "is gated: accept its terms on the Hub and log in with `hf auth login`, or choose an open data set" in refusal()
    )


def test_of_50_gb_one_file_is_read(hub: LocalHub, write, folder: Path, ask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "LOCAL_LIMITS", replace(limits.LOCAL_LIMITS, rows=50))
    names = [f"data/validation-{k:05}-of-00100.parquet" for k in range(100)]
    first = write(names[0], rows=60)
    for name in names[1:]:
        (folder / name).write_bytes(b"never asked for")
        hub.sizes[REPO, name] = 500 * 2**20
    hub.datasets[REPO] = folder
    record = ask().subset.record()
    assert downloaded(hub) == [names[0]]
    assert [(file.name, file.rows) for file in record.files or ()] == [(names[0], (0, 50))]
    assert len(record.examples) == 25, "no other split: half is left to score on"
    hub.sizes[REPO, names[0]] = 7 * 2**30
    shutil.rmtree(constants.HF_HUB_CACHE)
    hub.requests.clear()
    with pytest.raises(
        PrunescopeError, match="is a download of 7,168 MiB, more than the 6,144 MiB allowed here: choose a"
    ):
        ask()
    assert downloaded(hub) == []
    assert first.is_file()


def test_the_size_is_known_before_anything_is_downloaded(
    hub: LocalHub, write, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "LOCAL_LIMITS", replace(limits.LOCAL_LIMITS, rows=50))
    sizes = [write(f"data/validation-{k:05}-of-00004.parquet", rows=20).stat().st_size for k in range(4)]
    hub.datasets[REPO] = folder
    found = find_dataset(dataset_of(f"hub:{REPO}"), "validation")
    assert found.to_download() == tuple(sizes)
    assert downloaded(hub) == []
    fetch(found.listing, found.splits["validation"][0])
    assert found.to_download() == tuple(sizes[1:])
    found.files("validation")
    assert found.to_download() == (), "three files have rows enough"
    hub.sizes[REPO, found.splits["validation"][0]] = 7 * 2**30
    shutil.rmtree(constants.HF_HUB_CACHE)
    with pytest.raises(PrunescopeError, match="is a download of 7,168 MiB"):
        find_dataset(dataset_of(f"hub:{REPO}"), "validation").to_download()


def test_files_are_read_in_name_order_until_there_are_enough_rows(
    hub: LocalHub, write, folder: Path, ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "LOCAL_LIMITS", replace(limits.LOCAL_LIMITS, rows=50))
    for k in (2, 0, 1, 3):
        write(f"data/validation-{k:05}-of-00004.parquet", rows=20)
    hub.datasets[REPO] = folder
    record = ask().subset.record()
    assert [(file.name[-22:-17], file.rows) for file in record.files or ()] == [
        ("00000", (0, 20)),
        ("00001", (20, 40)),
        ("00002", (40, 50)),
    ]
    assert len(downloaded(hub)) == 3


def test_a_revision_that_moves_stays_pinned(
    hub: LocalHub, write, folder: Path, ask, refusal, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, after = folder.parent / "before", folder.parent / "after"
    for where, said in ((before, "before"), (after, "after")):
        write("validation.parquet", said=said, where=where)
    hub.datasets[REPO] = hub.branches[REPO, "v1"] = before
    first = ask(f"hub:{REPO}@v1").subset
    record = first.record()
    hub.datasets[REPO] = hub.branches[REPO, "v1"] = after
    hub.old[REPO] = [before]
    assert {text.split()[0] for (text,) in ask(f"hub:{REPO}@v1").subset.texts} == {"after"}
    assert record.data is not None
    assert ask(record.data).subset == first
    assert "has no revision 'v2': leave it out, or give an existing branch" in refusal(f"hub:{REPO}@v2")
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    assert ask(record.data).subset == first, "and without network"
    assert {text.split()[0] for (text,) in ask(f"hub:{REPO}@v1").subset.texts} == {"after"}


def test_without_network_it_is_refused_clearly(hub: LocalHub, refusal, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "is not on the Hub, or is private" in refusal()
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    assert "offline mode is on" in refusal()


def test_a_part_in_the_cache_will_not_do(
    hub: LocalHub, write, folder: Path, ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    for k in range(2):
        write(f"data/validation-{k:05}-of-00002.parquet", rows=20)
    hub.datasets[REPO] = folder
    monkeypatch.setattr(limits, "LOCAL_LIMITS", replace(limits.LOCAL_LIMITS, rows=15))
    assert len(ask().subset.rows) == 7
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    assert len(ask().subset.rows) == 7, "enough rows are there"
    monkeypatch.setattr(limits, "LOCAL_LIMITS", replace(limits.LOCAL_LIMITS, rows=30))
    with pytest.raises(PrunescopeError, match="the local cache has only a part of split 'validation'"):
        ask()


def test_a_configuration_is_asked_for_where_it_is_unclear(hub: LocalHub, write, folder: Path, ask, refusal) -> None:
    for config in ("films", "books"):
        write(f"{config}/validation-00000-of-00001.parquet", said=config)
    hub.datasets[REPO] = folder
    assert "has several configurations books, films: name one, such as hub:someone/moods/books" in refusal()
    assert "no configuration 'songs', only books, films" in refusal(f"hub:{REPO}/songs")
    subset = ask(f"hub:{REPO}/films").subset
    assert subset.source_name == f"{REPO}/films"
    assert subset.texts[0][0].startswith("films")
    (folder / "README.md").write_text(
        "---\nconfigs:\n- config_name: both\n  default: true\n  data_files:\n  - split: validation\n"
        "    path: '*/*.parquet'\n---\n"
    )
    assert len(ask().subset.rows) == 20, "half of both"


def test_rows_without_text_or_label_are_left_out(hub: LocalHub, folder: Path, ask) -> None:
    path = folder / "validation.parquet"
    path.parent.mkdir()
    columns = {"text": ["", None, *(f"text {k}" for k in range(18))], "label": [k % 2 for k in range(18)] + [-1, -1]}
    features = Features({"text": Value("string"), "label": ClassLabel(names=list(NAMES))})
    Dataset.from_dict(columns, features=features).to_parquet(str(path))
    hub.datasets[REPO] = folder
    assert sorted(ask(f"hub:{REPO}", "--examples", "16").subset.rows) == list(range(2, 18))


def test_the_printed_command_names_the_commit_and_the_columns(hub: LocalHub, write, folder: Path, ask) -> None:
    write("validation.parquet")
    hub.datasets[REPO] = folder
    task = ask().subset.record()
    command = recipe(make_result(num_examples=8).model_copy(update={"task": task})).command
    assert f"--data {task.data} --split validation --text text --label label" in command


@pytest.mark.parametrize("data", ["hub:moods", "hub:a/b/c/d", "hub:a/b@", "hub:a/../b", "hub:/etc/passwd", "hub:a/b c"])
def test_what_names_no_data_set_is_refused(refusal, data: str) -> None:
    assert "is not a data set: write hub:OWNER/NAME" in refusal(data)


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["data/train-00000-of-00002.parquet", "data/train-00001-of-00002.parquet"], {"default": {"train": 2}}),
        (["validation.parquet", "README.md", "test.parquet"], {"default": {"validation": 1, "test": 1}}),
        (["split/test-00000-of-00001-0a1b2c.parquet"], {"split": {"test": 1}}),
        (["en/train/0000.parquet", "en/train/0001.parquet", "de/partial-train/0000.parquet"],
         {"en": {"train": 2}, "de": {"train": 1}}),
        (["data/en/train.parquet"], {"en": {"train": 1}}),
        (["train.csv"], {}),
    ],
)  # fmt: skip
def test_names_tell_configurations_and_splits(names: list[str], expected: dict[str, dict[str, int]]) -> None:
    found = layout(names)
    assert {
        config: {split: len(files) for split, files in splits.items()} for config, splits in found.items()
    } == expected


@pytest.mark.parametrize(
    ("configs", "expected"),
    [
        ([{"config_name": "a", "data_files": [{"split": "dev", "path": ["x/dev.parquet"]}]}], {"a": {"dev"}}),
        ([{"config_name": "a", "data_files": "x/*.parquet"}], {"a": {"train"}}),
        ([{"config_name": "a", "data_files": "x/*.csv"}], {"x": {"dev"}}),
        ("nonsense", {"x": {"dev"}}),
        ([None, {"data_files": [{"path": 3}, 4]}], {"x": {"dev"}}),
    ],
)
def test_a_card_tells_better(configs: object, expected: dict[str, set[str]]) -> None:
    assert {config: set(splits) for config, splits in layout(["x/dev.parquet"], configs).items()} == expected


def test_the_usual_configuration() -> None:
    assert usual_config(["only"]) == "only"
    assert usual_config(["a", "default"]) == "default"
    assert usual_config(["a", "b"]) is None
    assert usual_config(["a", "default"], [{"config_name": "a", "default": True}]) == "a"
