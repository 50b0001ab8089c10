"""`python -m core.reader`: reads strangers' files for the server, in a process with limited memory and time.

Standard input is one line, a JSON list of `core.wall.reading.Question`s. Each is answered by a line on standard output:
`+` and the content as JSON, or `-` and the reason why the files are refused.
"""

import gc
import json
import traceback
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from core.errors import PrunescopeError, is_out_of_memory
from core.inputs.tables import TABLE, DataFile, read_table
from core.request.catalog import MAX_NAME_CHARS
from core.results.library import extract_of
from core.results.store import load_any
from core.wall.confined import HELPER_NICENESS, end_after, give_way, limit, reserve_streams
from core.wall.reading import FOUND, MEMORY_BYTES, MOST_CHARS, REFUSED, SECONDS, Question


def _table(question: Question) -> str:
    """Return a table whose cells are cut to the length that a page shows."""
    files = [DataFile(Path(path), name) for path, name in zip(question.paths, question.names, strict=True)]
    table = read_table(files, question.limit)
    cells = {name: tuple(cell[: MAX_NAME_CHARS + 1] for cell in cells) for name, cells in table.cells.items()}
    return TABLE.dump_json(replace(table, cells=cells)).decode()


READERS: Mapping[str, Callable[[Question], str]] = {
    "extract": lambda question: extract_of(load_any(Path(question.paths[0]))).model_dump_json(),
    "table": _table,
    "upload": lambda question: load_any(Path(question.paths[0]), question.names[0]).model_dump_json(),
}


def answer(question: Question) -> str:
    """Return the line that answers a question, whatever happens meanwhile."""
    try:
        content = READERS[question.kind](question)
        if len(content) > MOST_CHARS:
            fault = f"{question.names[0]} holds {len(content) / 2**20:,.0f} MiB"
            raise PrunescopeError(f"{fault}, a page takes at most {MOST_CHARS // 2**20}: choose a smaller file")
        return FOUND + content
    except PrunescopeError as error:
        return REFUSED + str(error)
    except BaseException as error:  # also a library's panic, which is no Exception
        traceback.print_exc()
        fault = "takes too much memory" if is_out_of_memory(error) else "is damaged"
        refusal = PrunescopeError(f"{question.names[0]} cannot be read, it {fault}: choose another file")
        return f"{REFUSED}{refusal}"


def main() -> None:
    """Answer the questions on standard input."""
    give_way(HELPER_NICENESS)
    gc.disable()  # it would traverse millions of values again and again, all of them in use
    source, sink = reserve_streams()
    questions = [Question(**values) for values in json.loads(source.readline())]
    limit("RLIMIT_AS", MEMORY_BYTES)
    for question in questions:
        end_after(SECONDS)
        print(answer(question), file=sink, flush=True)


if __name__ == "__main__":
    main()
