"""Bounds on the files that Streamlit keeps in memory for visitors."""

from types import SimpleNamespace

import pytest
from streamlit.runtime.memory_uploaded_file_manager import (
    MemoryUploadedFileManager,
)
from streamlit.runtime.uploaded_file_manager import UploadedFileRec

from core.wall.turns import Visitor
from ui.server import ALL_BYTES, VISIT_FILES, bound_uploads, holder_of

MEGABYTE = 2**20


@pytest.fixture
def manager(monkeypatch: pytest.MonkeyPatch) -> MemoryUploadedFileManager:
    monkeypatch.setattr(
        "ui.server.holder_of",
        lambda visit: None if visit.startswith("closed") else visit.split()[0],
    )
    made = MemoryUploadedFileManager("/upload")
    bound_uploads(made)
    return made


def send(
    manager: MemoryUploadedFileManager,
    session: str,
    file: str,
    size: int = MEGABYTE,
) -> None:
    manager.add_file(
        session_id=session,
        file=UploadedFileRec(file, f"{file}.csv", "text/csv", bytes(size)),
    )


def test_a_visit_has_its_newest_files_and_whoever_holds_most_makes_room(
    manager: MemoryUploadedFileManager,
) -> None:
    def kept() -> dict[str, list[str]]:
        return {visit: list(files) for visit, files in manager.file_storage.items() if files}

    send(manager, "honest", "rows")
    for k in range(60):
        send(manager, "greedy", str(k))
    newest = [str(k) for k in range(60 - VISIT_FILES, 60)]
    assert kept() == {"honest": ["rows"], "greedy": newest}
    assert [file.file_id for file in manager.get_files("greedy", [newest[0], "0"])] == [newest[0]]
    send(manager, "closed", "file", ALL_BYTES - (1 + VISIT_FILES) * MEGABYTE)
    send(manager, "late", "late rows")
    assert "closed" not in kept(), "closed pages make room for anybody"
    for k in range(20):
        send(manager, f"greedy {k}", f"large {k}", 5 * MEGABYTE)
    send(manager, "other", "other rows")
    small = {"honest": ["rows"], "late": ["late rows"], "other": ["other rows"]}
    assert small.items() <= kept().items(), "nobody loses anything to an address that sends more"
    assert kept()["greedy 19"] == ["large 19"]
    assert "greedy" not in kept(), "its oldest went first"


def test_files_belong_to_an_address_until_their_page_is_closed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    client = SimpleNamespace(client_context=SimpleNamespace(headers=[], remote_ip="9.9.9.9"))
    monkeypatch.setattr(
        "ui.server.get_instance",
        lambda: SimpleNamespace(get_client={"open": client}.get),
    )
    assert (holder_of("open"), holder_of("closed")) == (
        Visitor("open", "9.9.9.9").holder,
        None,
    )
