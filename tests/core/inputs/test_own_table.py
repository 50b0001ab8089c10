"""A visitor's own sentences: read, checked, kept, drawn from."""

import json
from pathlib import Path

import pytest
from platformdirs import user_cache_path

from core.errors import PrunescopeError
from core.inputs import own_table
from core.inputs.examples import load_calibration, load_subset
from core.inputs.own_table import (
    MAX_LABELS,
    MAX_ROWS,
    OwnSentences,
    Table,
    default_examples,
    keep,
    label_values,
    likely_columns,
    likely_label,
    read_table,
    sentences_from,
)
from core.inputs.prepare import prepare
from core.request.catalog import METHODS, TASKS
from core.request.sweep_request import SweepRequest, checked, is_own
from core.results.names import data_name
from tests.builders import make_result

SST2, MRPC, MNLI = TASKS["sst2"], TASKS["mrpc"], TASKS["mnli"]
CSV = b'text,label\r\n"good, really",pos\r\nbad,neg\r\n\r\n"two\nlines",pos\r\nfair,meh\r\ndull,neg\r\n'
MEANS = {"pos": 1, "neg": 0, "meh": None}


def many(rows: int) -> OwnSentences:
    return OwnSentences(
        "sst2",
        "many.csv",
        tuple(range(rows)),
        tuple((f"sentence {row}",) for row in range(rows)),
        tuple(row % 2 for row in range(rows)),
    )


def refusal(content: bytes | str, name: str = "a.csv") -> str:
    """The one line that refuses a file."""
    with pytest.raises(PrunescopeError) as caught:
        read_table(name, content.encode() if isinstance(content, str) else content)
    assert "\n" not in str(caught.value)
    return str(caught.value)


class TestReading:
    def test_quotes_line_breaks_and_blank_lines(self) -> None:
        table = read_table("dir/reviews.csv", CSV)
        assert table.file == "reviews.csv"
        assert table.columns == ("text", "label")
        assert table.column("text") == ("good, really", "bad", "two\nlines", "fair", "dull")
        assert table.numbers == (2, 3, 5, 6, 7), "as a spreadsheet counts"

    @pytest.mark.parametrize(("name", "separator"), [("a.tsv", "\t"), ("a.txt", "\t"), ("a.csv", ";"), ("a.csv", ",")])
    def test_the_separator_is_found(self, name: str, separator: str) -> None:
        table = read_table(name, f"text{separator}label\nfine{separator}1\n".encode())
        assert table.rows == (("fine", "1"),)

    def test_a_mark_at_the_beginning_and_a_column_without_a_name(self) -> None:
        table = read_table("a.csv", "\ufeff,text,label\n0,Grüße,1\n".encode())
        assert table.columns == ("column 1", "text", "label")
        assert table.column("text") == ("Grüße",)

    def test_two_marks_at_the_beginning_as_joined_files_have_them(self) -> None:
        table = read_table("a.csv", "\ufeff\ufefftext,label\nfine,1\n".encode())
        assert table.columns == ("text", "label")
        assert "unexpected end of data" in refusal('\ufeff\ufeff"text,label\nfine,1\n')

    def test_a_refusal_names_the_place_and_the_remedy(self) -> None:
        assert "Expected 2 fields in row 3, saw 3: put text" in refusal("text,label\na,1\nb,c,1\n")
        assert "Expected 2 fields in row 5, saw 3" in refusal('text,label\n"a\nb",1\n\nc,1\nd,e,1\n')
        assert "row 3 has 1 fields, its header 2: put text" in refusal("text,label\na,1\nb\n")
        assert "unexpected end of data" in refusal('text,label\n"a,1\n')
        assert "is not UTF-8 text (byte 1): save it as CSV UTF-8" in refusal("xä,b".encode("latin-1"))
        assert "has 2 columns 'text': rename" in refusal("text,text\na,1\n")
        assert "has 1 columns: it needs a header and at least two" in refusal("text\na\n")
        assert "has 0 columns" in refusal("")
        assert "has 2,001 rows: at most 2,000" in refusal("text,label\n" + "a,1\n" * (MAX_ROWS + 1))
        assert "is larger than 4 MiB" in refusal(b"x" * (4 * 2**20 + 1))
        assert "field larger than field limit" in refusal("text,label\n" + "x" * 200_000 + ",1\n")

    def test_words_that_pandas_takes_for_nothing_are_words(self) -> None:
        assert read_table("a.csv", b"text,label\nNA,null\nnan,1\n").rows == (("NA", "null"), ("nan", "1"))

    def test_exactly_as_many_rows_as_allowed(self) -> None:
        assert len(read_table("a.csv", b"text,label\n" + b"a,1\n" * MAX_ROWS).rows) == MAX_ROWS


