"""A stranger's result file is opened only if every page can show it."""

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest
from pydantic import ValidationError

from core.errors import PrunescopeError
from core.exports.tables import result_json
from core.results import showable
from core.results.digest import digest
from core.results.key import key_of
from core.results.schema import SweepResult
from core.results.showable import max_megabytes, open_upload
from tests.builders import make_result
from tests.uploaded import read_upload

RESULT = make_result(num_layers=2, amounts=(0.0, 0.5), num_examples=20)
Change = Callable[[dict[str, Any]], None]


def file(change: Change, rekey: bool = True) -> bytes:
    """The result's file with some values changed, and a key and a checksum that fit: anybody can compute them."""
    values = json.loads(result_json(RESULT))
    change(values)
    if rekey:
        with suppress(ValueError):  # what the format itself refuses has no key
            values["key"] = key_of(SweepResult.model_validate(values))
    del values["checksum"]
    return json.dumps({**values, "checksum": digest(values)}).encode()


def set_in(*path: str | int, to: object) -> Change:
    def change(values: Any) -> None:
        for step in path[:-1]:
            values = values[step]
        values[path[-1]] = to

    return change


def renamed(measure: str, to: str | None) -> Change:
    """Rename a measure wherever it stands, or drop it."""

    def change(values: dict[str, Any]) -> None:
        frames = [frame["similarity"] for frame in values["frames"]]
        for known in (values["similarity"]["measures"], values["statistics"], *frames):
            found = known.pop(measure, None)
            if to and found is not None:
                known[to] = found

    return change


def with_another_median(values: dict[str, Any]) -> None:
    values["statistics"]["cka"]["median"] = values["statistics"]["cka"]["mean"]


def working(**changes: object) -> Change:
    known = {"to": 0.5, "metric": "accuracy", "examples": 20, "shown_broken_from": None, "smallest_drop": 0.1}
    return set_in("working_range", to={**known, "lead": 0.3, "reason": None, **changes})


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (set_in("task", "name", to="own"), "unknown task"),
        (working(metric="magic"), "its metric magic is unknown"),
        (working(to=0.123), "that was not measured"),
        (set_in("pruning", "method", to="magic"), "unknown method"),
        (set_in("pruning", "controls", to="magic"), "unknown method"),
        (set_in("pruning", "scope", to="layer:2"), "or layer:0 to layer:1"),
        (set_in("task", "label_names", to=["a", "b", "c"]), "do not fit"),
        (set_in("task", "gold", 3, to=2), "outside 0 to 1"),
        (set_in("frames", 1, "predictions", 0, to=2), "outside 0 to 1"),
        (set_in("similarity", "points", 1, to="layer.7.attention"), "its points are not those of 2 layers"),
        (set_in("frames", 1, "intervals", to={}), r"frame 0\.5: its predictions, layer sparsity, metrics, intervals"),
        (set_in("frames", 1, "metrics", to={}), r"frame 0\.5: its predictions, layer sparsity, metrics"),
        (set_in("frames", 0, "similarity", "cka", "mode", to=[[1.0, 1.0], [1.0, 1.0]]), "lacks a reduction"),
        (set_in("frames", 0, "similarity", "cka", "mean", to=[[1.0, 1.0]]), "similarities lie outside"),
        (set_in("frames", 1, "metrics", "accuracy", to=None), "lacks its accuracy"),
        (set_in("frames", to=[]), "statistics of 'cka', 'mean' are not those"),
        (set_in("floor", "predictions", to=[0]), "its floor is not"),
        (set_in("task", "gold", to=[0]), "its gold labels"),
        (set_in("against", to=RESULT.checkpoint.model_dump()), "its gold labels or length control"),
        (with_another_median, "statistics of an unknown measure or reduction"),
        (set_in("task", "main_metric", to="magic"), "its metric magic is unknown"),
        (renamed("partial_cka", "knn"), "its measure knn is unknown"),
        (renamed("cka", None), "lacks its CKA"),
        (set_in("frames", 0, "amount", to=0.1), "ascend from amount 0"),
    ],
)
def test_a_result_that_no_page_can_show_is_refused(change: Change, said: str) -> None:
    with pytest.raises(PrunescopeError, match=said):
        read_upload(file(change), "mine.json")


