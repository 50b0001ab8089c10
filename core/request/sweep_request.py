"""A sweep request and its validation; no torch."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from os.path import isdir, isfile
from typing import Annotated, Any, Literal, get_type_hints

from pydantic import BeforeValidator, Field, TypeAdapter, ValidationError

from core.errors import PrunescopeError
from core.request.amounts import DEFAULT_AMOUNTS, parse_amounts
from core.request.catalog import (
    DEFAULT_CONTROLLED,
    DEFAULT_EXAMPLES,
    DEFAULT_MEASURES,
    EMBEDDED,
    MAX_NAME_CHARS,
    MEASURES,
    METHODS,
    MIN_EXAMPLES,
    POINTS,
    RECIPE,
    TASKS,
    WEIGHTS,
)
from core.request.limits import is_hosted, limits
from core.request.scope import layer_of
from core.request.tasks import AUTO, TASK_NAMES, usual_task

Source = Literal["hub", "folder", "embedded"]
RangeExamples = Literal["subset", "all"]
LabelMap = tuple[tuple[str, str | None], ...]
DataKind = Literal["written", "hub", "folder", "file", "own", "dataset"]
TABLES: tuple[DataKind, ...] = ("file", "own", "dataset")  # data whose columns may be called anything
TABLE_SUFFIXES = (".csv", ".tsv", ".parquet", ".jsonl")
_SUFFIXES = ", ".join(TABLE_SUFFIXES)
_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]{0,95}(/[A-Za-z0-9][\w.-]{0,95})?(@\w[\w./-]{0,99})?", re.ASCII)


def is_made(recipe: str) -> bool:
    """Whether the weights of `recipe:NAME` have been made here and may be used."""
    return not is_hosted() and isdir(WEIGHTS / recipe.removeprefix(RECIPE))


def source_of(checkpoint: str) -> Source:
    """Decide where a checkpoint comes from: embedded, a folder (also of weights made here), or the Hub.

    Args:
        checkpoint: `embedded:NAME`, `recipe:NAME`, a folder, or `owner/name` with an optional `@revision`.

    Raises:
        PrunescopeError: It is none of these, or a folder on a hosted server.
    """
    if checkpoint.startswith("embedded:"):
        name = checkpoint.removeprefix("embedded:")
        if name not in EMBEDDED:
            raise PrunescopeError(f"unknown embedded checkpoint '{name}': choose one of {', '.join(EMBEDDED)}")
        return "embedded"
    if checkpoint.startswith(RECIPE) and not is_hosted():
        if not is_made(checkpoint):
            raise PrunescopeError(
                f"the weights '{checkpoint[:120]}' have not been made here: docs/recipes.md has the command"
            )
        return "folder"
    if not is_hosted() and isdir(checkpoint):  # Path.is_dir raises on a name that is too long
        return "folder"
    if not _HUB_ID.fullmatch(checkpoint) or ".." in checkpoint or "--" in checkpoint:
        places = "embedded:NAME" if is_hosted() else "embedded:NAME, an existing folder,"
        raise PrunescopeError(
            f"'{checkpoint[:120]}' is not a checkpoint: give {places} or a Hub model id such as owner/name or "
            "owner/name@revision"
        )
    return "hub"


def check_scope(scope: str | None, method: str, num_layers: int | None = None) -> None:
    """Refuse a scope that does not fit its method or the model's depth.

    Args:
        scope: `encoder`, `all-linear`, `layer:K` (K from 0), or None for a neuron method.
        method: A name from METHODS.
        num_layers: The model's encoder layers; None if the model is not known yet.

    Raises:
        PrunescopeError: The scope does not exist, or does not fit the method.
    """
    if METHODS[method].granularity == "neuron":
        if scope is not None:
            raise PrunescopeError(f"scope '{scope}' with method '{method}': a neuron method has no scope, leave it out")
        return
    if scope in ("encoder", "all-linear"):
        return
    layer = layer_of(scope)
    if layer is None:
        raise PrunescopeError(f"unknown scope '{scope}': choose encoder, all-linear or layer:K with K from 0")
    if num_layers is not None and layer >= num_layers:
        raise PrunescopeError(
            f"scope '{scope}': this model has {num_layers} layers, choose layer:0 to layer:{num_layers - 1}"
        )


def usual_scope(method: str) -> str | None:
    """Return the scope of a method where none is asked for: the encoder, and none for a neuron method.

    Raises:
        PrunescopeError: The method is not known.
    """
    return "encoder" if METHODS[choose(method, METHODS, "method")].granularity == "weight" else None


def _split(given: Any) -> Any:
    """Read a list that is written as text, with commas."""
    return given.split(",") if isinstance(given, str) else given


def _amounts(given: Any) -> Any:
    return parse_amounts(_split(given)) if isinstance(given, str | list | tuple) else given


def _meanings(given: Any) -> Any:
    """Read the pairs of a label map; a text is `VALUE=LABEL`."""
    return [_meaning(pair) if isinstance(pair, str) else pair for pair in given] if isinstance(given, list) else given


def _meaning(pair: str) -> tuple[str, str | None]:
    value, sign, label = pair.rpartition("=")
    if not sign:
        raise PrunescopeError(f"label map: '{pair}' has no equals sign, write VALUE=LABEL")
    return value.strip(), label.strip() or None


def _help(words: str, **bounds: Any) -> Any:
    return Field(description=words, **bounds)


@dataclass(frozen=True)
class SweepRequest:
    """Everything that decides a sweep's numbers, whether a page, a command, a notebook or a grid's file asks for it.

    Each field says in its help what it is, with layers counted from 0; its name is that of its option, but for
    `num_examples` (`--examples`) and the second of two texts (`--text2`).
    """

    checkpoint: Annotated[str, _help("ID[@REVISION] on the Hub, a folder, embedded:NAME or recipe:NAME")]
    task: Annotated[
        str, _help(f"{', '.join(TASK_NAMES)} (default: a known checkpoint's own, else {AUTO}: from its labels)")
    ]
    method: Annotated[str, _help(", ".join(METHODS))] = "magnitude"
    scope: Annotated[
        str | None, _help("encoder (default), all-linear, or layer:K with K from 0; weight methods only")
    ] = "encoder"
    points: Annotated[str, _help(", ".join(POINTS))] = "attention"
    amounts: Annotated[
        tuple[float, ...],
        BeforeValidator(_amounts),
        _help("fractions in [0, 1), such as 0,0.1,0.2 (default: steps of 0.1 up to 0.9)"),
    ] = DEFAULT_AMOUNTS
    num_examples: Annotated[
        int | None, _help(f"default: {DEFAULT_EXAMPLES}; of your own file at most half the rows")
    ] = None
    seed: Annotated[int, _help("of pruning; the examples' seed is fixed")] = 0
    control_of: Annotated[
        str | None, _help("the method whose allocation a random method follows (default: magnitude, attribution)")
    ] = None
    measures: Annotated[
        tuple[str, ...],
        BeforeValidator(_split),
        _help(f"of {', '.join(MEASURES)} (default: {','.join(DEFAULT_MEASURES)})"),
    ] = DEFAULT_MEASURES
    until_damage: Annotated[float | None, _help("stop after the amount at which 1 - the mean own CKA reaches this")] = (
        None
    )
    range_examples: Annotated[
        RangeExamples, _help("what the working range is judged on: subset (default) or all labelled examples at hand")
    ] = "subset"
    data: Annotated[
        str | None,
        _help(
            f"written, hub, a folder in the Hub's GLUE layout, a file ({_SUFFIXES}), or "
            "hub:OWNER/NAME[/CONFIG][@REVISION] (default: written for embedded, else hub)"
        ),
    ] = None
    split: Annotated[str | None, _help("of hub:OWNER/NAME: the split that is evaluated (default: validation)")] = None
    source_name: Annotated[str | None, _help("what the result calls the data", max_length=MAX_NAME_CHARS)] = None
    text: Annotated[
        tuple[str, ...],
        _help("column of a file or data set that holds the text (default: guessed where only one can be meant)"),
    ] = ()
    label: Annotated[
        str | None, _help("column that holds the label (default: guessed where only one can be meant)")
    ] = None
    label_map: Annotated[
        LabelMap,
        BeforeValidator(_meanings),
        _help("what each value of the label column means, unless it is a label's name; 'VALUE=' leaves their rows out"),
    ] = ()
    against: Annotated[
        str | None, _help("another checkpoint: its unpruned layers are compared with the pruned ones")
    ] = None

    def to_json(self) -> dict[str, Any]:
        """Return the request as plain JSON values."""
        return {**asdict(self), "amounts": list(self.amounts), "measures": list(self.measures)}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "SweepRequest":
        """Read and check a request.

        Args:
            values: By field, plain JSON values or what a command line has for them. Missing ones take their defaults;
                without a task it is the checkpoint's usual one, without a scope the method's.

        Raises:
            PrunescopeError: An unknown name, or a value out of its bounds.
        """
        known = {name: values[name] for name in cls.__dataclass_fields__ if name in values}
        known.setdefault("task", usual_task(str(known.get("checkpoint"))))
        known.setdefault("scope", usual_scope(str(known.get("method", cls.method))))
        try:
            request = _types().validate_python(known)
        except ValidationError as error:
            first = error.errors()[0]
            name = str(first["loc"][0])
            raise PrunescopeError(f"{name}: {first['msg']}, not {str(known.get(name))[:60]!r}") from None
        return checked(request)


@lru_cache(maxsize=1)
def _types() -> "TypeAdapter[SweepRequest]":
    """Return the check of a request's types, which takes a moment to build."""
    return TypeAdapter(SweepRequest)


