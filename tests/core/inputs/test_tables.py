"""Tables of text from four kinds of files: read alike, numbered alike, refused in one line."""

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from datasets import ClassLabel, Dataset, Features, Value

from core.errors import PrunescopeError
from core.inputs.tables import DataFile, Table, read_table

CSV = b'text,label\r\n"good, really",pos\r\nbad,neg\r\n\r\n"two\nlines",pos\r\nfair,meh\r\ndull,neg\r\n'


@pytest.fixture
def read(tmp_path: Path):
    """Reads a file of some name and content."""

    def read_file(content: bytes | str, name: str = "a.csv", limit: int | None = None) -> Table:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return read_table((DataFile(path, name),), limit)

    return read_file


@pytest.fixture
def refusal(read):
    """The one line that refuses a file, read as a whole or in part."""

    def refused(content: bytes | str, name: str = "a.csv") -> str:
        found = []
        for limit in (None, 1000):
            with pytest.raises(PrunescopeError) as caught:
                read(content, name, limit)
            found.append(str(caught.value))
        assert "\n" not in found[0]
        assert found[0] == found[1]
        return found[0]

    return refused


def test_a_file_that_cannot_be_opened_is_named(tmp_path: Path) -> None:
    with pytest.raises(PrunescopeError, match=r"mine\.csv cannot be read \(No such file or directory\)"):
        read_table((DataFile(tmp_path / "gone.csv", "mine.csv"),))


def parquet(path: Path, columns: dict[str, list[object]], features: Features | None = None) -> bytes:
    Dataset.from_dict(columns, features=features).to_parquet(str(path))
    return path.read_bytes()


class TestSpreadsheets:
    def test_quotes_line_breaks_and_blank_lines(self, read) -> None:
        table = read(CSV)
        assert table.columns == ("text", "label")
        assert table.column("text") == ("good, really", "bad", "two\nlines", "fair", "dull")
        assert table.rows == (0, 1, 3, 4, 5)
        assert table.place(2) == "a.csv, row 5", "as a spreadsheet counts"
        assert table.files[0].rows == (0, 6)

    @pytest.mark.parametrize(("name", "separator"), [("a.tsv", "\t"), ("a.csv", ";"), ("a.csv", ","), ("a.csv", "\t")])
    def test_the_separator_is_found(self, read, name: str, separator: str) -> None:
        assert read(f"text{separator}label\nfine{separator}1\n", name).column("label") == ("1",)

    def test_marks_at_the_beginning_and_a_column_without_a_name(self, read, refusal) -> None:
        table = read("\ufeff,text,label\n0,Grüße,1\n")
        assert table.columns == ("column 1", "text", "label")
        assert table.column("text") == ("Grüße",)
        assert read("\ufeff\ufefftext,label\nfine,1\n").columns == ("text", "label")
        assert "unexpected end of data" in refusal('\ufeff"text,label\nfine,1\n')
        refusal('\ufeff\ufeff"text,label\nfine,1\n')

    def test_a_refusal_names_the_place_and_the_remedy(self, refusal) -> None:
        assert "Expected 2 fields in row 3, saw 3: put text" in refusal("text,label\na,1\nb,c,1\n")
        assert "Expected 2 fields in row 5, saw 3" in refusal('text,label\n"a\nb",1\n\nc,1\nd,e,1\n')
        assert "row 3 has 1 fields, its header 2: put text" in refusal("text,label\na,1\nb\n")
        assert "unexpected end of data" in refusal('text,label\n"a,1\n')
        assert "is not UTF-8 text: save it as UTF-8, in Excel as CSV UTF-8" in refusal("xä,b".encode("latin-1"))
        assert "has 2 columns 'text': rename" in refusal("text,text\na,1\n")
        assert "has 1 columns: it needs a header and at least two" in refusal("text\na\n")
        assert "has 0 columns" in refusal("")
        assert "has no rows" in refusal("text,label\n")
        assert "field larger than field limit" in refusal("text,label\n" + "x" * 200_000 + ",1\n")

    def test_a_fault_further_down_is_refused_likewise(self, refusal) -> None:
        rows = "text,label\n" + "fine,1\n" * 9
        assert "unexpected end of data: put text" in refusal(rows + '"a,1\n')
        assert "field larger than field limit" in refusal(rows + "x" * 200_000 + ",1\n")

    def test_words_that_pandas_takes_for_nothing_are_words(self, read) -> None:
        table = read(b"text,label\nNA,null\nnan,1\n")
        assert (table.column("text"), table.column("label")) == (("NA", "nan"), ("null", "1"))

    def test_only_the_first_rows_are_read(self, read) -> None:
        rows = "text,label\n" + "".join(f"t{k},1\n" for k in range(51))
        table = read(rows + "broken,here,too\n", limit=50)
        assert (len(table.rows), table.is_cut) == (50, True)
        assert not read(rows, limit=51).is_cut


