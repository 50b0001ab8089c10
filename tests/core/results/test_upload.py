"""A stranger's result file is opened only if it is whole and every page can show it."""

import pytest

from core.results import store
from core.results.store import open_upload
from tests.builders import make_result
from tests.refusals import refusal
from tests.uploaded import read_upload, rewritten

RESULT = make_result(num_layers=2, amounts=(0.0, 0.5), num_examples=20)
WHOLE = rewritten(RESULT, {})
WORKING = {
    "to": 0.123,
    "metric": "accuracy",
    "examples": 20,
    "shown_broken_from": None,
    "lead": 0.3,
}
MANY = {f"name {k}": "x" for k in range(2_000)}
LONG = "w" * 4_000_000
FIT = "its points, layers, examples, amounts and metrics do not fit each other"


@pytest.mark.parametrize(
    ("changes", "words"),
    [  # damaged, or of another version
        (
            {"schema_version": 1},
            "version 1, this program reads 2: compute it again in the Lab or with python",
        ),
        (
            {"environment": {}},
            "it has no dtype or engine",
        ),
        ({"frames": [], "statistics": None}, FIT),
        (
            {"similarity.points.1": "layer.7.attention"},
            "its points are not those of 2 layers",
        ),
        ({"frames.0.amount": 0.1}, FIT),
        ({"frames.1.similarity.cka.mean.0.0": 1.00001}, FIT),
        ({"task.gold": [0]}, FIT),
        # whole, and yet no page could show it
        (
            {"checkpoint.id": "owner/name"},
            "no checkpoint owner/name comes with this program",
        ),
        ({"task.name": "own"}, "unknown task"),
        ({"task.label_names": ["a", "b", "c"]}, "do not fit"),
        ({"task.gold.3": 2}, "outside 0 to 1"),
        ({"working_range": WORKING}, FIT),
        ({"pruning.method": "magic"}, "unknown method"),
        ({"pruning.scope": "layer:2"}, "some of layers 1 to 2"),
        (
            {"frames.0.similarity.cka.mode": [[1.0, 1.0], [1.0, 1.0]]},
            "lacks its CKA or a reduction",
        ),
        ({"frames.1.metrics.accuracy": None}, "lacks its accuracy"),
        # beyond a bound
        (
            {"frames.0.similarity.cka.mean.0.0": 1e308},
            "frames.0.similarity.cka.mean",
        ),
        ({"environment": MANY}, "environment"),
        *(
            ({"task.data": name}, "is not a data set")
            for name in (f"own:{'0' * 64}", "/etc/passwd")
        ),
    ],
)
def test_a_result_that_is_damaged_or_that_no_page_can_show_is_refused(
    changes: dict[str, object], words: str
) -> None:
    message = refusal(read_upload, rewritten(RESULT, changes), "mine.json")
    assert message.startswith("mine.json ")
    assert words in message
    assert len(message) < 3_000, "megabytes are not quoted"


def test_unknown_fields_are_dropped_although_the_checksum_covers_them() -> None:
    former = {
        "against": None,
        "pruning.allocation": None,
        "frames.1.steps": [0.5],
        LONG: LONG,
    }
    older = read_upload(rewritten(RESULT, former), "mine.json")
    assert older == RESULT.model_copy(update={"checksum": older.checksum})
    assert "does not match its checksum" in refusal(
        read_upload, rewritten(older, {}, sealed=False), "a"
    )


@pytest.mark.parametrize(
    ("measures", "in_key"), [(("cka",), True), (("cka", "partial_cka"), False)]
)
def test_an_older_file_is_read_under_its_own_key(measures: tuple[str, ...], in_key: bool) -> None:
    changes = {"similarity.measures": {name: {} for name in measures}}
    changes |= {f"frames.1.similarity.{measure}": {} for measure in measures[1:]}

    older = read_upload(rewritten(RESULT, changes), "mine.json")

    assert (older.key != RESULT.key) == in_key


def test_a_result_too_large_to_draw_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert open_upload(WHOLE, "mine.json") == RESULT
    with monkeypatch.context() as patch:
        patch.setattr(store, "MOST_CELLS", 7)
        assert "its matrices have 8 cells, at most 7 can be drawn" in refusal(
            read_upload, WHOLE, "mine.json"
        )
        patch.setattr(store, "MAX_BYTES", 2**20)
        assert "mine.json holds more than 1 MiB" in refusal(
            read_upload, b" " * 2**20 + WHOLE, "mine.json"
        )