def option_help() -> dict[str, str]:
    """Return the help of each field."""
    hints = get_type_hints(SweepRequest, include_extras=True)
    return {name: hint.__metadata__[-1].description for name, hint in hints.items()}


def flag_of(field: str) -> str:
    """Return the option of a field."""
    return "--examples" if field == "num_examples" else f"--{field.replace('_', '-')}"


OWN = "own:"  # before the secret name of an uploaded file (`core.inputs.uploads`)
_OWN_NAME = re.compile(rf"{OWN}[0-9a-f]{{64}}")


def is_upload(data: str) -> bool:
    """Whether this is the name of an uploaded file."""
    return _OWN_NAME.fullmatch(data) is not None


DATASET = "hub:"  # before the id of a data set on the Hub
_DATASET = re.compile(
    r"hub:(?P<id>\w[\w.-]{0,95}/\w[\w.-]{0,95})(/(?P<config>\w[\w.+-]{0,95}))?(@(?P<revision>\w[\w./-]{0,99}))?",
    re.ASCII,
)


@dataclass(frozen=True)
class DatasetName:
    """A data set on the Hub, one of its configurations, and a revision; None where it is not said."""

    id: str
    config: str | None
    revision: str | None


def dataset_of(data: str) -> DatasetName:
    """Read `hub:OWNER/NAME[/CONFIG][@REVISION]`.

    Raises:
        PrunescopeError: It is written otherwise.
    """
    match = _DATASET.fullmatch(data)
    if not match or ".." in data or "--" in data:
        raise PrunescopeError(
            f"'{data[:120]}' is not a data set: write hub:OWNER/NAME, hub:OWNER/NAME/CONFIG or hub:OWNER/NAME@REVISION"
        )
    return DatasetName(match["id"], match["config"], match["revision"])


