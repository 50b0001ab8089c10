"""The sweep request and its validation, the tasks that it can name, and texts typed for them.

A task is one of GLUE's presets, by name, or made from a checkpoint's labels.
"""

import re
from argparse import ArgumentParser, Namespace
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Annotated, Any, Literal, Self, TypeVar, get_type_hints

from pydantic import AfterValidator, BeforeValidator, Field, TypeAdapter, ValidationError

from core.errors import PrunescopeError
from core.request import catalog
from core.request.amounts import DEFAULT_AMOUNTS, parse_amounts
from core.request.catalog import MAX_LENGTH, MAX_NAME_CHARS, METHODS, TASKS, Task
from core.request.limits import TABLE_SUFFIXES, TABLES, kind_of_data, limits, source_of
from core.request.scope import canonical, layers_of, run_of

AUTO = "auto"  # the task made from a checkpoint's labels
AUTO_TITLE = "The checkpoint's own labels"
MIN_LABELS = 2
MAX_LABELS = 50
TASK_NAMES = (*TASKS, AUTO)
MAX_CHARACTERS = 2_000  # in a typed text: several times as many as fit into MAX_LENGTH tokens


def usual_task(checkpoint: str) -> str:
    """Return the task that a known checkpoint was fine-tuned on, and `auto` for others."""
    entry = catalog.CHECKPOINTS.get(checkpoint.partition("@")[0])
    return entry.task if entry else AUTO


def made_task(text_columns: Sequence[str], label_names: Sequence[str]) -> Task:
    """Make the task of a non-GLUE classifier.

    Args:
        text_columns: One or two columns of the data.
        label_names: The checkpoint's labels, in the order of its classifier's rows.
    """
    return Task(
        name=AUTO,
        title=AUTO_TITLE,
        question="Which of the checkpoint's labels fits?",
        text_columns=tuple(text_columns),
        label_names=tuple(label_names),
        metrics=catalog.SEVERAL_CLASSES,
        dataset_id="",
    )


def own_task(checkpoint: str, label_names: Sequence[str]) -> Task:
    """Make the task of a checkpoint's own labels, with the text columns of its usual task."""
    usual = TASKS.get(usual_task(checkpoint))
    return made_task(usual.text_columns if usual else (), label_names)


def check_texts(texts: Sequence[str], task: Task) -> tuple[str, ...]:
    """Strip whitespace from typed texts, one for each of the task's columns.

    Raises:
        PrunescopeError: The number of texts is wrong, or one is empty or too long.
    """
    stripped = tuple(text.strip() for text in texts)
    for column, text in zip(task.text_columns, stripped, strict=True):
        if not 0 < len(text) <= MAX_CHARACTERS:
            fault = f"the {column_name(column)} has {len(text):,} characters"
            raise PrunescopeError(
                f"{fault}: type 1 to {MAX_CHARACTERS:,} (the model reads {MAX_LENGTH} tokens)"
            )
    return stripped


def column_name(column: str) -> str:
    """Name a task's text column on screen: `sentence1` becomes `first sentence`."""
    ordinals = {"1": "first ", "2": "second "}
    return ordinals.get(column[-1], "") + column.rstrip("12")


LabelMap = tuple[tuple[str, str | None], ...]


def check_scope(scope: str | None, method: str, num_layers: int = catalog.MAX_LAYERS) -> None:
    """Refuse a scope that does not fit its method or the model's depth.

    Args:
        scope: `encoder`, `all-linear`, `layer:K`, `layers:A-B` (from 0, B included), or None for a
            neuron method.
        method: A name from METHODS.
        num_layers: The model's encoder layers; by default the most that a model may have.

    Raises:
        PrunescopeError: The scope does not exist, or does not fit the method.
    """
    run = run_of(scope)
    if METHODS[method].granularity == "neuron":
        fits = scope is None
        remedy = "leave it out"
    else:
        is_part = run is not None and 0 < len(run) < max(num_layers, 2) and run.stop <= num_layers
        fits = is_part or scope in ("encoder", "all-linear")
        remedy = (
            f"choose encoder, all-linear, or some of layers 1 to {num_layers}, the lowest first "
            "(--layers 1-2; in grids and notebooks, scope layers:0-1)"
        )
    if not fits:
        name = f"scope '{scope}'" if run is None else f"layers {layers_of(scope)}"
        raise PrunescopeError(f"{name} with method '{method}': {remedy}")