@pytest.mark.parametrize(
    ("change", "place"),
    [
        (set_in("checkpoint", "num_layers", to=10**9), "checkpoint.num_layers"),
        (set_in("against", to={**RESULT.checkpoint.model_dump(), "num_layers": 97}), "against.num_layers"),
        (set_in("similarity", "points", to=["layer.0.attention"] * 193), "similarity.points"),
        (set_in("frames", 0, "similarity", "cka", "mean", 0, 0, to=1e308), "frames.0.similarity.cka.mean"),
        (set_in("frames", 1, "predictions", 0, to=-1), "frames.1.predictions.0"),
        (set_in("statistics", "cka", "mean", "depth_gap", "high", to=1e307), "statistics.cka.mean.depth_gap.high"),
        (set_in("statistics", "cka", "mean", "depth_gap", "replicates", to=[{}]), "statistics.cka.mean.depth_gap"),
        (working(lead=1e300), "working_range.lead"),
        (set_in("task", "source_name", to="x" * 40_000), "task.source_name"),
        (set_in("seconds", to=1e300), "seconds"),
        (set_in("pruning", "seed", to=2**32), "pruning.seed"),
        *((set_in("task", "data", to=name), "task.data") for name in (f"own:{'0' * 64}", "/etc/passwd", "written")),
    ],
)
def test_every_number_and_name_has_a_bound(change: Change, place: str) -> None:
    with pytest.raises(PrunescopeError, match=rf"mine\.json is not a valid result: {place}"):
        read_upload(file(change, rekey=False), "mine.json")


def test_a_result_too_large_to_draw_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    for bound, said in (("amounts", "it has 2 amounts, at most 1 can"), ("examples", "it has 20 examples, at most 1")):
        with monkeypatch.context() as patch:
            patch.setattr(showable, "LOCAL_LIMITS", replace(showable.LOCAL_LIMITS, **{bound: 1}))
            with pytest.raises(PrunescopeError, match=said):
                read_upload(file(lambda values: None), "mine.json")
    deep = result_json(make_result(num_layers=33, points="both", amounts=(0.0,), num_examples=8)).encode()
    assert read_upload(deep, "deep.json").points
    assert max_megabytes() == 20
    monkeypatch.setenv("PRUNESCOPE_HOSTED", "1")
    with pytest.raises(PrunescopeError, match="it has 66 points, at most 64 can be drawn"):
        read_upload(deep, "deep.json")
    with pytest.raises(PrunescopeError, match=r"mine\.json is larger than 5 MB"):
        open_upload(b" " * 6 * 1024**2, "mine.json")


def test_a_result_of_an_embedded_checkpoint_that_is_none_is_refused() -> None:
    assert open_upload(file(lambda values: None), "mine.json") == RESULT
    with pytest.raises(PrunescopeError, match="no checkpoint owner/name comes with this program"):
        open_upload(file(set_in("checkpoint", "id", to="owner/name")), "mine.json")


def test_a_long_row_of_faults_ends_at_its_first() -> None:
    many = {**RESULT.model_dump(mode="json"), "frames": []}
    many["similarity"]["length_control"] = [""] * 1000
    with pytest.raises(ValidationError) as caught:
        SweepResult.model_validate(many)
    assert caught.value.error_count() == 1


@pytest.mark.parametrize(
    "content",
    [b"", b"no JSON", b"\xff\xfe", b"[" * 100_000, b'{"schema_version": 1, "key": "\\ud800"}', b"9" * 10_000],
    ids=["empty", "text", "bytes", "deep", "surrogate", "number"],
)
def test_a_file_that_is_not_a_result_is_refused_in_one_line(content: bytes) -> None:
    with pytest.raises(PrunescopeError) as told:
        read_upload(content, "mine.json")
    assert "\n" not in str(told.value)
