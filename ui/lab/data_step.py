"""Step 2 of the Lab's settings, the data: where the examples come from, what is in them, and how many are evaluated."""

from dataclasses import dataclass
from typing import Any

import streamlit as st

from core.errors import PrunescopeError
from core.request.catalog import DEFAULT_EXAMPLES, MIN_EXAMPLES, SHIPPED, TASKS, Task
from core.request.limits import limits
from core.request.sweep_request import DATASET, OWN, TABLE_SUFFIXES, SweepRequest
from core.request.tasks import AUTO
from ui.lab.model_step import ChosenModel
from ui.lab.own_dataset import choose_dataset
from ui.lab.own_sentences import ChosenTable, choose_table
from ui.lab.settings import FOLDER, begun, choose_setting, existing_folder, folder_option, type_folder
from ui.remarks import refusals_shown, remark

# Choices after which a file or a name is asked for; none of them is a name of the catalog.
OWN_SENTENCES = "own sentences"
ON_HUB = "data set"


@dataclass(frozen=True)
class ChosenData:
    """What the second step asks for.

    Attributes:
        choice: `written`, `hub`, FOLDER, OWN_SENTENCES or ON_HUB.
        folder: The path that was typed.
        table: The file or data set; None while something about it is undecided.
        num_examples: How many are evaluated; None leaves it to the program.
    """

    choice: str
    folder: str
    table: ChosenTable | None
    num_examples: int | None

    def fields(self) -> dict[str, Any]:
        """Return the fields of a request.

        Raises:
            PrunescopeError: Nothing was typed, there is no such folder, or something is undecided.
        """
        return {"num_examples": self.num_examples, **self._source()}

    def _source(self) -> dict[str, Any]:
        if self.choice not in (OWN_SENTENCES, ON_HUB):
            return {"data": existing_folder(self.folder, "data") if self.choice == FOLDER else self.choice}
        if self.table is None:
            raise PrunescopeError(
                "Choose your file and say what is in it"
                if self.choice == OWN_SENTENCES
                else "Name a data set on the Hub and say what is in it"
            )
        table = self.table
        return {
            "data": table.data,
            "split": table.split,
            "text": table.text,
            "label": table.label,
            "label_map": table.label_map,
        }


def choose_data(shown: SweepRequest, model: ChosenModel) -> ChosenData:
    """Draw the step.

    Args:
        shown: What it says at first.
        model: What the first step asks for.
    """
    choice = _choose_source(shown, model)
    folder, table = "", None
    if choice == FOLDER:
        value = shown.data if shown.data and _choice_of(shown.data) == FOLDER else ""
        folder = type_folder("Folder of the data", value, "data-folder")
    elif choice in (OWN_SENTENCES, ON_HUB):
        table = _choose_table(shown, model, choice)
    return ChosenData(choice, folder, table, _choose_count(shown))


def _choose_source(shown: SweepRequest, model: ChosenModel) -> str:
    """Embedded checkpoints start with what lies beside them, others with the Hub; without a preset a file it is."""
    preset = TASKS.get(model.task)
    names = {
        **(_preset_data(preset) if preset else {}),
        OWN_SENTENCES: "A file of my own",
        ON_HUB: "A data set on the Hub",
    }
    usual = "written" if model.is_embedded else "hub"
    preferred = usual if shown.data is None else _choice_of(shown.data)
    return choose_setting("Examples from", names, preferred, f"data-{model.is_embedded}" if preset else "data-own")


def _preset_data(task: Task) -> dict[str, str]:
    """Offer where a preset's examples are."""
    written = (SHIPPED / "subsets" / f"{task.name}.jsonl").is_file()
    glue = {
        "hub": f"GLUE's {task.split.replace('_', ' ')} split, from the Hub",
        **folder_option("A folder in the Hub's layout"),
    }
    return {
        **({"written": "Examples written for this project"} if written else {}),
        **(glue if task.dataset_id else {}),
    }


def _choice_of(data: str) -> str:
    if data.startswith(DATASET):
        return ON_HUB
    if data.startswith(OWN) or data.lower().endswith(TABLE_SUFFIXES):
        return OWN_SENTENCES
    return data if data in ("written", "hub") else FOLDER


def _choose_table(shown: SweepRequest, model: ChosenModel, choice: str) -> ChosenTable | None:
    """Ask for a file or a data set; that of the run on show serves on."""
    if model.known is None:
        remark("The labels come from the checkpoint: enter its folder or Hub id above first.")
        return None
    data, is_on_hub = shown.data or "", choice == ON_HUB
    is_shown = shown.task == model.task and data.startswith(DATASET if is_on_hub else OWN)
    if is_on_hub and model.task == AUTO and model.checkpoint() != shown.checkpoint:
        is_shown = False  # its labels are others
    before = ChosenTable(data, shown.text, shown.label, shown.label_map, shown.split) if is_shown else None
    with refusals_shown():
        return choose_dataset(model.known, before) if is_on_hub else choose_table(model.known, before)
    return None


def _choose_count(shown: SweepRequest) -> int | None:
    most, asked = limits().examples, shown.num_examples
    count: int | None = st.number_input(
        "Number of examples",
        MIN_EXAMPLES,
        most,
        placeholder=f"up to {DEFAULT_EXAMPLES}",
        help=f"Empty: as many as there are, up to {DEFAULT_EXAMPLES}; of a file of your own, at most half its rows.",
        **begun("examples", None if asked is None else min(asked, most)),
    )
    return count