def usual_scope(method: str) -> str | None:
    """Return the default scope of a method: the encoder, and None for a neuron method.

    Raises:
        PrunescopeError: The method is unknown.
    """
    return "encoder" if METHODS[choose(method, METHODS, "method")].granularity == "weight" else None


def _amounts(values: Any) -> Any:
    """Read amounts, from text if they are separated by commas."""
    values = values.split(",") if isinstance(values, str) else values
    return parse_amounts(values) if isinstance(values, list | tuple) else values


_PAIR = re.compile(r"((?:[^\\=]|\\.)*)=(.*)", re.DOTALL)


def _meaning(pair: Any) -> Any:
    """Read one pair of a label map, possibly from the text that `meaning_text` writes."""
    if not isinstance(pair, str):
        return pair
    match = _PAIR.fullmatch(pair)
    if not match:
        raise PrunescopeError(f"label map: '{pair}' has no equals sign, write VALUE=LABEL")
    value = re.sub(r"\\([\\=])", r"\1", match[1])
    return value.strip(), match[2].strip() or None


def meaning_text(value: str, label: str | None) -> str:
    r"""Write one pair of a label map as `VALUE=LABEL`; in VALUE, `\` escapes `=` and `\`."""
    escaped = re.sub(r"[\\=]", r"\\\g<0>", value)
    return f"{escaped}={label or ''}"


def one_of(noun: str, names: Iterable[str]) -> Any:
    """Return a field's check that its value is one of some names; see `choose`."""
    return AfterValidator(lambda value: choose(value, names, noun))


def option(text: str, **bounds: Any) -> Any:
    """Return a field's help, and bounds of its value."""
    return Field(description=text, **bounds)


_Scope = Annotated[str | None, AfterValidator(canonical)]
_Amounts = Annotated[tuple[float, ...], BeforeValidator(_amounts)]
_Meaning = Annotated[tuple[str, str | None], BeforeValidator(_meaning)]
_TASK = f"{', '.join(TASK_NAMES)} (default: a known checkpoint's own, else {AUTO}: from its labels)"
_DATA = (
    f"written, hub, a folder in the Hub's GLUE layout, a file ({', '.join(TABLE_SUFFIXES)}), or "
    "hub:OWNER/NAME[/CONFIG][@REVISION] (default: written for embedded, else hub)"
)
_LABEL_MAP = (
    "VALUE=LABEL: what a value of the label column means ('\\=' for = in VALUE); "
    "'VALUE=' leaves its rows out"
)
_GUESSED = "(default: guessed where only one can be meant)"

Request = TypeVar("Request", bound="DataRequest")
_types = lru_cache(maxsize=2)(TypeAdapter)  # to build the check of a request's types takes 0.2 s


