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


def test_a_visit_has_its_newest_files_and_beyond_the_bound_of_all_visits_a_new_one_is_refused(
    manager: MemoryUploadedFileManager,
) -> None:
    send(manager, "honest", "rows")
    for k in range(60):
        send(manager, "greedy", str(k))
    newest = [str(k) for k in range(60 - VISIT_FILES, 60)]
    assert {visit: list(files) for visit, files in manager.file_storage.items()} == {
        "honest": ["rows"],
        "greedy": newest,
    }
    assert [file.file_id for file in manager.get_files("greedy", [newest[0], "0"])] == [newest[0]]
    rest = ALL_BYTES - (1 + VISIT_FILES) * MEGABYTE
    send(manager, "closed", "file", rest)
    send(manager, "late", "file")
    assert "closed" not in manager.file_storage, "closed pages make room for anybody"
    with pytest.raises(HTTPException, match="try again"):
        send(manager, "later", "file", rest)
