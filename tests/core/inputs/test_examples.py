import json
import math
import re
from collections import Counter
from hashlib import sha256

import numpy as np
import pyarrow.parquet as pq
import pytest
from datasets import Dataset
from platformdirs import user_cache_path
from tiny import make_texts

from core.errors import PrunescopeError
from core.inputs import data, written_examples
from core.inputs.examples import open_preset
from core.inputs.sampling import stratified
from core.inputs.training_overlap import check_not_training_data, example_digest, example_digests
from core.request.catalog import TASKS

SST2, MRPC = TASKS["sst2"], TASKS["mrpc"]
TRAIN = "sst2/train-00000-of-00001.parquet"


@pytest.fixture
def write(tmp_path):
    """Writes rows of SST-2 (or given columns) as parquet; the data folder."""

    def write_rows(rows, name="sst2/validation-00000-of-00001.parquet"):
        path = tmp_path / "data" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        columns = rows if isinstance(rows, dict) else {"sentence": [r[0] for r in rows], "label": [r[1] for r in rows]}
        Dataset.from_dict(columns).to_parquet(str(path))
        return str(tmp_path / "data")

    return write_rows


@pytest.fixture
def write_lines(tmp_path, monkeypatch):
    """Writes sst2.jsonl where the written examples are looked for."""
    monkeypatch.setattr(written_examples, "FOLDER", tmp_path)

    def write_file(lines):
        text = "\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines)
        (tmp_path / "sst2.jsonl").write_text(text + "\n", encoding="utf-8")

    return write_file


def load_subset(task, data, num_examples, source_name=None):
    return open_preset(task, data, source_name).subset(num_examples)


def load_calibration(task, data, subset):
    return open_preset(task, data).calibration(subset)


def split_of(folder, task, split):
    return pq.read_table(folder / task.name / f"{split}-00000-of-00001.parquet").to_pylist()


def rows_with(labels):
    return list(zip(make_texts(len(labels)), labels, strict=True))


def refusal(data, num_examples=None, task=SST2):
    """The message that refuses the data, checked to be one line."""
    with pytest.raises(PrunescopeError) as caught:
        load_subset(task, data, num_examples)
    assert "\n" not in str(caught.value)
    return str(caught.value)


class TestDrawing:
    @pytest.mark.parametrize("task", TASKS.values(), ids=TASKS)
    def test_rows_texts_and_labels_belong_together(self, glue_folder, task):
        subset = load_subset(task, str(glue_folder), 40)
        data = split_of(glue_folder, task, task.split)
        assert len(set(subset.rows)) == 40
        for row, texts, gold in zip(subset.rows, subset.texts, subset.gold, strict=True):
            assert texts == tuple(data[row][column] for column in task.text_columns)
            assert gold == data[row]["label"]

    @pytest.mark.parametrize("size", [4, 7, 50, 99, 100])
    @pytest.mark.parametrize("counts", [(50, 50), (90, 10), (61, 39), (99, 1)])
    def test_every_label_keeps_its_share(self, write, counts, size):
        labels = np.random.RandomState(1).permutation(np.repeat([0, 1], counts)).tolist()
        drawn = Counter(load_subset(SST2, write(rows_with(labels)), size).gold)
        assert sum(drawn.values()) == size
        for label, count in enumerate(counts):
            exact = size * count / 100
            assert math.floor(exact) <= drawn[label] <= math.ceil(exact)

    def test_the_largest_remainders_get_the_rest(self):
        labels = np.array([0] * 50 + [1] * 33 + [2] * 17)  # of 10: 5.0, 3.3, 1.7
        assert Counter(labels[list(stratified(labels, 10))].tolist()) == {0: 5, 1: 3, 2: 2}

    def test_the_order_is_random(self, write):
        subset = load_subset(SST2, write(rows_with([0] * 100 + [1] * 100)), 100)
        changes = sum(a != b for a, b in zip(subset.gold, subset.gold[1:], strict=False))
        assert 35 <= changes <= 65  # 50 expected; sorted by label it would be 1
        assert abs(np.corrcoef(np.arange(100), subset.rows)[0, 1]) < 0.3

    def test_the_sample_never_changes(self, write):
        """The literal rows: another machine, version or day must draw the same, or stored results lose their key."""
        subset = load_subset(SST2, write(rows_with([0, 1, 1] * 20)), 8)
        assert subset.rows == (26, 42, 33, 11, 30, 28, 59, 35)
        content = {"gold": subset.gold, "task": "sst2", "texts": subset.texts}
        assert subset.fingerprint == sha256(json.dumps(content, separators=(",", ":")).encode()).hexdigest()

    def test_without_a_number_256_or_all_if_fewer(self, write, glue_folder):
        assert sorted(load_subset(SST2, str(glue_folder), None).rows) == list(range(96))
        assert len(load_subset(SST2, write(rows_with([0, 1] * 150)), None).rows) == 256


