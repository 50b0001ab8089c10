"""What the Hub says of a repository, checked before anything rests on it. No torch, no network."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from huggingface_hub.hf_api import DatasetInfo, ModelInfo, RepoSibling

from core.errors import PrunescopeError
from core.inputs.hub_errors import HubError


@dataclass(frozen=True)
class Listing:
    """The files of a repository at one commit.

    Attributes:
        id: The repository on the Hub.
        commit: The commit.
        revision: What it was asked for by: a branch, tag or commit.
        files: What the Hub says of each file, by name; with neither size nor digest where the local cache says it.
        model_type: Of a checkpoint, if the Hub says it.
        configs: Of a data set: the `configs` of its card, unchecked; None if it has none.
    """

    id: str
    commit: str
    revision: str
    files: Mapping[str, RepoSibling]
    model_type: str | None = None
    configs: Any = None


def listing_of(repo_id: str, revision: str, info: ModelInfo | DatasetInfo) -> Listing:
    """Check what the Hub says of a repository.

    Args:
        repo_id: The repository.
        revision: What it was asked for by.
        info: The Hub's answer.

    Raises:
        PrunescopeError: It lists a file outside its own folder.
        HubError: The answer makes no sense.
    """
    if not _is_digest(info.sha, 40):
        raise _damaged("it names no commit")
    for sibling in info.siblings or ():
        _check_file(sibling, repo_id)
    config, card = getattr(info, "config", None), info.card_data or {}
    model_type = config.get("model_type") if isinstance(config, Mapping) else None
    return Listing(
        repo_id,
        info.sha,
        revision,
        {sibling.rfilename: sibling for sibling in info.siblings or ()},
        str(model_type) if model_type else None,
        card.get("configs"),
    )


def digest_of(sibling: RepoSibling) -> str | None:
    """Return the digest that the Hub states of a file's content: SHA-256 of a large file, git's SHA-1 of others."""
    digest: str | None = sibling.lfs.sha256 if sibling.lfs else sibling.blob_id
    return digest


def _check_file(sibling: RepoSibling, repo_id: str) -> None:
    name, size = sibling.rfilename, sibling.size
    if not isinstance(name, str) or not name:
        raise _damaged("it lists a file without a name")
    if not _is_inside(name):
        raise PrunescopeError(f"'{repo_id}' lists a file outside its folder ({name[:60]!a}): choose another repository")
    if size is not None and (type(size) is not int or size < 0):
        raise _damaged(f"the size of {name[:60]!a} is not a number of bytes")
    if (
        not _is_digest(sibling.lfs.sha256, 64)
        if sibling.lfs
        else sibling.blob_id and not _is_digest(sibling.blob_id, 40)
    ):
        raise _damaged(f"the digest of {name[:60]!a} is malformed")


def _is_inside(name: str) -> bool:
    """Whether a name is a relative path that leads nowhere else, on any system."""
    is_plain = min(name) >= " " and "\\" not in name and name[1:2] != ":"
    return is_plain and not {"", ".", ".."} & set(name.split("/"))


def _is_digest(value: object, length: int) -> bool:
    return isinstance(value, str) and re.fullmatch(f"[0-9a-f]{{{length}}}", value) is not None


def _damaged(fault: str) -> HubError:
    return HubError(f"cannot be fetched, the Hub's description is damaged, {fault}: try again later, or choose another")
