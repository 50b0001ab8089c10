"""What is drawn from labelled data: rows, texts and labels together, stratified, the same every time."""

import json
import math
from collections import Counter
from hashlib import sha256

import numpy as np
import pyarrow.parquet as pq
import pytest
from datasets import Dataset
from tiny import make_texts

from core.inputs.examples import (
    check_not_training_data,
    example_digest,
    example_digests,
    stratified,
)
from core.request.catalog import TASKS
from tests.builders import open_preset
from tests.refusals import refusal

VALIDATION, TRAIN = (f"sst2/{split}-00000-of-00001.parquet" for split in ("validation", "train"))


@pytest.fixture
def write(tmp_path):
    """Return a function that writes rows of SST-2, or other columns, as Parquet, and returns the data folder."""

    def write_rows(rows, name=VALIDATION):
        path = tmp_path / "data" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        columns = (
            rows
            if isinstance(rows, dict)
            else {"sentence": [r[0] for r in rows], "label": [r[1] for r in rows]}
        )
        Dataset.from_dict(columns).to_parquet(str(path))
        return str(tmp_path / "data")

    return write_rows


def rows_with(labels):
    return list(zip(make_texts(len(labels)), labels, strict=True))


def refused(data, num_examples=None, task="sst2"):
    return refusal(lambda: open_preset(task, data).subset(num_examples))


# ---------------------------------------------------------------- drawing


@pytest.mark.parametrize("task", TASKS.values(), ids=TASKS)
def test_rows_texts_and_labels_belong_together(glue_folder, task):
    subset = open_preset(task.name, str(glue_folder)).subset(40)
    data = pq.read_table(
        glue_folder / task.name / f"{task.split}-00000-of-00001.parquet"
    ).to_pylist()
    record = subset.record
    assert (record.source, record.source_name) == ("folder", glue_folder.name)
    assert subset.texts[0][0] not in record.model_dump_json()
    assert len(set(record.examples)) == 40
    for row, texts, gold in zip(record.examples, subset.texts, record.gold, strict=True):
        assert texts == tuple(data[row][column] for column in task.text_columns)
        assert gold == data[row]["label"]


@pytest.mark.parametrize("size", [4, 7, 99])
@pytest.mark.parametrize("counts", [(50, 50), (99, 1), (50, 33, 17)])
def test_every_label_keeps_its_share_(counts, size):
    labels = np.random.RandomState(1).permutation(np.repeat(range(len(counts)), counts))
    rows = stratified(labels, size)
    assert len({*rows}) == size
    for label, count in enumerate(counts):
        exact = size * count / 100
        assert math.floor(exact) <= sum(labels[list(rows)] == label) <= math.ceil(exact)


def test_the_sample_never_changes(write):
    """Pin the literal rows: another machine, version or day must draw the same, or stored results lose their key."""
    rows = rows_with([0, 1, 1] * 20)
    subset = open_preset("sst2", write(rows)).subset(8)
    assert subset.record.examples == (26, 42, 33, 11, 30, 28, 59, 35)
    content = {"gold": subset.record.gold, "task": "sst2", "texts": subset.texts}
    assert (
        subset.record.fingerprint
        == sha256(json.dumps(content, separators=(",", ":")).encode()).hexdigest()
    )
    assert (
        open_preset("sst2", write(rows), "other name").subset(8).record.fingerprint
        == subset.record.fingerprint
    )


# ---------------------------------------------------------------- where they come from


def test_the_hub_and_a_folder_give_the_same_examples(hub, glue_folder):
    assert "is not on the Hub, or is private" in refused("hub")
    hub.datasets["nyu-mll/glue"] = glue_folder
    subset, local = (
        open_preset("mrpc", "hub").subset(30),
        open_preset("mrpc", str(glue_folder)).subset(30),
    )
    assert (subset.record.source, subset.record.source_name) == ("hub", "nyu-mll/glue")
    place = {"source": "folder", "source_name": glue_folder.name}
    assert (subset.texts, subset.record.model_copy(update=place)) == (local.texts, local.record)


@pytest.mark.parametrize("task", ["sst2", "cola", "qnli", "qqp", "messages"])
def test_every_written_subset_is_whole_and_balanced(task):
    subset = open_preset(task, "written").subset(None)
    calibration = open_preset(task, "written").calibration(subset)
    labels = range(len(TASKS[task].label_names))
    assert Counter(subset.record.gold) == dict.fromkeys(labels, 128 // len(labels))
    assert Counter(calibration.record.gold) == dict.fromkeys(labels, 64 // len(labels))
    assert len({*subset.texts, *calibration.texts}) == 192
    assert "no written examples for task 'mrpc'" in refused("written", task="mrpc")


# ---------------------------------------------------------------- calibration and training


def test_calibration_is_stratified_of_the_training_split_without_evaluated_texts(write):
    evaluated = rows_with([0, 1] * 10)
    write(evaluated)
    others = [(f"another sentence {k}", int(k % 4 > 0)) for k in range(1200)]
    folder = write([*others[:7], *evaluated, *others[7:]], TRAIN)
    subset = open_preset("sst2", folder).subset(20)
    found = open_preset("sst2", folder).calibration(subset)
    assert found == open_preset("sst2", folder).calibration(subset)
    assert (found.record.split, len(found.record.examples), sum(found.record.gold)) == (
        "train",
        1024,
        768,
    )
    assert not {*found.record.examples} & {*range(7, 27)}


def test_a_training_split_sorted_by_label_or_none_is_refused(write):
    folder = write(rows_with([0, 1] * 10))
    subset = open_preset("sst2", folder).subset(8)
    assert "has no sst2/train-00000-of-00001.parquet" in refusal(
        open_preset("sst2", folder).calibration, subset
    )
    write([(f"another sentence {k}", 1) for k in range(30)], TRAIN)
    said = refusal(open_preset("sst2", folder).calibration, subset)
    assert "all 30 calibration examples of data have one label" in said


@pytest.mark.parametrize(("known", "is_refused"), [(0, False), (3, False), (4, True), (20, True)])
def test_training_data_is_refused_but_for_a_few_repetitions(glue_folder, known, is_refused):
    subset = open_preset("sst2", str(glue_folder)).subset(20)
    digests = example_digests([*subset.texts[:known], *subset.texts[:known]])
    expected = sha256('["a film","é"]'.encode()).digest()[:8]
    assert example_digest(("a film", "é")) == int.from_bytes(expected, "big")
    assert digests.tolist() == sorted({*map(example_digest, subset.texts[:known])})
    check_not_training_data(subset, None, "embedded:sst2")
    if not is_refused:
        return check_not_training_data(subset, digests, "embedded:sst2")
    said = refusal(check_not_training_data, subset, digests, "embedded:sst2")
    assert said.startswith(f"{known} of 20 evaluation examples are in the training data of emb")


# ---------------------------------------------------------------- refusals


@pytest.mark.parametrize(
    ("rows", "asked", "said"),
    [
        ([], None, f"has no {VALIDATION}"),
        (rows_with([0, 1, 0]), None, "has only 3 examples"),
        (rows_with([0, 1, 0, 1, 2]), None, "says 2, which is none of the labels"),
        (
            {"text": make_texts(4), "label": [0, 1, 0, 1]},
            None,
            "no column 'sentence': name one of text, label",
        ),
    ],
)
def test_what_cannot_be_drawn_from_is_named(write, tmp_path, rows, asked, said):
    message = refused(write(rows) if rows else str(tmp_path), asked)
    assert said in message
    assert str(tmp_path.parent) not in message
    assert "--label-map" not in message, "GLUE's labels are known"