class TestJsonLines:
    def test_values_become_text_and_nested_ones_are_left_out(self, read) -> None:
        rows = [
            {"text": "Grüße", "label": 2, "score": 1.0, "ok": True, "tags": ["a"]},
            {"text": "two", "label": None, "score": 0.5, "ok": False, "tags": []},
        ]
        table = read("\n\n".join(json.dumps(row, ensure_ascii=False) for row in rows), "a.jsonl")
        assert dict(table.cells) == {
            "text": ("Grüße", "two"),
            "label": ("2", ""),
            "score": ("1", "0.5"),
            "ok": ("true", "false"),
        }
        assert table.rows == (0, 2)
        assert table.place(1) == "a.jsonl, row 3"
        assert table.numeric == {"label", "score", "ok"}

    def test_a_line_that_is_no_object_is_named(self, refusal) -> None:
        assert "line 2 is not a JSON object" in refusal('{"a": 1}\n{"a": \n', "a.jsonl")
        assert "line 3 is not a JSON object" in refusal('{"a": 1}\n\n{"a": \n', "a.jsonl"), "blank lines count"
        assert "is not UTF-8 text: save it as UTF-8" in refusal(
            '{"a": 1}\n{"a": "\xe4"}\n'.encode("latin-1"), "a.jsonl"
        )
        assert "line 2 is not a JSON object" in refusal('{"a": 1}\n[1]\n', "a.jsonl")
        assert "has no rows" in refusal("\n\n", "a.jsonl")
        joined = 'sentence\tlabel\nA fine film.\t1\n"It is bad.\t0\nI hated it."\t0\nGreat.\t1\n'
        assert "row 3: a quotation mark opens a text there" in refusal(joined, "a.tsv")
        assert "no column of plain values, only lists" in refusal('{"tokens": ["a", "b"], "tags": [1, 2]}\n', "a.jsonl")
        assert "line 2 holds half of a character" in refusal('{"a": "1"}\n{"a": "\\ud83d"}\n', "a.jsonl")

    def test_what_is_missing_is_empty_and_no_word(self, read) -> None:
        table = read('{"text": NaN, "label": null}\n{"text": "nan", "label": NaN}\n', "a.jsonl")
        assert dict(table.cells) == {"text": ("", "nan"), "label": ("", "")}


class TestWidth:
    """A header of 300,000 columns kept a processor busy for minutes; it is refused before anything is read."""

    @pytest.mark.parametrize("count", [501, 20_000, 120_000])
    def test_too_many_columns_are_refused(self, refusal, tmp_path: Path, count: int) -> None:
        names = [str(k) for k in range(count)]
        said = f"has {count:,} columns, at most 500 are read"
        if count < 40_000:
            assert said in refusal("\ufeff" + ",".join(names) + "\n" + ",".join(names) + "\n")
            assert said in refusal("\t".join(names) + "\n", "a.tsv")
        assert said in refusal(json.dumps(dict.fromkeys(names, 1)) + "\n", "a.jsonl")
        if count < 1_000:
            assert said in refusal(parquet(tmp_path / "x", {name: [1] for name in names}), "a.parquet")

    @pytest.mark.parametrize("start", [b"", b"\xef\xbb\xbf"])
    def test_a_line_without_end_is_no_header(self, refusal, start: bytes) -> None:
        assert "has no header: its first line never ends" in refusal(start + b"a," * 300_000)

    def test_five_hundred_are_read(self, read) -> None:
        header = ",".join(str(k) for k in range(500))
        assert len(read(f"{header}\n{header}\n").columns) == 500