@dataclass(frozen=True)
class DataRequest:
    """A checkpoint and the labelled rows that it meets: of pages, commands, notebooks and grids.

    Each field has its help, and the name of its option, except for `num_examples`
    (`--examples`) and the second of two texts (`--text2`).
    """

    checkpoint: Annotated[
        str, option("ID[@REVISION] on the Hub, a folder, embedded:NAME or recipe:NAME")
    ]
    task: Annotated[str, one_of("task", TASK_NAMES), option(_TASK)]
    num_examples: Annotated[
        int | None, option(f"default: {catalog.DEFAULT_EXAMPLES}; of a file at most half")
    ] = None
    data: Annotated[str | None, option(_DATA)] = None
    split: Annotated[
        str | None, option("the split of hub:OWNER/NAME to evaluate (default: validation)")
    ] = None
    source_name: Annotated[
        str | None, option("the data's name in the result", max_length=MAX_NAME_CHARS)
    ] = None
    text: Annotated[
        tuple[str, ...], option(f"column of a file or data set that holds the text {_GUESSED}")
    ] = ()
    label: Annotated[str | None, option(f"column that holds the label {_GUESSED}")] = None
    label_map: Annotated[tuple[_Meaning, ...], option(_LABEL_MAP)] = ()
    op = "run"  # of the worker

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """Read and check a request.

        Args:
            values: Values by field, plain JSON or a command line's. Missing fields and None take
                their defaults; the default task is the checkpoint's usual one, the default scope
                the method's.

        Raises:
            PrunescopeError: An unknown name, or a value out of its bounds.
        """
        given = {name: value for name, value in values.items() if value is not None}
        return cls.typed(given).filled()

    @classmethod
    def typed(cls, values: Mapping[str, Any]) -> Self:
        """Read a request and check each field alone; see `from_json`.

        Raises:
            PrunescopeError: An unknown name, or a value of the wrong type or out of its bounds.
        """
        fields = {name: values[name] for name in cls.__dataclass_fields__ if name in values}
        fields.setdefault("task", usual_task(str(fields.get("checkpoint"))))
        kind: Any = cls
        try:
            return _types(kind).validate_python(fields)
        except ValidationError as error:
            first = error.errors()[0]
            name = str(first["loc"][0])
            fault = f"{flag_of(name).removeprefix('--')}: {first['msg']}"
            raise PrunescopeError(f"{fault}, not {str(fields.get(name))[:60]!r}") from None

    @property
    def sources(self) -> tuple[str | None, ...]:
        """The places that rows come from."""
        return (self.data,)

    def filled(self) -> Self:
        """Fill in the defaults, or refuse; see `checked`."""
        request = self.typed(vars(self))
        usual = "written" if source_of(request.checkpoint) == "embedded" else "hub"
        request = replace(request, data=request.data or usual)
        _check_columns(request)
        count = self.num_examples
        most = limits().examples
        if count is not None and not catalog.MIN_EXAMPLES <= count <= most:
            raise PrunescopeError(
                f"{count} examples: choose {catalog.MIN_EXAMPLES} to {most} (CKA needs 4)"
            )
        return request


@dataclass(frozen=True)
class SweepRequest(DataRequest):
    """Everything that decides a sweep's numbers."""

    method: Annotated[str, one_of("method", METHODS), option(", ".join(METHODS))] = "magnitude"
    scope: Annotated[
        _Scope, option("encoder (default) or all-linear; for some layers alone, --layers")
    ] = "encoder"
    points: Annotated[str, one_of("points", catalog.POINTS), option(", ".join(catalog.POINTS))] = (
        "attention"
    )
    amounts: Annotated[
        _Amounts, option("fractions in [0, 1) (default: steps of 0.1 up to 0.9)")
    ] = DEFAULT_AMOUNTS
    seed: Annotated[int, option("of pruning; the examples' seed is fixed", ge=0, lt=2**32)] = 0
    control_of: Annotated[
        str | None, option("what a random method follows (default: magnitude, attribution)")
    ] = None
    until_damage: Annotated[
        float | None, option("stop once 1 - the mean own CKA reaches this", gt=0, lt=1)
    ] = None
    range_examples: Annotated[
        Literal["subset", "all"], option("what judges the working range: subset (default), all")
    ] = "subset"
    dtype: Annotated[
        Literal["float32", "bfloat16"],
        option("of forward passes: float32 (default) or bfloat16"),
    ] = catalog.DTYPE

    @classmethod
    def typed(cls, values: Mapping[str, Any]) -> Self:
        """Read a request and check each field alone; see `DataRequest.typed`."""
        usual = usual_scope(str(values.get("method", cls.method)))
        return super().typed({"scope": usual, **values})

    def filled(self) -> Self:
        """Fill in the defaults, or refuse; see `checked`."""
        request = super().filled()
        method = request.method
        check_scope(request.scope, method)
        controlled = request.control_of or catalog.DEFAULT_CONTROLLED.get(method)
        if controlled:
            choose(controlled, METHODS, "method to control")
            if METHODS[controlled].control != method:
                raise PrunescopeError(
                    f"{method} cannot control {controlled}: choose a random method of its kind"
                )
        count = len(request.amounts)
        most = limits().amounts
        if count > most:
            raise PrunescopeError(f"{count} amounts: at most {most} in one sweep, use larger steps")
        return replace(request, control_of=controlled)