def kind_of_data(data: str) -> DataKind:
    """Decide what a request's data are.

    Raises:
        PrunescopeError: They are nothing of the kind, or a path on a hosted server.
    """
    if data in ("written", "hub"):
        return "written" if data == "written" else "hub"
    if is_upload(data):
        return "own"
    if data.startswith(DATASET):
        dataset_of(data)
        return "dataset"
    if is_hosted():
        raise PrunescopeError(
            "a file or folder on the server is not available on a hosted server: upload a file, choose written, hub or "
            "hub:OWNER/NAME, or run locally"
        )
    if isdir(data):
        return "folder"
    if not isfile(data):
        raise PrunescopeError(
            f"data '{data[:120]}' is not a folder or file: give written, hub, hub:OWNER/NAME, a file ({_SUFFIXES}), or "
            "a folder in the Hub's GLUE layout"
        )
    if not data.lower().endswith(TABLE_SUFFIXES):
        raise PrunescopeError(f"data '{data[-120:]}' is of an unknown type: give a file that ends in {_SUFFIXES}")
    return "file"


def choose(value: str, known: Iterable[str], kind: str) -> str:
    """Return `value` if it is among the `known` names; `kind` names the table in the message.

    Raises:
        PrunescopeError: It is not known.
    """
    names = list(known)
    if value not in names:
        raise PrunescopeError(f"unknown {kind} '{value}': choose one of {', '.join(names)}")
    return value


