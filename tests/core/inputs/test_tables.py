"""Tables of text from four kinds of files: read alike, numbered alike, refused in one line."""

import json
from io import BytesIO

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from datasets import ClassLabel, Dataset, Features, Value

from core.inputs.tables import DataFile, read_table
from tests.refusals import refusal

CSV = (
    b'text,label\r\n"good, really",pos\r\nbad,neg\r\n\r\n'
    b'"two\nlines",pos\r\nfair,meh\r\ndull,neg\r\n'
)


@pytest.fixture
def read(tmp_path):
    """Return a function that reads a file of a given name and content."""

    def read_file(content, name="a.csv", limit=None):
        (tmp_path / name).write_bytes(content.encode() if isinstance(content, str) else content)
        return read_table((DataFile(tmp_path / name, name),), limit)

    return read_file


def parquet(columns, features=None):
    content = BytesIO()
    if features:
        Dataset.from_dict(columns, features=features).to_parquet(content)
    else:
        pq.write_table(pa.table(columns), content)
    return content.getvalue()


REFUSED = [
    (
        "a.csv",
        "text,label\na,1\nb,c,1\n",
        "(Expected 2 fields in row 3, saw 3): put text",
    ),
    (
        "a.csv",
        b"text,label\n" + b"fine,1\n" * 99 + b"x\xe4,1\n",
        "it is not UTF-8 text",
    ),
    ("a.csv", "text,text\na,1\n", "2 of them 'text'"),
    ("a.csv", "text\na\n", "it needs a header and at least two columns"),
    ("a.csv", "text,label\n", "has no rows"),
    (
        "a.csv",
        "text,label\n" + "x" * 200_000 + ",1\n",
        "field larger than field limit",
    ),
    (
        "a.tsv",
        'text\tlabel\nFine.\t1\n"It is bad.\t0\nI hated it."\t0\n',
        "marks in row 3 do not end there",
    ),
    (
        "a.csv",
        'text,label\nfine,1\n"a" b,1\n',
        "',' expected after '\"'): put text",
    ),
    ("a.jsonl", '{"a": 1}\n\n{"a": \n', "line 3 is no JSON object"),
    ("a.jsonl", '{"a": "1"}\n{"a": "\\ud83d"}\n', "line 2 is no JSON object"),
    (
        "a.jsonl",
        '{"tokens": ["a", "b"], "tags": [1, 2]}\n',
        "no column of plain values",
    ),
    ("a.parquet", b"PAR1 not really PAR1", "not readable as parquet"),
    (
        "a.parquet",
        parquet({str(k): [1] for k in range(501)}),
        "has 501 columns",
    ),
]


@pytest.mark.parametrize(("name", "content", "says"), REFUSED, ids=range(len(REFUSED)))
def test_what_cannot_be_read_is_refused_alike_as_a_whole_and_in_part(read, name, content, says):
    message = refusal(read, content, name)

    assert message == refusal(read, content, name, 1000)
    assert says in message
    assert name in message


def test_a_missing_file_is_refused(tmp_path):
    gone = [DataFile(tmp_path / "gone.csv", "mine.csv")]

    assert "mine.csv cannot be read (No such file or directory)" in refusal(read_table, gone)


# ---------------------------------------------------------------- CSV and TSV


def test_quotes_line_breaks_and_blank_rows(read):
    table = read(CSV)

    assert dict(table.cells) == {
        "text": ("good, really", "bad", "two\nlines", "fair", "dull"),
        "label": ("pos", "neg", "pos", "meh", "neg"),
    }
    assert table.rows == (0, 1, 3, 4, 5), "blank rows count"
    assert read(b"\xef\xbb\xbf" + CSV).cells == table.cells
    assert read(CSV.replace(b",", b"\t").replace(b"\r", b""), "a.tsv").rows == table.rows


@pytest.mark.parametrize(
    ("content", "columns"),
    [
        (
            "text;label\nfine, really;1\n",
            {"text": "fine, really", "label": "1"},
        ),
        (
            "text\tlabel\nfine; really\t1\n",
            {"text": "fine; really", "label": "1"},
        ),
        (
            "\ufeff,text,label\n0,Grüße,1\n",
            {"column 1": "0", "text": "Grüße", "label": "1"},
        ),
        ("text,label\nNA, 1\n", {"text": "NA", "label": "1"}),
    ],
)
def test_separators_marks_and_empty_cells(read, content, columns):
    cells = read(content).cells

    assert cells == {name: (cell,) for name, cell in columns.items()}


# ---------------------------------------------------------------- JSON lines and Parquet


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("Grüße", "Grüße"),
        ("yes ", "yes "),
        (" \u3000", ""),
        (2, "2"),
        (1.0, "1"),
        (0.5, "0.5"),
        (float("nan"), ""),
        (None, ""),
        (True, "true"),
    ],
)
def test_values_become_text(read, value, text):
    content = json.dumps({"value": value, "label": 1}, ensure_ascii=False)

    assert read(content, "a.jsonl").column("value") == (text,)


def test_nested_values_are_left_out_and_blank_lines_count(read):
    table = read('{"text": "a", "tags": ["b"]}\n\n{"text": "c", "tags": []}', "a.jsonl")

    assert table.cells == {"text": ("a", "c")}
    assert table.rows == (0, 2)
    assert "a.jsonl has no column 'mood': name one of text" in refusal(table.column, "mood")


def test_named_labels_are_read_as_names(read):
    columns = {
        "t": ["a ", "b", "c"],
        "y": [1, 0, -1],
        "v": [[0.1], [], [0.2]],
    }
    features = {
        "t": Value("string"),
        "y": ClassLabel(names=["no", "yes"]),
        "v": [Value("float32")],
    }

    table = read(parquet(columns, Features(features)), "a.parquet")

    assert table.cells == {"t": ("a ", "b", "c"), "y": ("yes", "no", "")}


def test_files_follow_each_other_until_enough_rows_are_read(tmp_path):
    files = []
    for number, count in enumerate((30, 20, 40)):
        path = tmp_path / f"{number}.parquet"
        texts = [f"{number} {row}" for row in range(count)]
        path.write_bytes(parquet({"t": texts, "y": [0] * count}))
        files.append(DataFile(path, f"part/{number}.parquet"))

    part = read_table(files, 45)
    whole = read_table(files)

    assert part.column("t")[29:32] == ("0 29", "1 0", "1 1")
    assert part.rows == tuple(range(45))
    assert part.is_cut
    assert not whole.is_cut
    first, second = part.files
    assert first.name == "part/0.parquet"
    assert first.rows == (0, 30)
    assert second.rows == (30, 45)
    assert len(whole.rows) == 90


def test_files_of_different_columns_are_refused(tmp_path):
    files = [DataFile(tmp_path / name, name) for name in ("y.parquet", "z.parquet")]
    for file in files:
        file.path.write_bytes(parquet({"t": ["a"], file.name: [1]}))

    assert "z.parquet has other columns than the first file" in refusal(read_table, files)
