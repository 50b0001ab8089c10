"""`python -m core.cut`: refuses to study which layers of a checkpoint can go, until what remains of it is refitted."""

from collections.abc import Sequence
from typing import NoReturn

from core.command_line import run_command
from core.errors import PrunescopeError


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Refuse."""
    raise PrunescopeError("no new studies of cuts are made at present: see the shipped ones on the page Cut")


if __name__ == "__main__":
    run_command(main)
