"""Many visitors: what the table says of what they waited for."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from benchmarks.visitors import NAMES, Visits, open_page, row


class Session:
    """A websocket that answers every order with the same messages."""

    def __init__(self, *messages: ForwardMsg) -> None:
        self._messages = messages
        self.sent: list[bytes] = []

    async def send(self, order: bytes) -> None:
        self.sent.append(order)

    async def __aiter__(self):  # type: ignore[no-untyped-def]
        for message in self._messages:
            yield message.SerializeToString()


def message(**values: object) -> ForwardMsg:
    found = ForwardMsg()
    for name, value in values.items():
        if name == "exception":
            found.delta.new_element.exception.message = str(value)
        elif name == "new_session":
            found.new_session.SetInParent()
        else:
            found.script_finished = value  # type: ignore[assignment]
    return found


BEGUN = message(new_session=True)
DONE = message(script_finished=ForwardMsg.FINISHED_SUCCESSFULLY)
INTERRUPTED = message(script_finished=ForwardMsg.FINISHED_EARLY_FOR_RERUN)


def opened(*messages: ForwardMsg) -> bool:
    with ThreadPoolExecutor(1) as elsewhere:  # a browser test before this one leaves a loop running in this thread
        return elsewhere.submit(asyncio.run, open_page(Session(*messages), "layers")).result()  # type: ignore[arg-type]


def test_a_page_is_read_to_its_end_and_an_exception_fails_it() -> None:
    assert not opened(DONE, BEGUN, DONE), "the first is the end of an earlier run"
    assert not opened(BEGUN, INTERRUPTED, BEGUN, DONE)
    assert opened(BEGUN, message(exception="a trace"), DONE)
    assert opened(BEGUN), "the server has closed the session"


def test_the_pages_are_named_as_in_their_addresses() -> None:
    assert NAMES[0] == ""
    assert {"lab", "layers", "compare", "sentences", "present", "grid", "methods"} == set(NAMES[1:])


def test_a_row_says_which_share_is_quick() -> None:
    cells = row(2, Visits([0.5, 1.0, 1.5, 3.0], faults=1), 8.0).split()
    assert cells == ["2", "4", "50.0%", "1.25", "2.77", "3.00", "1", "4.0"]