def checked(request: SweepRequest) -> SweepRequest:
    """Fill in the request's defaults, or refuse it.

    Raises:
        PrunescopeError: An unknown name, or a value out of its bounds.
    """
    choose(request.task, TASK_NAMES, "task")
    choose(request.method, METHODS, "method")
    choose(request.points, POINTS, "points")
    check_scope(request.scope, request.method)
    asked = {choose(name, MEASURES, "measure") for name in request.measures}
    if "cka" not in asked:  # it says where a damage is reached
        raise PrunescopeError(f"measures {','.join(asked) or 'none'}: cka must be among them, such as cka,partial_cka")
    measures = tuple(name for name in MEASURES if name in asked)
    controlled = controlled_method(request.method, request.control_of)
    source = source_of(request.checkpoint)
    against = None if request.against == request.checkpoint else request.against
    if against is not None:
        source_of(against)
    data = request.data or ("written" if source == "embedded" else "hub")
    kind = kind_of_data(data)
    _check_columns(request, kind)
    if kind == "hub" and request.task in TASKS and not TASKS[request.task].dataset_id:
        raise PrunescopeError(f"task {request.task} has no data on the Hub: give --data written, or a file of your own")
    bound, amounts = limits(), parse_amounts(request.amounts)
    if len(amounts) > bound.amounts:
        raise PrunescopeError(f"{len(amounts)} amounts: at most {bound.amounts} in one sweep, use larger steps")
    count = request.num_examples
    if count is not None and not MIN_EXAMPLES <= count <= bound.examples:
        raise PrunescopeError(f"{count} examples: choose {MIN_EXAMPLES} to {bound.examples} (CKA needs at least 4)")
    if not 0 <= request.seed < 2**32:
        raise PrunescopeError(f"seed {request.seed} is outside 0 to {2**32 - 1}: choose one inside")
    if request.until_damage is not None and not 0 < request.until_damage < 1:
        raise PrunescopeError(f"damage {request.until_damage:g} is outside (0, 1): choose one inside, such as 0.3")
    if request.until_damage is not None and against is not None:
        raise PrunescopeError(
            f"damage {request.until_damage:g} against another checkpoint: a sweep stops where layers have changed from "
            "their own unpruned ones, leave one of the two out"
        )
    choose(request.range_examples, ("subset", "all"), "range examples")
    return replace(request, amounts=amounts, data=data, measures=measures, control_of=controlled, against=against)


def _check_columns(request: SweepRequest, kind: DataKind) -> None:
    """Refuse columns for data whose columns are known, and a task that such data do not have.

    Raises:
        PrunescopeError: They do not fit together.
    """
    if request.split and kind != "dataset":
        raise PrunescopeError(
            f"split '{request.split[:40]}' with data '{request.data or kind}': leave it out, only hub:OWNER/NAME has "
            "splits to choose from"
        )
    if kind in TABLES:
        if len(request.text) > 2 or len({*request.text, request.label}) <= len(request.text):
            raise PrunescopeError("text and label columns: give one or two texts and a label, all different")
        return
    if request.task == AUTO:
        raise PrunescopeError(
            f"task {AUTO} with data '{request.data or kind}': a task made from the checkpoint's labels reads a file, "
            "give --data FILE or hub:OWNER/NAME, or a task of GLUE with --task"
        )
    if request.text or request.label or request.label_map:
        raise PrunescopeError(
            f"columns or a label map with data '{request.data or kind}', whose columns are known: leave them out, or "
            "give --data FILE or hub:OWNER/NAME"
        )


def controlled_method(method: str, control_of: str | None) -> str | None:
    """Return the method that a random method controls, by default magnitude or attribution; None for other methods.

    Raises:
        PrunescopeError: The method is no control, or cannot control that method.
    """
    if control_of is None:
        return DEFAULT_CONTROLLED.get(method)
    choose(control_of, METHODS, "method to control")
    if METHODS[control_of].control != method:
        right = METHODS[control_of].control
        remedy = f"its control is {right}" if right else "it is a control itself"
        raise PrunescopeError(f"{method} cannot control {control_of}: {remedy}")
    return control_of
