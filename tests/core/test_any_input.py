"""Whatever a stranger types, links to or uploads is taken, or refused in one line."""

import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import PrunescopeError
from core.inputs.checkpoint_files import check_config
from core.inputs.labels import label_names
from core.inputs.tables import DataFile, label_names_of, read_table
from core.request.limits import dataset_of, source_of
from core.request.sweep_request import SweepRequest
from core.results.key import digest
from tests.builders import make_result
from tests.uploaded import read_upload

settings.register_profile(
    "same every time",
    derandomize=True,
    deadline=None,
    max_examples=50,
    database=None,
)
settings.load_profile("same every time")

RESULT = make_result(num_layers=2, amounts=(0.0, 0.5), num_examples=20).model_dump_json()
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4)
    ),
    max_leaves=12,
)
FIELDS = st.sampled_from(sorted(SweepRequest.__dataclass_fields__))
CONFIG = st.sampled_from(["num_hidden_layers", "hidden_size", "n_heads", "id2label", "x"])
TABLE = st.text(st.sampled_from('ab,;\t"\n\r\\{}[]:0é\ufeff\x00 '), max_size=120).map(str.encode)


@contextmanager
def taken_or_refused() -> Iterator[None]:
    """Let the block succeed or be refused in one line; any other exception fails the test."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PRUNESCOPE_HOSTED", "1")  # so that no name is a folder here
        try:
            yield
        except PrunescopeError as error:
            message = str(error)
        else:
            return
    assert 0 < len(message) < 1_000
    assert len(message.splitlines()) == 1


def places(values: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield all places in JSON values at which another value may stand."""
    yield path
    if isinstance(values, list):
        values = dict(enumerate(values))
    if isinstance(values, dict):
        for key, value in values.items():
            yield from places(value, (*path, key))


@given(place=st.sampled_from([*places(json.loads(RESULT))][1:]), value=JSON)
def test_a_result_file_with_any_value_anywhere(place: tuple[Any, ...], value: Any) -> None:
    changed = json.loads(RESULT)
    part = changed
    for key in place[:-1]:
        part = part[key]
    part[place[-1]] = value
    with suppress(ValueError, KeyError):  # whoever changes a file can also seal it
        del changed["checksum"]
        changed["checksum"] = digest(changed)
    with taken_or_refused():
        read_upload(json.dumps(changed).encode(), "theirs.json")


@given(text=st.text(max_size=80) | st.from_regex(r"[\w./@:-]{1,60}", fullmatch=True))
def test_any_id(text: str) -> None:
    for read in (source_of, dataset_of):
        with taken_or_refused():
            read(text)
            assert read is source_of or ".." not in text


@given(values=st.dictionaries(FIELDS, JSON, max_size=4))
def test_a_request_of_any_values(values: dict[str, Any]) -> None:
    """Read an accepted request again, as the worker does."""
    with taken_or_refused():
        request = SweepRequest.from_json({"checkpoint": "embedded:sst2", "task": "sst2", **values})
        assert SweepRequest.from_json(vars(request)) == request


@given(names=JSON)
def test_label_names_of_any_values_in_a_table(names: Any) -> None:
    features = {"label": {"_type": "ClassLabel", "names": names}}
    metadata = json.dumps({"info": {"features": features}}).encode()
    for names in label_names_of({b"huggingface": metadata}).values():
        assert all(isinstance(name, str) for name in names.values())


@given(values=st.dictionaries(CONFIG, JSON))
def test_a_config_of_any_values(values: dict[str, Any]) -> None:
    with taken_or_refused():
        check_config({"model_type": "bert", **values}, "theirs")
    with taken_or_refused():
        label_names(values, "theirs")


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".jsonl", ".parquet"])
@given(content=st.binary(max_size=120) | TABLE)
def test_a_table_of_any_content(suffix: str, content: bytes) -> None:
    with TemporaryDirectory() as folder, taken_or_refused():
        path = Path(folder) / f"theirs{suffix}"
        path.write_bytes(content)
        table = read_table((DataFile(path, path.name),), 100)
        assert all(len(cells) == len(table.rows) for cells in table.cells.values())