class TestFingerprint:
    def test_depends_on_texts_labels_and_order_only(self, write):
        rows = rows_with([0, 1] * 10)
        first = load_subset(SST2, write(rows), 20)
        assert load_subset(SST2, write(rows), 20, source_name="other name").fingerprint == first.fingerprint
        relabelled = [(rows[0][0], 1), *rows[1:-1], (rows[-1][0], 0)]
        reworded = [(rows[0][0] + "!", 0), *rows[1:]]
        swapped = [rows[2], rows[1], rows[0], *rows[3:]]
        others = [load_subset(SST2, write(other), 20).fingerprint for other in (relabelled, reworded, swapped)]
        assert len({first.fingerprint, *others}) == 4

    def test_the_record_holds_no_texts(self, glue_folder):
        subset = load_subset(MRPC, str(glue_folder), 20, source_name="a small sample")
        record = subset.record()
        assert (record.name, record.source, record.source_name) == ("mrpc", "folder", "a small sample")
        assert (record.examples, record.gold, record.max_length) == (subset.rows, subset.gold, 128)
        assert subset.texts[0][0] not in record.model_dump_json()


class TestSources:
    def test_a_folder_is_called_by_its_name_not_its_path(self, glue_folder):
        subset = load_subset(SST2, str(glue_folder), 8)
        assert (subset.source, subset.source_name, subset.split) == ("folder", glue_folder.name, "validation")

    def test_shards_follow_each_other(self, write, tmp_path):
        rows = rows_with([0, 1] * 20)
        whole = load_subset(SST2, write(rows), 30)
        (tmp_path / "data/sst2/validation-00000-of-00001.parquet").unlink()
        write(rows[:25], "sst2/validation-00000-of-00002.parquet")
        assert load_subset(SST2, write(rows[25:], "sst2/validation-00001-of-00002.parquet"), 30) == whole

    def test_the_hub_and_a_folder_give_the_same_examples(self, hub, glue_folder):
        assert "is not on the Hub, or is private" in refusal("hub")
        hub.datasets["nyu-mll/glue"] = glue_folder
        subset, local = load_subset(MRPC, "hub", 30), load_subset(MRPC, str(glue_folder), 30)
        assert (subset.source, subset.source_name) == ("hub", "nyu-mll/glue")
        assert (subset.rows, subset.texts, subset.fingerprint) == (local.rows, local.texts, local.fingerprint)
        scored = [load_calibration(MRPC, data, subset).fingerprint for data in ("hub", str(glue_folder))]
        assert scored[0] == scored[1]

    def test_written_examples_number_the_evaluation_lines(self, write_lines):
        evaluation = [{"part": "evaluation", "sentence": t, "label": i % 2, "domain": "x"} for i, t in
                      enumerate(make_texts(12))]  # fmt: skip
        calibration = [{"part": "calibration", "sentence": "not drawn", "label": 1}] * 5
        write_lines([*calibration[:2], *evaluation[:6], *calibration[2:], *evaluation[6:]])
        subset = load_subset(SST2, "written", None)
        assert (subset.source, subset.source_name, subset.split) == ("written", "written for Prunescope", "evaluation")
        assert sorted(subset.rows) == list(range(12))
        assert subset.texts == tuple((evaluation[row]["sentence"],) for row in subset.rows)
        assert "no written examples for task 'mrpc' (there are some for sst2)" in refusal("written", task=MRPC)


