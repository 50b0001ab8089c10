"""A result file of one's own: kept locally, and hosted in the visit alone."""

from pathlib import Path

import pytest
from cachetools import LRUCache
from streamlit.testing.v1 import AppTest

from core.exports.tables import result_json
from core.results import store
from core.results.schema import bytes_of
from tests.builders import make_result, with_own_key

RESULT = make_result(num_layers=2, amounts=(0.0, 0.35), num_examples=24)


def page() -> None:
    import streamlit as st

    from ui.results import at_hand, by_key
    from ui.upload import show_upload

    show_upload()
    st.text(" ".join(entry.key for entry in at_hand()))
    key = st.query_params.get("result")
    result = by_key(key) if key else None
    st.text(f"shown: {result.frames[-1].sparsity if result else None}")


def opened() -> AppTest:
    app = AppTest.from_function(page, default_timeout=20).run()
    assert not app.exception
    return app


def upload(app: AppTest, content: bytes, name: str = "mine.json") -> AppTest:
    app.file_uploader(key="upload").upload(name, content, "application/json").run()
    assert not app.exception
    return app


def test_a_file_is_kept_among_the_users_results_and_named_in_the_address() -> None:
    app = upload(opened(), result_json(RESULT).encode(), "../../elsewhere.json")
    path = store.find(RESULT.key)
    assert path is not None
    assert path.parent == store.user_folder()
    assert store.load(path) == RESULT
    path.unlink()
    assert app.query_params["result"] in (RESULT.key, [RESULT.key])
    assert app.text[1].value == "shown: 0.1855"


def test_a_hosted_server_keeps_it_for_the_visit_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PRUNESCOPE_HOSTED", "1")
    app = upload(opened(), result_json(RESULT).encode())
    assert store.find(RESULT.key) is None
    assert RESULT.key in app.text[0].value
    assert app.text[1].value == "shown: 0.1855"
    assert RESULT.key not in opened().text[0].value, "another visitor does not see it"


@pytest.mark.parametrize("hosted", ["0", "1"])
def test_a_bundled_result_is_never_replaced(hosted: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PRUNESCOPE_HOSTED", hosted)
    monkeypatch.setattr(store, "SHIPPED_RESULTS", tmp_path / "results")
    monkeypatch.setenv("PRUNESCOPE_RESULTS", str(tmp_path / "own"))
    store.save(RESULT, tmp_path / "results")
    frames = [frame.model_copy(update={"sparsity": 0.99}) for frame in RESULT.frames]
    app = upload(opened(), result_json(with_own_key(RESULT, frames=tuple(frames))).encode())
    assert "bundled file is shown" in app.info[0].value
    assert app.text[1].value == "shown: 0.1855"
    assert not (tmp_path / "own").exists()


def test_a_hosted_visit_keeps_a_few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PRUNESCOPE_HOSTED", "1")
    app = opened()
    made = [make_result(num_layers=1, amounts=(0.0,), num_examples=8, seed=seed) for seed in range(6)]
    for one in made:
        app.file_uploader(key="upload").set_value(("mine.json", result_json(one).encode(), "application/json")).run()
    kept = app.text[0].value
    assert [one.key in kept for one in made] == [False, False, True, True, True, True]


def test_all_hosted_visits_together_keep_so_many_and_each_its_own_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PRUNESCOPE_HOSTED", "1")
    monkeypatch.setattr("ui.upload._opened", LRUCache(2.5 * bytes_of(RESULT), getsizeof=bytes_of))
    forged = with_own_key(RESULT, frames=tuple(f.model_copy(update={"sparsity": 0.5}) for f in RESULT.frames))
    assert forged.key == RESULT.key
    first, second = (upload(opened(), result_json(one).encode()) for one in (RESULT, forged))
    assert [visit.run().text[1].value for visit in (first, second)] == ["shown: 0.1855", "shown: 0.5"]
    upload(opened(), result_json(make_result(num_layers=2, amounts=(0.0, 0.36), num_examples=24)).encode())
    assert [RESULT.key in visit.run().text[0].value for visit in (first, second)] == [False, True]
    assert "is not stored here" in first.error[0].value


def test_what_takes_too_much_memory_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PRUNESCOPE_HOSTED", "1")
    monkeypatch.setattr("ui.upload.RESULT_BYTES", 1000)
    app = upload(opened(), result_json(RESULT).encode())
    assert "of memory, at most 0 are allowed here" in app.error[0].value
    assert "result" not in app.query_params


def test_a_file_that_is_not_a_result_is_reported_as_plain_text_and_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    app = upload(opened(), b"**no**", "**mine**.json")
    monkeypatch.setattr("ui.upload.open_upload", None)
    app.run()
    assert not app.exception
    assert r"\*\*mine\*\*" in app.error[0].value
    assert app.text[1].value == "shown: None"
    assert "result" not in app.query_params
