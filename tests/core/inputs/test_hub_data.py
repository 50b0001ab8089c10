"""Data sets on a local Hub: which files are read, at which commit, and which are refused."""

import pytest
from datasets import ClassLabel, Dataset, Features, Value
from hub_faults import Fault, sized
from huggingface_hub import constants
from local_hub import commit_of
from tiny import make_bert

from core.inputs.data import find_dataset, layout
from core.inputs.prepare import prepare
from core.request import limits
from core.results.provenance import request_of
from tests.builders import make_result
from tests.commands import asked
from tests.refusals import refusal

REPO = "someone/moods"
FEATURES = Features({"text": Value("string"), "label": ClassLabel(names=["bad", "good"])})


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    """Make a random classifier with the data's labels, in another order and case; read only."""
    folder = tmp_path_factory.mktemp("checkpoints") / "tiny-moods"
    return make_bert(folder, id2label={0: "Good", 1: "Bad"})


@pytest.fixture
def folder(tmp_path, hub):
    """Return the folder of a repository that the Hub serves."""
    hub.datasets[REPO] = tmp_path / "repo"
    (tmp_path / "repo").mkdir()
    return tmp_path / "repo"


def write(where, name, rows=20):
    """Write a Parquet file, whose texts begin with the names of its folder and of itself."""
    path = where / name
    path.parent.mkdir(parents=True, exist_ok=True)
    texts = [f"{path.parent.name} {path.stem} {k}" for k in range(rows)]
    columns = {"text": texts, "label": [k % 2 for k in range(rows)]}
    Dataset.from_dict(columns, features=FEATURES).to_parquet(str(path))


@pytest.fixture
def ask(checkpoint):
    """Return a function that finds the inputs of data, and of further options."""

    def find(data=f"hub:{REPO}", further=""):
        return prepare(asked(f"--checkpoint {checkpoint} --data {data} {further}"))

    return find


def read_at_most(patch, rows):
    patch.setattr(limits, "LOCAL_LIMITS", limits.LOCAL_LIMITS._replace(rows=rows))


def downloaded(hub):
    """Return the data files whose content was requested."""
    places = [path for method, path, _ in hub.requests if method == "GET" and "/resolve/" in path]
    return [place.partition("/resolve/")[2].partition("/")[2] for place in places]


def beginnings(subset):
    """Return how the texts of examples begin: with the names of their folder and file."""
    return {text.split("-")[0] for (text,) in subset.texts}


@pytest.fixture
def three_splits(folder):
    for split in ("train", "validation", "test"):
        write(folder, f"data/{split}-00000-of-00001.parquet", rows=40)


@pytest.mark.usefixtures("three_splits")
def test_the_validation_split_is_evaluated(hub, ask):
    record = ask().subset.record

    assert record.source == "hub"
    assert record.source_name == REPO
    assert record.split == "validation"
    assert len(record.examples) == 40
    # By name: the checkpoint has Good first.
    assert record.gold == tuple(1 - row % 2 for row in record.examples)
    assert record.data == f"hub:{REPO}@{commit_of(hub.files('datasets', REPO) or {})}"
    assert downloaded(hub) == ["data/validation-00000-of-00001.parquet"], "nothing else"
    result = make_result(num_examples=8).model_copy(update={"task": record})
    request = request_of(result)
    assert request.data == record.data
    assert request.split == "validation"


@pytest.mark.usefixtures("three_splits")
def test_a_split_can_be_chosen_and_the_training_split_scores(ask):
    tested = ask(f"hub:{REPO}", "--split test --method wanda")
    trained = ask(f"hub:{REPO}", "--split train --method wanda")

    assert beginnings(tested.calibration) == {"data train"}
    assert beginnings(tested.subset) == {"data test"}
    assert len(trained.subset.texts) == len(trained.calibration.texts) == 20
    line = refusal(ask, f"hub:{REPO}", "--split dev")
    assert "'dev': choose one of test, train, validation" in line