class TestCalibration:
    def test_it_is_drawn_from_the_training_split_in_a_fixed_order(self, glue_folder):
        subset = load_subset(SST2, str(glue_folder), 20)
        first, again = (load_calibration(SST2, str(glue_folder), subset) for _ in range(2))
        assert first == again
        assert (first.split, first.source, sorted(first.rows)) == ("train", "folder", list(range(160)))

    def test_it_is_at_most_1024_and_stratified(self, write):
        write([(f"evaluated {k}", k % 2) for k in range(20)])
        folder = write(rows_with([0] * 300 + [1] * 900), TRAIN)
        calibration = load_calibration(SST2, folder, load_subset(SST2, folder, 20))
        assert (len(calibration.rows), sum(calibration.gold)) == (1024, 768)

    def test_no_evaluation_example_is_in_it(self, write):
        evaluated = rows_with([0, 1] * 10)
        write(evaluated)
        others = [(f"another sentence {k}", k % 2) for k in range(30)]
        folder = write([*others[:7], *evaluated, *others[7:]], TRAIN)
        calibration = load_calibration(SST2, folder, load_subset(SST2, folder, 20))
        assert sorted(calibration.rows) == [*range(7), *range(27, 50)]
        fewer = load_calibration(SST2, folder, load_subset(SST2, folder, 8))
        assert len(fewer.rows) == 42, "what was not evaluated may be scored on"

    def test_a_training_split_sorted_by_label_or_none_is_refused(self, write):
        folder = write(rows_with([0, 1] * 10))
        subset = load_subset(SST2, folder, 8)
        with pytest.raises(PrunescopeError, match=r"has no sst2/train-00000-of-00001[.]parquet"):
            load_calibration(SST2, folder, subset)
        write([(f"another sentence {k}", 1) for k in range(30)], TRAIN)
        with pytest.raises(PrunescopeError, match="all 30 calibration examples of data have the label 'positive'"):
            load_calibration(SST2, folder, subset)


