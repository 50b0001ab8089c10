"""The benchmark of serving: it reads a page to its end, and says what visitors have waited for."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from benchmarks.serving import NAMES, PICTURES, Visits, open_page, row


class Session(list[ForwardMsg]):
    """A websocket that answers every order with the same messages."""

    async def send(self, order: bytes) -> None:
        pass

    async def __aiter__(self):  # type: ignore[no-untyped-def]
        for message in self:
            yield message.SerializeToString()


def opened(*messages: ForwardMsg) -> bool:
    with ThreadPoolExecutor(1) as elsewhere:  # a browser test before this one leaves a loop running in this thread
        return elsewhere.submit(asyncio.run, open_page(Session(messages), "layers")).result()  # type: ignore[arg-type]


def test_a_page_is_read_to_its_end_and_an_exception_fails_it() -> None:
    begun, failed = ForwardMsg(), ForwardMsg()
    begun.new_session.SetInParent()
    failed.delta.new_element.exception.message = "a trace"
    done = ForwardMsg(script_finished=ForwardMsg.FINISHED_SUCCESSFULLY)
    interrupted = ForwardMsg(script_finished=ForwardMsg.FINISHED_EARLY_FOR_RERUN)
    assert not opened(done, begun, interrupted, begun, done), "the first is the end of an earlier run"
    assert opened(begun, failed, done)
    assert opened(begun), "the server has closed the session"
    assert list(PICTURES) == list(NAMES)
    cells = row(2, Visits([0.5, 1.0, 1.5, 3.0], faults=1)).split()
    assert cells == ["2", "4", "50.0%", "1.25", "2.77", "3.00", "1"]