def test_files_that_the_hub_has_converted_serve_and_no_script_is_run(hub, folder, ask):
    (folder / "moods.py").write_text("raise SystemExit('it ran')")
    nothing = "has no Parquet files at revision 'main'"
    assert f"{nothing}, and a loading script is never run" in refusal(ask)
    assert downloaded(hub) == []

    branch = "refs/convert/parquet"
    hub.branches[REPO, branch] = folder.parent / "converted"
    write(hub.branches[REPO, branch], "default/partial-validation/0000.parquet")
    record = ask().subset.record

    assert record.data == f"hub:{REPO}@{commit_of(hub.at('datasets', REPO, branch) or {})}"
    assert nothing in refusal(ask, f"hub:{REPO}@main")
    assert ask(record.data).subset.record == record, "the commit of the converted files will do"


@pytest.fixture
def four_files(folder, monkeypatch):
    """Write four files of 20 rows, of which 50 are read; return their names."""
    read_at_most(monkeypatch, 50)
    names = [f"data/validation-{number:05}-of-00004.parquet" for number in range(4)]
    for name in names:
        write(folder, name)
    return names


def test_files_are_read_by_name_until_rows_suffice(hub, four_files, ask):
    find_dataset(f"hub:{REPO}", "validation")
    assert downloaded(hub) == []

    record = ask().subset.record

    rows = [(0, 20), (20, 40), (40, 50)]
    files = [(file.name, file.rows) for file in record.files]
    assert files == list(zip(four_files[:3], rows, strict=True))
    assert downloaded(hub) == four_files[:3]
    assert len(record.examples) == 25, "no other split: half is left to score on"


@pytest.mark.usefixtures("four_files")
def test_offline_a_part_will_do_if_it_has_enough_rows(ask, monkeypatch):
    record = ask().subset.record
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)

    assert ask().subset.record == record

    read_at_most(monkeypatch, 70)
    assert "only a part of 'validation' is in the local cache" in refusal(ask)


@pytest.mark.usefixtures("four_files")
def test_a_download_that_is_too_large_is_refused(hub, ask):
    hub.faults[REPO] = Fault("api", sized(7 * 2**30))

    line = "is a download of 7,168 MiB, more than the 6,144 MiB allowed here: choose a smaller one"
    assert line in refusal(ask)


def test_a_revision_that_moves_stays_pinned(hub, tmp_path, ask, monkeypatch):
    before, after = (tmp_path / name for name in ("before", "after"))
    for place in (before, after):
        write(place, "validation.parquet")
    hub.datasets[REPO] = hub.branches[REPO, "v1"] = before
    first = ask(f"hub:{REPO}@v1").subset

    hub.datasets[REPO] = hub.branches[REPO, "v1"] = after
    hub.branches[REPO, "v0"] = before  # else its commit would not be found

    line = "has no such revision: leave it out, or give an existing branch"
    assert line in refusal(ask, f"hub:{REPO}@v2")
    for is_offline in (False, True):
        monkeypatch.setattr(constants, "HF_HUB_OFFLINE", is_offline)
        texts = ask(f"hub:{REPO}@v1").subset.texts
        assert {text.split()[0] for (text,) in texts} == {"after"}
        assert ask(first.record.data).subset == first


def test_a_configuration_is_asked_for_where_it_is_unclear(folder, ask):
    for config in ("films", "books"):
        write(folder, f"{config}/validation-00000-of-00001.parquet")

    line = "unknown configuration of someone/moods 'default': choose one of books, films"
    assert line in refusal(ask)
    subset = ask(f"hub:{REPO}/films").subset
    assert subset.record.source_name == f"{REPO}/films"
    assert beginnings(subset) == {"films validation"}


def test_rows_without_text_or_label_are_left_out(folder, ask):
    texts = ["", None, *(f"text {row}" for row in range(18))]
    labels = [*(row % 2 for row in range(18)), -1, -1]
    path = str(folder / "validation.parquet")
    Dataset.from_dict({"text": texts, "label": labels}, features=FEATURES).to_parquet(path)

    for data in (f"hub:{REPO}", path):
        record = ask(data, "--examples 16").subset.record
        assert sorted(record.examples) == [*range(2, 18)]


def test_names_tell_configurations_and_splits():
    shards = [f"data/train-0000{number}-of-00002.parquet" for number in range(2)]
    french = "fr/train/0000.parquet"
    german = "de/partial-train/0000.parquet"

    configs = layout([*shards, "test.parquet", "README.md", "train.csv", french, german])

    assert configs == {
        "default": {"train": tuple(shards), "test": ("test.parquet",)},
        "fr": {"train": (french,)},
        "de": {"train": (german,)},
    }