class TestMeaning:
    def test_columns_are_guessed(self) -> None:
        table = Table("a", ("id", "sentiment", "review"), (2, 3), (("1", "x", "a long text"), ("2", "y", "another")))
        assert likely_columns(table, SST2) == (("review",), "sentiment")
        plain_names = Table("a", ("text", "kind"), (2, 3, 4), (("one", "x"), ("two", "y"), ("three", "x")))
        assert likely_columns(plain_names, SST2) == (("text",), "kind")
        pairs = Table("a", ("sentence2", "sentence1", "label"), (2,), (("b", "a", "1"),))
        assert likely_columns(pairs, MRPC) == (("sentence1", "sentence2"), "label")

    @pytest.mark.parametrize(
        ("value", "index"),
        [("0", 0), ("1", 1), ("2", None), ("Positive", 1), ("neg", 0), ("", None), ("meh", None), ("²", None)],
    )
    def test_labels_are_guessed(self, value: str, index: int | None) -> None:
        assert likely_label(value, SST2) == index

    def test_an_ambiguous_beginning_is_not_guessed(self) -> None:
        assert likely_label("n", MNLI) == 1
        assert likely_label("e", TASKS["rte"]) == 0
        assert likely_label("not equivalent", MRPC) == 0

    def test_too_many_values_are_no_labels(self) -> None:
        table = Table("a", ("text",), tuple(range(30)), tuple((str(row),) for row in range(30)))
        with pytest.raises(PrunescopeError, match=f"has 30 different values, more than {MAX_LABELS}"):
            label_values(table, "text")

    def test_rows_of_a_value_that_means_nothing_are_left_out(self) -> None:
        sentences = sentences_from(read_table("r.csv", CSV), SST2, ["text"], "label", MEANS)
        assert sentences.texts == (("good, really",), ("bad",), ("two\nlines",), ("dull",))
        assert sentences.gold == (1, 0, 1, 0)
        assert sentences.rows == (0, 1, 3, 5), "the file's rows, from 0, without the header"

    def test_a_refusal_names_the_row(self) -> None:
        holes = read_table("r.csv", b"text,label\na,1\n,0\nc,1\n")
        with pytest.raises(PrunescopeError, match=r"r\.csv, row 3: column 'text' is empty"):
            sentences_from(holes, SST2, ["text"], "label", {"0": 0, "1": 1})
        with pytest.raises(PrunescopeError, match="column 'label' is chosen twice"):
            sentences_from(holes, SST2, ["label"], "label", {"0": 0, "1": 1})
        with pytest.raises(PrunescopeError, match="has 2 rows with a label of SST-2, and at least 4 are needed"):
            sentences_from(read_table("r.csv", CSV), SST2, ["text"], "label", {"pos": 1})


