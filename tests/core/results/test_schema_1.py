"""Results of an earlier version: read with their key, saved as they are now, and nothing invented."""

import json
from pathlib import Path

import pytest

from core.errors import PrunescopeError
from core.request.catalog import METHODS
from core.results import store

FOLDER = Path(__file__).parent / "schema_1"
FILES = sorted(FOLDER.glob("*.json"))


def test_there_are_files_of_weights_of_units_and_of_a_control() -> None:
    methods = {json.loads(path.read_text("utf-8"))["pruning"]["method"] for path in FILES}
    assert methods == {"magnitude", "attribution", "random"}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem[:8])
def test_an_earlier_result_keeps_its_numbers_and_its_key(path: Path, tmp_path: Path) -> None:
    values, result = json.loads(path.read_text("utf-8")), store.load(path)
    assert result.key == path.stem
    for frame, before in zip(result.frames, values["frames"], strict=True):
        for reduction, matrix in before["cka"].items():
            assert [list(row) for row in frame.matrix(reduction)] == matrix
        assert frame.metrics == before["metrics"]
    gap = result.statistics_of("mean").depth_gap
    assert gap.value == values["statistics"]["mean"]["depth_gap"]["value"]
    assert gap.replicates == pytest.approx(values["statistics"]["mean"]["depth_gap"]["replicates"], abs=1e-7)
    again = store.load(store.save(result, tmp_path))
    assert again.model_copy(update={"checksum": ""}) == result.model_copy(update={"checksum": ""})


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem[:8])
def test_what_an_earlier_result_lacks_stays_empty(path: Path) -> None:
    result = store.load(path)
    assert (result.floor, result.working_range) == (None, None)
    assert result.measures == ("cka",)
    assert {(frame.changed, frame.divergence) for frame in result.frames} == {(None, None)}
    known = result.statistics_of("mean")
    assert (known.own, known.gap_at_damage, known.profile_at_damage) == (None, {}, {})
    controlled = "magnitude" if METHODS[result.pruning.method].control is None else None
    assert result.pruning.controls == controlled, "random pruning followed magnitude's allocation"


@pytest.mark.parametrize("part", ["cka", "task", "frames", "pruning"])
def test_a_damaged_earlier_result_is_refused_in_one_line(tmp_path: Path, part: str) -> None:
    values = json.loads(FILES[0].read_text("utf-8"))
    path = tmp_path / "damaged.json"
    path.write_text(json.dumps({**values, part: 1}), encoding="utf-8")
    with pytest.raises(PrunescopeError, match="not a valid result of version 1") as caught:
        store.load(path)
    assert "\n" not in str(caught.value)
