"""What Streamlit holds in memory of visitors' files is bounded."""

import pytest
from starlette.exceptions import HTTPException
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.uploaded_file_manager import UploadedFileRec

from ui.server import ALL_BYTES, VISIT_FILES, bound_uploads

MEGABYTE = 2**20


@pytest.fixture
def manager() -> MemoryUploadedFileManager:
    made = MemoryUploadedFileManager("/upload")
    bound_uploads(made, lambda visit: not visit.startswith("closed"))
    return made


def send(manager: MemoryUploadedFileManager, session: str, file: str, size: int = MEGABYTE) -> None:
    manager.add_file(session, UploadedFileRec(file, f"{file}.csv", "text/csv", bytes(size)))


def held(manager: MemoryUploadedFileManager) -> dict[str, list[str]]:
    return {session: list(files) for session, files in manager.file_storage.items()}


def test_a_visit_has_its_newest_files_and_nobody_elses_go(manager: MemoryUploadedFileManager) -> None:
    send(manager, "honest", "rows")
    for k in range(60):
        send(manager, "greedy", str(k))
    assert held(manager) == {"honest": ["rows"], "greedy": [str(k) for k in range(60 - VISIT_FILES, 60)]}
    assert [file.file_id for file in manager.get_files("greedy", ["58", "0"])] == ["58"]


def test_beyond_the_bound_of_all_visits_a_new_file_is_refused(manager: MemoryUploadedFileManager) -> None:
    most = ALL_BYTES // MEGABYTE
    for k in range(most):
        send(manager, f"visit {k}", "file")
    with pytest.raises(HTTPException, match="try again"):
        send(manager, "late", "file")
    manager.remove_session_files("visit 0")
    send(manager, "closed", "file")
    send(manager, "late", "file")
    assert len(held(manager)) == most
    assert "closed" not in held(manager)