class TestWritten:
    @pytest.mark.parametrize("task", ["sst2", "cola", "qnli", "qqp", "messages"])
    def test_every_written_subset_is_whole_and_balanced(self, task):
        subset = load_subset(TASKS[task], "written", None)
        calibration = load_calibration(TASKS[task], "written", subset)
        labels = range(len(TASKS[task].label_names))
        assert Counter(subset.gold) == dict.fromkeys(labels, 128 // len(labels))
        assert Counter(calibration.gold) == dict.fromkeys(labels, 64 // len(labels))
        assert len({*subset.texts, *calibration.texts}) == 192

    def test_training_sentences_are_balanced_and_none_resembles_one_that_is_evaluated(self):
        def pieces(text):
            letters = re.sub(r"\W+", " ", text.lower())
            return {letters[k : k + 5] for k in range(len(letters) - 4)}

        parts = {part: written_examples.read_written(TASKS["messages"], part) for part in ("training", "evaluation")}
        assert Counter(parts["training"].column("label")) == dict.fromkeys("01234567", 180)
        trained, evaluated = ([pieces(text) for text in table.column("sentence")] for table in parts.values())
        assert max(len(one & other) / len(one | other) for one in trained for other in evaluated) < 0.3


def texts_and(label):
    return rows_with([0, 1, 0, 1, label])


class TestRefusals:
    @pytest.mark.parametrize(
        ("rows", "asked", "said"),
        [
            (rows_with([0, 1, 0]), None, "at least 4"),
            (rows_with([0, 1, 0]), 3, "at least 4"),
            (rows_with([0, 1] * 4), 9, "has only 8"),
            (texts_and(2), None, "says 2, which is none of the labels negative, positive: correct the file or choose"),
            (texts_and(7), None, "column 'label' says 7"),
            (texts_and(-1), None, "hidden test labels"),
            (texts_and(None), None, "row 4: column 'label' is empty"),
            (rows_with([0.5, 1.0] * 3), None, "label"),
            (rows_with(["good", "bad"] * 3), None, "label"),
            *(([*rows_with([0, 1] * 2), (text, 1)], None, "row 4: column 'sentence' is empty") for text in ("", " \n")),
            ([*rows_with([0, 1] * 2), (None, 1)], None, "row 4: column 'sentence' is empty"),
            ({"sentence": [1, 2, 3, 4], "label": [0, 1, 0, 1]}, None, "column 'sentence' is not text"),
            ({"text": make_texts(4), "label": [0, 1, 0, 1]}, None, "no column 'sentence', only text, label"),
        ],
    )
    def test_what_cannot_be_drawn_from_is_named(self, write, rows, asked, said):
        message = refusal(write(rows), asked)
        assert said in message
        assert "--label-map" not in message, "GLUE's labels are known"

    def test_files_that_are_none(self, write, tmp_path):
        message = refusal(str(tmp_path))
        assert "has no sst2/validation-00000-of-00001.parquet" in message
        assert str(tmp_path.parent) not in message
        folder = write(rows_with([0, 1] * 4))
        (tmp_path / "data/sst2/validation-00000-of-00001.parquet").write_bytes(b"PAR1 not really PAR1")
        assert "not readable as parquet" in refusal(folder)


class TestCache:
    @pytest.fixture
    def reads(self, monkeypatch):
        """Counts how often a parquet is really read."""
        calls = []
        real = data.read_table
        monkeypatch.setattr(data, "read_table", lambda *a: calls.append(a) or real(*a))
        return calls

    @pytest.fixture
    def fresh(self, tmp_path, monkeypatch):
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
        return tmp_path / "cache"

    def test_other_content_task_or_number_is_read_again_and_nothing_else(self, fresh, reads, write):
        rows = rows_with([0, 1] * 20)
        folder = write(rows)
        write(rows, "cola/validation-00000-of-00001.parquet")
        subsets = [load_subset(SST2, folder, 20), load_subset(SST2, folder, 30), load_subset(TASKS["cola"], folder, 20)]
        assert load_subset(SST2, folder, 20) == subsets[0]
        write(rows[::-1])
        subsets.append(load_subset(SST2, folder, 20))
        assert len(reads) == len({subset.fingerprint for subset in subsets}) == 4

    @pytest.mark.parametrize("damage", ["empty", "cut", "edited", "other"])
    def test_a_damaged_file_is_computed_again(self, fresh, reads, glue_folder, damage):
        first = load_subset(SST2, str(glue_folder), 20)
        (file,) = (user_cache_path("prunescope") / "subsets").iterdir()
        text = file.read_text()
        word = first.texts[0][0].split()[0]
        damaged = {"empty": "", "cut": text[:-40], "edited": text.replace(word, "spoilt", 1), "other": '{"a": 1}'}
        file.write_text(damaged[damage])
        assert load_subset(SST2, str(glue_folder), 20) == first
        assert (len(reads), file.read_text()) == (2, text)

    def test_works_where_nothing_can_be_written(self, fresh, glue_folder):
        fresh.write_text("a file where the folder should be")
        assert len(load_subset(SST2, str(glue_folder), 20).rows) == 20


class TestTrainingData:
    def test_digests_are_the_starts_of_the_hashes_of_texts_ascending_without_repetitions(self):
        expected = sha256('["a film","é"]'.encode()).digest()[:8]
        assert example_digest(("a film", "é")) == int.from_bytes(expected, "big")
        assert example_digest(("a film",)) != example_digest(("a film", ""))
        digests = example_digests([("b",), ("a",), ("b",)])
        assert digests.dtype == np.uint64
        assert digests.tolist() == sorted({example_digest(("a",)), example_digest(("b",))})

    @pytest.mark.parametrize(("known", "refused"), [(0, False), (3, False), (4, True), (20, True)])
    def test_training_data_is_refused_but_for_a_few_repetitions(self, glue_folder, known, refused):
        subset = load_subset(SST2, str(glue_folder), 20)
        digests = example_digests(subset.texts[:known])
        check_not_training_data(subset, None, "embedded:sst2")
        if not refused:
            return check_not_training_data(subset, digests, "embedded:sst2")
        with pytest.raises(PrunescopeError, match=f"{known} of 20 evaluation examples are in the training data of emb"):
            check_not_training_data(subset, digests, "embedded:sst2")
