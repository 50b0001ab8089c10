"""What is drawn from labelled data: rows, texts and labels, stratified, always the same."""

import json
import math
from collections import Counter
from hashlib import sha256

import numpy as np
import pyarrow.parquet as pq
import pytest
from datasets import Dataset
from tiny import make_texts

from core.inputs.examples import example_digests, stratified
from core.inputs.prepare import prepare
from core.request.catalog import TASKS
from core.request.sweep_request import SweepRequest, checked
from tests.builders import open_preset
from tests.refusals import refusal

VALIDATION = "sst2/validation-00000-of-00001.parquet"
TRAIN = "sst2/train-00000-of-00001.parquet"


@pytest.fixture
def write(tmp_path):
    """Return a function that writes texts and labels as a split of SST-2; it returns the folder."""

    def write_split(texts, labels, name=VALIDATION, column="sentence"):
        path = tmp_path / "data" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Dataset.from_dict({column: texts, "label": labels}).to_parquet(str(path))
        return str(tmp_path / "data")

    return write_split


# ---------------------------------------------------------------- drawing


@pytest.mark.parametrize("task", TASKS.values(), ids=TASKS)
def test_rows_texts_and_labels_belong_together(glue_folder, task):
    split = f"{task.name}/{task.split}-00000-of-00001.parquet"
    data = pq.read_table(glue_folder / split).to_pylist()

    subset = open_preset(task.name, str(glue_folder)).subset(40)

    record = subset.record
    assert record.source == "folder"
    assert record.source_name == glue_folder.name
    assert subset.texts[0][0] not in record.model_dump_json()
    assert len({*record.examples}) == 40
    drawn = [data[row] for row in record.examples]
    columns = task.text_columns
    assert subset.texts == tuple(tuple(row[column] for column in columns) for row in drawn)
    assert record.gold == tuple(row["label"] for row in drawn)


@pytest.mark.parametrize("size", [4, 7, 99])
@pytest.mark.parametrize("counts", [(50, 50), (99, 1), (50, 33, 17)])
def test_every_label_keeps_its_share_(counts, size):
    labels = np.repeat(range(len(counts)), counts)
    np.random.RandomState(1).shuffle(labels)

    rows = stratified(labels, size)

    assert len({*rows}) == size
    for label, count in enumerate(counts):
        exact = size * count / 100
        drawn = sum(labels[list(rows)] == label)
        assert math.floor(exact) <= drawn <= math.ceil(exact)


def test_the_sample_never_changes(write):
    """Pin the literal rows: another machine, version or day must draw the same.

    Otherwise stored results lose their key.
    """
    data = write(make_texts(60), [0, 1, 1] * 20)

    subset = open_preset("sst2", data).subset(8)
    renamed = open_preset("sst2", data, "other name").subset(8)

    record = subset.record
    assert record.examples == (26, 42, 33, 11, 30, 28, 59, 35)
    content = {"gold": record.gold, "task": "sst2", "texts": subset.texts}
    serialised = json.dumps(content, separators=(",", ":"))
    assert record.fingerprint == sha256(serialised.encode()).hexdigest()
    assert renamed.record.fingerprint == record.fingerprint


# ---------------------------------------------------------------- where they come from


def test_the_hub_and_a_folder_give_the_same_examples(hub, glue_folder):
    on_hub = open_preset("mrpc", "hub")
    assert "is not on the Hub, or is private" in refusal(on_hub.subset, None)
    hub.datasets["nyu-mll/glue"] = glue_folder

    subset = on_hub.subset(30)
    local = open_preset("mrpc", str(glue_folder)).subset(30)

    place = {"source": "hub", "source_name": "nyu-mll/glue"}
    assert subset.record == local.record.model_copy(update=place)


@pytest.mark.parametrize("task", ["sst2", "cola", "qnli", "qqp", "messages"])
def test_every_written_subset_is_whole_and_balanced(task):
    written = open_preset(task, "written")
    labels = range(len(TASKS[task].label_names))

    subset = written.subset(None)
    calibration = written.calibration(subset)

    assert Counter(subset.record.gold) == dict.fromkeys(labels, 128 // len(labels))
    assert Counter(calibration.record.gold) == dict.fromkeys(labels, 64 // len(labels))
    assert len({*subset.texts, *calibration.texts}) == 192


def test_written_examples_are_of_some_tasks():
    line = refusal(open_preset("mrpc", "written").subset, None)

    assert "no written examples for task 'mrpc'" in line


# ---------------------------------------------------------------- calibration and training


def test_calibration_is_stratified_of_the_training_split_without_evaluated_texts(write):
    evaluated = make_texts(20)
    others = [f"another sentence {number}" for number in range(1200)]
    write(evaluated, [0, 1] * 10)
    texts = [*others[:8], *evaluated, *others[8:]]
    examples = open_preset("sst2", write(texts, [0, 1, 1, 1] * 305, TRAIN))
    subset = examples.subset(20)

    calibration = examples.calibration(subset)

    record = calibration.record
    assert calibration == examples.calibration(subset)
    assert record.split == "train"
    assert len(record.examples) == 1024
    assert sum(record.gold) == 768
    assert not {*record.examples} & {*range(8, 28)}


def test_a_training_split_sorted_by_label_or_none_is_refused(write):
    examples = open_preset("sst2", write(make_texts(20), [0, 1] * 10))
    subset = examples.subset(8)

    missing = refusal(examples.calibration, subset)
    write([f"another sentence {number}" for number in range(30)], [1] * 30, TRAIN)
    one_label = refusal(examples.calibration, subset)

    assert "has no sst2/train-00000-of-00001.parquet" in missing
    assert "all 30 calibration examples of data have one label" in one_label


def test_digests_are_of_texts_in_canonical_json():
    digests = example_digests([("b",), ("a film", "é")])

    expected = sha256('["a film","é"]'.encode()).digest()[:8]
    assert digests[1] == int.from_bytes(expected, "big")
    assert digests.dtype == np.uint64


@pytest.mark.parametrize("count", [0, 3, 4, 20])
def test_training_data_is_refused_but_for_a_few_repetitions(copy, glue_folder, count):
    fields = {"num_examples": 20, "data": str(glue_folder)}
    request = checked(SweepRequest(str(copy), "sst2", **fields))
    texts = prepare(request).subset.texts

    np.save(copy / "training_examples.npy", example_digests(texts[:count]))

    if count < 4:
        assert prepare(request).subset.texts == texts
    else:
        line = refusal(prepare, request)
        assert line.startswith(f"{count} of 20 evaluation examples are in the training data of my-")


# ---------------------------------------------------------------- refusals


@pytest.mark.parametrize(
    ("labels", "column", "line"),
    [
        ([0, 1, 0], "sentence", "has only 3 examples"),
        ([0, 1, 0, 1, 2], "sentence", "says 2, which is none of the labels"),
        ([0, 1, 0, 1], "text", "no column 'sentence': name one of text, label"),
    ],
)
def test_data_that_cannot_be_drawn_from_are_named(write, tmp_path, labels, column, line):
    data = write(make_texts(len(labels)), labels, column=column)

    message = refusal(open_preset("sst2", data).subset, None)

    assert line in message
    assert str(tmp_path.parent) not in message
    assert "--label-map" not in message, "GLUE's labels are known"