class TestKeeping:
    def test_they_come_back_by_the_digest_of_their_content(self) -> None:
        sentences = many(20)
        data = keep(sentences)
        assert is_own(data)
        assert keep(many(20)) == data
        assert keep(many(21)) != data
        assert own_table.load(data, SST2) == sentences

    def test_a_damaged_missing_or_foreign_file_is_refused(self) -> None:
        data = keep(many(22))
        with pytest.raises(PrunescopeError, match="labelled for task 'sst2', not for 'cola'"):
            own_table.load(data, TASKS["cola"])
        path = user_cache_path("prunescope") / "own" / f"{data.removeprefix('own:')}.json"
        path.write_text(path.read_text().replace("sentence 1", "sentence I"))
        for name in (data, f"own:{'0' * 64}", "own:../../secret", f"own:../{'0' * 61}"):
            with pytest.raises(PrunescopeError, match="choose the file again"):
                own_table.load(name, SST2)
        path.unlink()

    def test_the_oldest_make_room(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        monkeypatch.setattr(own_table, "user_cache_path", lambda name: tmp_path)
        monkeypatch.setattr(own_table, "MAX_KEPT", 2)
        names = [keep(many(rows)) for rows in (30, 31, 32)]
        left = {f"own:{path.stem}" for path in (tmp_path / "own").glob("*.json")}
        assert len(left) == 2
        assert names[2] in left


class TestDrawing:
    def test_two_thirds_are_evaluated_whatever_the_method(self) -> None:
        assert [default_examples(rows) for rows in (4, 5, 6, 90, 384, 2000)] == [4, 4, 4, 60, 256, 256]
        data = keep(many(90))
        subset = load_subset(SST2, data, None)
        calibration = load_calibration(SST2, data, subset)
        assert len(subset.rows) == 60
        assert len(calibration.rows) == 30
        assert not set(subset.texts) & set(calibration.texts)
        assert sum(subset.gold) == 30, "stratified"
        assert load_subset(SST2, data, None) == subset

    def test_rows_are_those_of_the_file(self) -> None:
        sentences = sentences_from(read_table("r.csv", CSV), SST2, ["text"], "label", MEANS)
        subset = load_subset(SST2, keep(sentences), 4)
        assert dict(zip(subset.rows, subset.texts, strict=True))[5] == ("dull",)
        assert sorted(subset.rows) == [0, 1, 3, 5]

    def test_a_text_that_is_there_twice_is_not_on_both_sides(self) -> None:
        texts = (("the same",),) * 20 + many(100).texts
        sentences = OwnSentences("sst2", "t.csv", tuple(range(120)), texts, (0, 1) * 60)
        data = keep(sentences)
        subset = load_subset(SST2, data, None)
        assert not set(subset.texts) & set(load_calibration(SST2, data, subset).texts)

    def test_too_few_to_score_on_is_refused_with_a_remedy(self) -> None:
        data = keep(many(40))
        with pytest.raises(PrunescopeError, match=r"40 of 40 rows of many\.csv are evaluated, which leaves 0 other"):
            load_calibration(SST2, data, load_subset(SST2, data, 40))
        assert len(load_calibration(SST2, data, load_subset(SST2, data, 24)).rows) == 16

    def test_the_record_names_the_source_and_holds_no_text(self) -> None:
        record = load_subset(SST2, keep(many(12)), None).record()
        assert (record.source, record.source_name) == ("folder", "own sentences (many.csv)")
        assert "sentence 1" not in json.dumps(record.model_dump(mode="json"))
        result = make_result(num_examples=8)
        assert (
            data_name(result.model_copy(update={"task": record})) == "8 SST-2-like examples, own sentences (many.csv)"
        )


class TestRequests:
    @pytest.mark.parametrize("method", ["magnitude", "attribution"])
    def test_a_request_is_prepared_from_them(self, method: str, tiny_bert: Path) -> None:
        data = keep(many(90))
        scope = "encoder" if METHODS[method].granularity == "weight" else None
        inputs = prepare(checked(SweepRequest(str(tiny_bert), "sst2", method, scope, data=data)))
        assert len(inputs.subset.rows) == 60
        assert (inputs.calibration is not None) == METHODS[method].calibrated

    def test_hosted_they_are_allowed_and_nothing_like_a_path_is(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PRUNESCOPE_HOSTED", "1")
        data = keep(many(12))
        assert checked(SweepRequest("embedded:sst2", "sst2", data=data)).data == data
        for name in (f"own:../{'0' * 61}", "own:", "own:/etc"):
            with pytest.raises(PrunescopeError, match="hosted"):
                checked(SweepRequest("embedded:sst2", "sst2", data=name))
