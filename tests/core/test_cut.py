"""The command that made studies of cuts refuses to, in one line."""

from collections.abc import Callable

from core import cut


def test_no_new_studies_are_made(complete: Callable[..., tuple[int, str, str]]) -> None:
    code, printed, said = complete(cut.main, "--checkpoint", "embedded:sst2")
    assert (code, printed, said.count("\n")) == (2, "", 1)
    assert "no new studies of cuts are made" in said
