"""`python -m core.reader`: read strangers' files for the server, under limits of memory and time.

Standard input is one line, the order that `core.wall.reading.read` writes. The answer is a line on
standard output: `+` and the content as JSON, or `-` and the reason why the files are refused. After
any other fault there is no answer, and a traceback on standard error.
"""

import gc
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from core.errors import PrunescopeError, is_out_of_memory
from core.inputs.tables import TABLE, DataFile, read_table
from core.request.catalog import MAX_NAME_CHARS
from core.results.store import load_any
from core.wall.confined import HELPER_NICENESS, end_after, give_way, limit, reserve_streams
from core.wall.reading import FOUND, MEMORY_BYTES, MOST_CHARS, REFUSED, SECONDS

Files = Sequence[tuple[Path, str]]  # their paths, and their names in messages


def content_of(kind: str, files: Files, limit: int | None) -> str:
    """Return a result, or a table whose cells are cut to the length that a page shows, as JSON."""
    if kind == "result":
        return load_any(*files[0]).model_dump_json()
    table = read_table([DataFile(*file) for file in files], limit)
    cut = {
        name: tuple(cell[: MAX_NAME_CHARS + 1] for cell in cells)
        for name, cells in table.cells.items()
    }
    return TABLE.dump_json(replace(table, cells=cut)).decode()


def answer(order: str) -> str:
    """Return the line that answers an order.

    Raises:
        BaseException: What a library raises, even a panic, unless memory is full.
    """
    values = json.loads(order)
    files = [(Path(path), name) for path, name in values["files"]]
    try:
        content = content_of(values["kind"], files, values["limit"])
        if len(content) > MOST_CHARS:
            fault = f"{files[0][1]} holds {len(content) / 2**20:,.0f} MiB"
            raise PrunescopeError(
                f"{fault}, a page takes at most {MOST_CHARS // 2**20}: choose a smaller file"
            )
        return FOUND + content
    except PrunescopeError as error:
        return REFUSED + str(error)
    except Exception as error:
        if not is_out_of_memory(error):
            raise
        return f"{REFUSED}{files[0][1]} takes too much memory: choose another file"


def main() -> None:
    """Answer the order on standard input."""
    give_way(HELPER_NICENESS)
    gc.disable()  # it would traverse millions of values again and again, all of them in use
    source, sink = reserve_streams()
    order = source.readline()
    limit("RLIMIT_AS", MEMORY_BYTES)
    end_after(SECONDS)
    print(answer(order), file=sink, flush=True)


if __name__ == "__main__":
    main()
