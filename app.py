"""The Overview: the question, the answer as a moving picture, and what one needs to read it."""

from collections.abc import Sequence

import streamlit as st

from core.findings import is_cumulative, survival_table
from core.library import Entry
from ui.header import page_header
from ui.jobs import link_parameters
from ui.player import choose_reduction, show_finding, show_player
from ui.results import at_hand, choose_result, companions_of

CKA = """
**CKA** (centered kernel alignment) asks whether two layers arrange the same sentences in the same way: 1 means the same
geometry up to rotation and scale, 0 means no relation. Each cell compares a layer of the pruned model with a layer of
the unpruned baseline; on the outlined diagonal every layer meets its own baseline, and it *survives* as long as that
value stays at 0.9 or above.
"""
AMOUNT = """
**Pruning amount** is the share of prunable weights that is removed, **sparsity** the same as a share of all parameters.
"""
CUMULATIVE = """
Pruning is cumulative: what a layer puts out also carries the pruning of all layers before it, so that some decline with
depth is expected of any method.
"""
PRECOMPUTE = "python -m core.precompute --checkpoint embedded:sst2 --task sst2"


def show_overview(entries: Sequence[Entry]) -> None:
    """Shows one of the results: the picture first, what it says, then the choices."""
    answer = st.container()
    which, how = st.columns([2, 3])
    with which:
        result = choose_result("Result", entries)
    if result is None:
        return
    with how:
        reduction = choose_reduction(result)
    with answer:
        show_player(result, reduction, key="overview", group="overview", autoplay=True)
        show_finding(result, reduction, companions_of(result, entries))
    st.markdown(CKA + AMOUNT + (CUMULATIVE if is_cumulative(result) else ""))
    with st.expander("Survival of every layer as a table"):
        st.markdown(markdown_table(survival_table(result, reduction)))
    link_to_lab("Prune a checkpoint yourself in the Lab")


def markdown_table(rows: list[dict[str, str]]) -> str:
    """Writes rows of equal keys as a Markdown table."""
    lines = [list(rows[0]), ["---"] * len(rows[0]), *(list(row.values()) for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def show_nothing() -> None:
    """Says what to do where no result came with the program."""
    st.info("No result is shipped with this copy, so there is nothing to show yet.")
    st.markdown("Make one, which takes about a minute on a laptop, and reload this page:")
    st.code(PRECOMPUTE, language="shell", wrap_lines=True)
    link_to_lab("Or prune a checkpoint live in the Lab")


def link_to_lab(label: str) -> None:
    """Leads on to the Lab, and to the job there that this visitor watches."""
    st.page_link("pages/lab.py", label=label, icon=":material/science:", query_params=link_parameters())


page_header("Overview")
st.title("What does pruning do to the representations inside a fine-tuned BERT?", anchor=False)
entries = at_hand()
if entries:
    show_overview(entries)
else:
    show_nothing()
