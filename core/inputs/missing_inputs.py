"""Which inputs of a request have yet to be downloaded."""

from core.errors import PrunescopeError
from core.inputs.checkpoint_files import wanted_files
from core.inputs.data import TRAINING, place_on_hub
from core.inputs.hub import MAIN, cached_listing
from core.request.catalog import METHODS, TASKS
from core.request.sweep_request import SweepRequest, dataset_of, kind_of_data, source_of


def to_download(request: SweepRequest) -> str | None:
    """Return the input of a request, `checkpoint` or `data`, that the Hub client's cache lacks; None if it has both."""
    for checkpoint in filter(None, (request.checkpoint, request.against)):
        if source_of(checkpoint) == "hub":
            name, _, revision = checkpoint.partition("@")
            known = cached_listing(name, revision or MAIN, "checkpoint")
            try:
                wanted_files(known.files if known else (), name)
            except PrunescopeError:  # config.json may have been fetched alone
                return "checkpoint"
    task, data = TASKS.get(request.task), request.data or "hub"
    needed: set[str] = set()
    if data == "hub" and task is not None:
        splits = (task.split, TRAINING) if METHODS[request.method].calibrated else (task.split,)
        name, revision, needed = task.dataset_id, MAIN, {place_on_hub(task, split) for split in splits}
    elif kind_of_data(data) == "dataset":
        asked = dataset_of(data)
        name, revision = asked.id, asked.revision or MAIN
    else:
        return None
    known = cached_listing(name, revision, "data set")
    return None if known and needed <= known.files.keys() else "data"
