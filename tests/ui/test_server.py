"""What Streamlit holds in memory: visitors' files are bounded, what is made on a click lasts until it is fetched."""

import pytest
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.runtime.forward_msg_queue import ForwardMsgQueue
from streamlit.runtime.media_file_manager import MediaFileManager
from streamlit.runtime.media_file_storage import MediaFileStorageError
from streamlit.runtime.memory_media_file_storage import MemoryMediaFileStorage
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.uploaded_file_manager import UploadedFileRec

from tests.queues import Clock
from ui.server import ALL_BYTES, TIDY_SECONDS, VISIT_FILES, bound_uploads, keep_answers, tidy_seldom

MEGABYTE = 2**20


@pytest.fixture
def manager() -> MemoryUploadedFileManager:
    made = MemoryUploadedFileManager("/upload")
    bound_uploads(made, lambda visit: None if visit.startswith("closed") else visit.split()[0])
    return made


def send(manager: MemoryUploadedFileManager, session: str, file: str, size: int = MEGABYTE) -> None:
    manager.add_file(session_id=session, file=UploadedFileRec(file, f"{file}.csv", "text/csv", bytes(size)))


def test_a_visit_has_its_newest_files_and_whoever_holds_most_makes_room(manager: MemoryUploadedFileManager) -> None:
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


def test_a_file_made_on_a_click_outlasts_others_pages(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ui.server.monotonic", clock)
    manager = MediaFileManager(storage := MemoryMediaFileStorage("/media"))
    tidy_seldom(manager)
    made = manager.execute_deferred(manager.add_deferred(lambda: b"drawn", "image/png", "a button"))
    for _ in range(20):
        manager.remove_orphaned_files()  # as at the end of every run of a page
    assert storage.get_file(made.rpartition("/")[2]).content == b"drawn"
    for _ in range(2):
        clock.advance(TIDY_SECONDS)
        manager.remove_orphaned_files()
    with pytest.raises(MediaFileStorageError):
        storage.get_file(made.rpartition("/")[2])


@pytest.mark.parametrize("fragments", [None, ["a part of the page"]])
def test_the_answer_to_a_click_outlasts_one_run(monkeypatch: pytest.MonkeyPatch, fragments: list[str] | None) -> None:
    monkeypatch.setattr(ForwardMsgQueue, "clear", ForwardMsgQueue.clear)  # and back
    keep_answers()
    queue, answer, drawn = ForwardMsgQueue(), ForwardMsg(), ForwardMsg()
    answer.backend_operation_response.request_id = "a click"
    drawn.delta.fragment_id = "a part of the page"
    for message in (answer, drawn):
        queue.enqueue(message)
    queue.clear(retain_lifecycle_msgs=True, fragment_ids_this_run=fragments)  # as when a page, or a part of it, runs
    assert queue.flush() == [answer]
    assert queue.is_empty
