"""Which inputs of a request have yet to be downloaded."""

from pathlib import Path

from huggingface_hub import try_to_load_from_cache

from core.errors import PrunescopeError
from core.inputs.checkpoint_files import CONFIG, wanted_patterns
from core.inputs.data import place_on_hub
from core.inputs.hub import MAIN, is_cached
from core.inputs.parts import TRAINING
from core.request.catalog import METHODS, TASKS
from core.request.sweep_request import SweepRequest, dataset_of, kind_of_data, source_of


def to_download(request: SweepRequest) -> str | None:
    """Return the input of a request, `checkpoint` or `data`, that the Hub client's cache lacks; None if it has both."""
    for checkpoint in filter(None, (request.checkpoint, request.against)):
        if source_of(checkpoint) == "hub":
            name, _, revision = checkpoint.partition("@")
            if not _is_whole(try_to_load_from_cache(name, CONFIG, revision=revision or None)):
                return "checkpoint"
    task = TASKS.get(request.task)
    if request.data == "hub" and task is not None:
        for split in (task.split, *([TRAINING] if METHODS[request.method].calibrated else [])):
            known = try_to_load_from_cache(task.dataset_id, place_on_hub(task, split), repo_type="dataset")
            if not isinstance(known, str):
                return "data"
    if kind_of_data(request.data or "hub") == "dataset":
        asked = dataset_of(request.data or "")
        return None if is_cached(asked.id, asked.revision or MAIN) else "data"
    return None


def _is_whole(config: object) -> bool:
    """Whether a cached configuration has weights and a tokenizer beside it: it may have been fetched alone."""
    if not isinstance(config, str):
        return False
    try:
        wanted_patterns([file.name for file in Path(config).parent.iterdir()], config)
    except PrunescopeError:
        return False
    return True