_FIRST = next(iter(catalog.CHECKPOINTS))
DEFAULT_REQUEST = SweepRequest(_FIRST, usual_task(_FIRST))


def choose(value: str, names: Iterable[str], noun: str) -> str:
    """Return a value if it is one of the names; `noun` says in the message what they name.

    Raises:
        PrunescopeError: It is none of them.
    """
    if value not in names:
        raise PrunescopeError(
            f"unknown {noun} '{str(value)[:80]}': choose one of {', '.join(names)}"
        )
    return value


def checked(request: Request) -> Request:
    """Fill in a request's defaults, or refuse it.

    Raises:
        PrunescopeError: An unknown name, or a value out of its bounds.
    """
    return request.filled()


def _check_columns(request: DataRequest) -> None:
    """Refuse columns for data whose columns are fixed, and a task that the data do not have.

    Raises:
        PrunescopeError: They do not fit together.
    """
    data = str(request.data)
    kind = kind_of_data(data)
    if request.split and kind != "dataset":
        raise PrunescopeError(
            f"split '{request.split[:40]}' with data '{data}': only hub:OWNER/NAME has splits"
        )
    if kind in TABLES:
        if len({*request.text, request.label}) <= len(request.text):
            raise PrunescopeError(
                "text and label columns: give one or two texts and a label, all different"
            )
    elif request.task == AUTO or request.text or request.label or request.label_map:
        raise PrunescopeError(
            f"data '{data}': columns, a label map and task {AUTO} need a file or hub:OWNER/NAME"
        )
    if kind == "hub" and not TASKS[request.task].dataset_id:
        raise PrunescopeError(
            f"task {request.task} has no data on the Hub: give --data written, "
            "or a file of your own"
        )


# ---------------------------------------------------------------- as options of a command line


def flag_of(field: str) -> str:
    """Return the option of a field."""
    return "--examples" if field == "num_examples" else f"--{field.replace('_', '-')}"


def add_options(parser: ArgumentParser, kind: type[DataRequest]) -> None:
    """Add an option for each field of a request."""
    for name, hint in get_type_hints(kind, include_extras=True).items():
        options: dict[str, Any] = {"nargs": "+", "action": "extend"} if name == "label_map" else {}
        if hint.__origin__ is bool:
            options = {"action": "store_true", "default": None}
        words = hint.__metadata__[-1].description
        parser.add_argument(
            flag_of(name), dest=name, help=words, required=name == "checkpoint", **options
        )
    parser.add_argument(
        "--text2", metavar="TEXT", help="column that holds the second text of a pair"
    )


def request_in(options: Namespace, kind: type[Request]) -> Request:
    """Return the checked request of a command line.

    Raises:
        PrunescopeError: An unknown name, or a value out of its bounds.
    """
    if options.text2 is not None and options.text is None:
        raise PrunescopeError(
            f"--text2 {options.text2} is the second text of a pair: name the first with --text"
        )
    texts = [name for name in (options.text, options.text2) if name is not None]
    return kind.from_json({**vars(options), "text": texts})