class TestParquet:
    def test_named_labels_are_read_as_names(self, read, tmp_path: Path) -> None:
        features = Features({"t": Value("string"), "y": ClassLabel(names=["no", "yes"]), "v": [Value("float32")]})
        columns = {"t": ["a ", "b", "c"], "y": [1, 0, -1], "v": [[0.1], [], [0.2]]}
        table = read(parquet(tmp_path / "x", columns, features), "a.parquet")
        assert dict(table.cells) == {"t": ("a ", "b", "c"), "y": ("yes", "no", "")}
        assert table.numeric == frozenset()

    def test_shards_follow_each_other_until_enough_rows_are_read(self, tmp_path: Path) -> None:
        files = []
        for number, count in enumerate((30, 20, 40)):
            path = tmp_path / f"{number}.parquet"
            parquet(path, {"t": [f"{number} {k}" for k in range(count)], "y": [k % 2 for k in range(count)]})
            files.append(DataFile(path, f"part/{number}.parquet"))
        table = read_table(files, 45)
        assert table.column("t")[29:32] == ("0 29", "1 0", "1 1")
        assert table.rows == tuple(range(45))
        assert [(file.name, file.rows) for file in table.files] == [
            ("part/0.parquet", (0, 30)),
            ("part/1.parquet", (30, 45)),
        ]
        assert table.is_cut
        assert (len(read_table(files).rows), read_table(files).is_cut) == (90, False)
        assert read_table(files, 30).is_cut, "further files are not even opened"

    def test_what_is_no_parquet_is_refused(self, refusal) -> None:
        assert "not readable as parquet" in refusal(b"PAR1 not really PAR1", "a.parquet")

    def test_two_columns_of_one_name_are_refused(self, refusal, tmp_path: Path) -> None:
        pq.write_table(pa.table([pa.array(["a"])] * 2, names=["t", "t"]), tmp_path / "x")
        assert "has 2 columns 't': rename all but one" in refusal((tmp_path / "x").read_bytes(), "a.parquet")

    def test_a_label_that_is_no_number_is_missing(self, read, tmp_path: Path) -> None:
        pq.write_table(pa.table({"t": ["a", "b"], "y": [float("nan"), 1.0]}), tmp_path / "x")
        assert read((tmp_path / "x").read_bytes(), "a.parquet").column("y") == ("", "1")

    def test_numbers_are_no_text(self, read, tmp_path: Path) -> None:
        table = read(parquet(tmp_path / "x", {"t": [1, 2], "y": ["a", "b"]}), "a.parquet")
        with pytest.raises(PrunescopeError, match="column 't' is not text"):
            table.text_column("t")

    @pytest.mark.parametrize(
        "features",
        [
            *({"y": {"_type": "ClassLabel", "names": names}} for names in (5, None, "no", {"0": "a"}, [0, 1], [["a"]])),
            [],
            {"y": 7},
            {"y": {"names": ["no", "yes"]}},
        ],
    )
    def test_label_names_that_are_none_leave_the_numbers(self, read, tmp_path: Path, features: object) -> None:
        table = pa.table({"t": ["a", "b"], "y": [0, 1]})
        metadata = {"huggingface": json.dumps({"info": {"features": features}})}
        pq.write_table(table.replace_schema_metadata(metadata), tmp_path / "x")
        found = read((tmp_path / "x").read_bytes(), "a.parquet")
        assert (found.column("y"), found.numeric) == (("0", "1"), {"y"})

    @pytest.mark.parametrize("metadata", ["[" * 100_000, "", "null", '{"info": 1}', "1" * 5_000])
    def test_metadata_of_any_kind_is_no_reason_to_stop(self, read, tmp_path: Path, metadata: str) -> None:
        table = pa.table({"t": ["a", "b"], "y": [0, 1]})
        pq.write_table(table.replace_schema_metadata({"huggingface": metadata}), tmp_path / "x")
        assert read((tmp_path / "x").read_bytes(), "a.parquet").column("y") == ("0", "1")
