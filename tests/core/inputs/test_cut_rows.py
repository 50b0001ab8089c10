"""Rows of a study: three sets without a common text; unlabelled and training data never judge."""

import numpy as np
import pytest
from strangers import DIGESTS, PROMISING
from tiny import make_bert, make_texts, write_csv

from core.findings.words.lab import division_words
from core.inputs.cut_rows import prepare_cut
from core.inputs.examples import example_digests
from core.request.cut_request import CutRequest, Division, depths_of, divide
from core.request.sweep_request import checked
from core.results.key import key_of
from core.results.provenance import training_of
from tests.refusals import refusal
from tests.studies import make_study


@pytest.fixture
def write(tmp_path):
    """Return a function that writes a table, and returns its path; labels alternate by default."""

    def write_table(texts, labels=None, name="own"):
        labels = labels or labels_of(texts)
        return str(write_csv(tmp_path / f"{name}.csv", text=texts, label=labels))

    return write_table


def labels_of(texts):
    return ["negative", "positive"] * (len(texts) // 2)


def prepared(folder, data, **changes):
    return prepare_cut(checked(CutRequest(str(folder), "sst2", data=data, **changes)))


def expect_disjoint(inputs):
    assert len({*inputs.texts}) == len(inputs.texts) == sum(inputs.division)


# ---------------------------------------------------------------- numbers


@pytest.mark.parametrize(
    ("rows", "division"),
    [
        ((500, 0, False), (200, 50, 250)),
        # Rows that can only refit leave more to judge.
        ((500, 100, False), (200, 50, 350)),
        ((500, 9_000, False), (2_048, 256, 500)),
        ((10_000, 0, False), (2_048, 256, 2_000)),
        ((128, 64, True), (48, 16, 128)),
        ((500, 0, False, 100), (320, 80, 100)),
    ],
)
def test_half_judge_and_one_in_five_others_stops(rows, division):
    assert divide(*rows) == division


def test_few_judged_rows_promise_nothing():
    assert round(100 * Division(0, 0, 250).width) == 5
    assert "promise nothing" in division_words(Division(16, 16, 99))


@pytest.mark.parametrize(
    ("layers", "every", "depths"),
    [
        (1, False, ()),
        (6, False, (5, 4, 3, 2, 1)),
        (12, False, (10, 8, 6, 4, 2)),
        (7, True, (6, 5, 4, 3, 2, 1)),
    ],
)
def test_every_depth_is_studied_up_to_six_layers_and_every_second_above(layers, every, depths):
    assert depths_of(layers, every) == depths


# ---------------------------------------------------------------- rows


def test_a_table_is_divided_and_no_text_refits_and_judges(tiny_bert, write):
    inputs = prepared(tiny_bert, write(make_texts(200) * 2))  # every text twice

    assert inputs.division == (80, 20, 100)
    expect_disjoint(inputs)
    assert inputs.depths == (1,)
    record = inputs.record
    assert record.source_name == "own.csv"
    assert record.split == "all"
    assert record.files is None
    assert record.labelled == 100


def test_a_split_for_training_refits_and_all_validation_rows_judge(tiny_bert, glue_folder):
    inputs = prepared(tiny_bert, str(glue_folder))

    assert inputs.division == (128, 32, 96)
    assert inputs.record.split == "train"
    assert inputs.subset.record.split == "validation"
    expect_disjoint(inputs)


def test_rows_without_a_label_refit_and_rows_that_are_left_out_do_not(tiny_bert, write):
    texts = make_texts(300)
    unlabelled = [""] * 60
    left_out = ["?"] * 40
    data = write(texts, [*labels_of(texts[:200]), *unlabelled, *left_out])

    inputs = prepared(tiny_bert, data, label_map=(("?", None),))

    assert inputs.division == (80, 20, 160)
    assert inputs.labels.count(None) == 60
    assert inputs.record.labelled == 40
    out = {(text,) for text in texts[260:]}
    assert not out & {*inputs.texts}


def test_a_file_of_its_own_refits_alone(tiny_bert, write, tmp_path):
    texts = make_texts(180)
    data = write(texts[:100])
    more = tmp_path / "more.jsonl"
    more.write_text("\n".join(f'{{"text": "{text}"}}' for text in texts[90:]))  # ten judge

    inputs = prepared(tiny_bert, data, train=str(more))

    assert inputs.division == (64, 16, 100)
    expect_disjoint(inputs)
    assert inputs.record.labelled == 0
    assert inputs.record.files[0].name == inputs.record.source_name == "more.jsonl"
    assert "'folder' is not a file" in refusal(prepared, tiny_bert, data, train="folder")


def test_training_data_refit_and_never_judge(copy, write):
    texts = make_texts(300)
    data = write(texts)
    trained = {(text,) for text in texts[:150]}
    np.save(copy / DIGESTS, example_digests(trained))

    inputs = prepared(copy, data)

    assert not trained & {*inputs.subset.texts}
    assert trained <= {*inputs.trained}
    assert len(inputs.subset.texts) == 150
    np.save(copy / DIGESTS, example_digests((text,) for text in texts))
    assert "0 labelled rows to judge" in refusal(prepared, copy, data)
    (copy / DIGESTS).write_bytes(PROMISING)
    assert "damaged training_examples.npy" in refusal(prepared, copy, data)


@pytest.mark.parametrize(
    ("labels", "line"),
    [
        (labels_of(["text"] * 10), "5 labelled rows to judge and 5 to refit, at least 32"),
        (["positive"] * 200, "all 100 rows to judge have one label"),
        (["negative", *["positive"] * 299], "all 150 rows to refit have one label"),
    ],
)
def test_rows_that_cannot_be_studied_are_refused_in_one_line(tiny_bert, write, labels, line):
    data = write(make_texts(len(labels)), labels)

    assert line in refusal(prepared, tiny_bert, data)


def test_a_checkpoint_of_one_layer_has_none_to_lose(tmp_path):
    one = make_bert(tmp_path / "one", layers=1)

    assert "has 1 encoder layer" in refusal(prepared, one, "written")


def test_a_study_leads_back_to_its_request(tiny_bert, write):
    texts = make_texts(200)
    data = write(texts)
    inputs = prepared(tiny_bert, data, num_examples=80)
    apart = prepared(tiny_bert, data, num_examples=32, train=write(texts, name="more"))
    study = make_study(num_layers=2)
    checkpoint = study.checkpoint.model_copy(update={"revision": inputs.resolved.revision})
    parts = {"checkpoint": checkpoint, "task": inputs.subset.record, "refit": inputs.record}
    study = study.model_copy(update=parts)

    request = training_of(study)

    assert key_of(study) == inputs.key
    assert request.num_examples == 80
    assert request.train is None
    study = study.model_copy(update={"refit": apart.record})
    assert training_of(study).train == "./more.csv"
