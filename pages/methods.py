"""Methods: what every word and number of the other pages means, where it comes from, and when not to trust it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import streamlit as st

from core.request.catalog import CALIBRATION_EXAMPLES, MAX_LENGTH, METHODS, POINTS, REDUCTIONS, Method
from ui.definitions import (
    ACCURACY,
    CKA,
    CONTROL,
    EQUAL_DAMAGE,
    FLOOR,
    INTERVALS,
    LIMITS,
    RESULT_FILES,
    SURVIVAL,
    VERDICT,
    WORKING_RANGE,
)
from ui.header import page_header
from ui.player import CHARTS, pause_after_first_picture
from ui.remarks import remark
from ui.text import plain

STYLE = """<style>
.stMain .katex { font-size: 1.06em; }
.stMain .katex-display { overflow-x: auto; overflow-y: hidden; text-align: left; padding: 0.1rem 0; }
.stMain .katex-display > .katex { text-align: left; }
.stMain .stMarkdown p, .stMain .stMarkdown li { max-width: 46rem; }
</style>"""

# In a component, because st.html takes drawings out.
_picture = st.components.v2.component(
    "prunescope_explanation",
    html=(CHARTS / "methods.html").read_text("utf-8"),
    css=(CHARTS / "methods.css").read_text("utf-8"),
)

INTRODUCTION = """
Prunescope removes more and more of a fine-tuned classifier. At each step it asks: does the model still classify, and do
its layers still arrange the sentences as before? And is that the method's doing, or would chance do the same? This page
says what every word and number means, which file computes it, and when not to trust it.
"""

# ---------------------------------------------------------------- pruning

PRUNING = r"""
To prune a weight is to set it to zero. The model keeps its shape, so it becomes neither smaller nor faster. Every
amount starts again from the unpruned model, which files call the *baseline*; nothing is trained in between.

The **amount** $a$ is the share of what a method removes: "50 % of weights removed" is $a = 0.5$. A *weight* method
removes single weights out of $n$; a *neuron* method removes whole units, out of $u$ of each type in every layer:

$$
\begin{aligned}
\text{weights removed} &= \mathrm{round}(a \cdot n) \\
\text{units removed} &= \mathrm{round}(a \cdot u)
\end{aligned}
$$

Wanda rounds down in each row instead. An amount of single weights and an amount of units are different things. What can
be compared is the share of the encoder's weights removed, which files call *prunable sparsity*; *sparsity* is the share
of all parameters:

$$
\begin{aligned}
\text{sparsity} &= \frac{\text{removed by pruning}}{\text{all parameters}} \\[2ex]
\text{prunable sparsity} &= \frac{\text{removed}}{\text{all}} \text{ of the encoder}
\end{aligned}
$$

Prunable sparsity counts the weights of the encoder's matrices only.

**Where a weight method prunes.** *All encoder layers* are the matrices of every linear layer inside the encoder. *All
linear layers*, as published, include the pooler's and the classifier's. *One layer alone* shows the isolated effect of
that layer. Embeddings, biases and LayerNorms stay. A fused matrix, such as ModernBERT's for query, key and value,
counts as one.

Layers are numbered from 1 here. Files and the command line count from 0, as transformers does.
"""
CALIBRATION = f"""
**Methods that score on examples** use up to {CALIBRATION_EXAMPLES:,} labelled calibration examples, none of which is
evaluated. The result stores how well two halves of them agree on the scores in each layer (Spearman's rank
correlation): where they do not, much of the score is chance.
"""


@dataclass(frozen=True)
class Detail:
    """What the catalog does not say about a method: its score, its small print and its source."""

    formula: str
    text: str
    source: str = ""


DETAILS: Mapping[str, Detail] = {
    "magnitude": Detail(
        r"s_{ij} = |W_{ij}|",
        "The smallest go, in one ranking over all matrices; among equal ones the first. Apart from ties this is "
        "`torch.nn.utils.prune.global_unstructured` with `L1Unstructured`, which the published experiment used.",
        "Han et al. 2015, arXiv 1506.02626",
    ),
    "wanda": Detail(
        r"s_{ij} = |W_{ij}| \cdot \lVert X_j \rVert_2",
        "$X_j$ is input $j$ of the matrix over all real tokens of the calibration examples, on the unpruned model. In "
        "each row, the smallest $\\lfloor a \\cdot \\text{columns} \\rfloor$ go; labels are not used. Where a matrix "
        "of DeBERTa reads nothing but relative positions, $X_j$ is over these.",
        "Sun et al. 2023, arXiv 2306.11695, eq. 1",
    ),
    "random": Detail(
        r"s_{ij} \sim \mathrm{Uniform}(0, 1)",
        "In each matrix the smallest go, as many as the controlled method removes there; for Wanda, in each row. What "
        "a smaller amount removes, a larger one removes too.",
    ),
    "attribution": Detail(
        r"s_i = \frac{1}{N} \sum_{x} \Bigl| \sum_t h_{ti} \, \frac{\partial P(y \mid x)}{\partial h_{ti}} \Bigr|",
        "$h_{ti}$ is the value of unit $i$ at token $t$ of example $x$, and $y$ its gold label. Units are those that "
        "can be removed cleanly: what the attention's output matrix reads, and the inner units of the feed-forward "
        "network. A unit goes with the row and bias entry that make it and the column that reads it; in a gated "
        "network (ModernBERT) two rows make it, one in each half of the first matrix. Queries and "
        "keys stay, so that amount $a$ removes about $\\tfrac{5}{6}a$ of a BERT encoder's weights. The paper "
        "sums signed values over examples, which cancel: two halves of the examples then agree poorly.",
        "after Yang et al. 2022, arXiv 2205.04157",
    ),
    "attribution-residual": Detail(
        r"s_i = \Bigl| \sum_{x} \sum_t h_{ti} \, \frac{\partial L}{\partial h_{ti}} \Bigr|",
        "$h$ is the layer's output and $L$ the cross-entropy. Removing hidden unit $i$ of a layer zeroes its column in "
        "query, key, value, attention output and intermediate matrix, its bias in the first four, its row and bias in "
        "the output matrix, and its gain and bias in both LayerNorms. Unlike the published code, dropout is off and "
        "padding is left out. ModernBERT has no such units, since none of its layers ends in a LayerNorm.",
        "after Yang et al. 2022, arXiv 2205.04157",
    ),
    "random-neuron": Detail(
        r"s_i \sim \mathrm{Uniform}(0, 1)",
        "In each layer the smallest units of each type go, as many as the controlled attribution removes there.",
    ),
}


def pruning() -> None:
    """Explain what is removed, by which method."""
    st.markdown(PRUNING)
    for method in METHODS.values():
        describe(method)
    st.markdown(CALIBRATION)


def describe(method: Method) -> None:
    """One method: the catalog's words, and what there is to add."""
    traits = [f"{method.granularity} method"]
    traits += ["scores on calibration examples"] if method.calibrated else []
    traits += ["has a seed"] if method.is_control else []
    traits += [f"control: {METHODS[method.control].title.lower()}"] if method.control else []
    st.markdown(f"##### {plain(method.title)}\n:small[{', '.join(traits)}]\n\n{plain(method.explanation)}")
    detail = DETAILS.get(method.name)
    file = f"`{method_file(method)}`"
    if detail is None:
        st.markdown(f"Its formula and source stand at the head of {file}.")
        return
    source = f"*{detail.source}*; " if detail.source else ""
    st.markdown(f"$$\n{detail.formula}\n$$\n\n{detail.text}\n\n:small[{source}{file}]")


def method_file(method: Method) -> str:
    """Name the file that implements a method."""
    return f"core/pruning/{method.name.replace('-', '_')}.py"


# ---------------------------------------------------------------- representations

POINT_TEXTS: Mapping[str, str] = {
    "attention": "what comes out of each attention block, after the residual and LayerNorm; this is the default, so "
    "“layer 3” on the other pages is its attention block, as in the published heatmaps",
    "layer": "what comes out of each whole layer",
    "both": "both, in order of depth",
}
NORMALISE_FIRST_TEXT = """
ModernBERT's layers normalise first: a LayerNorm stands before each block and none behind it. There the points are the
residual stream, after the attention block and after the layer, as the next block's LayerNorm reads it.
"""
REDUCTION_FORMULAS: Mapping[str, str] = {
    "mean": r"x = \frac{1}{T} \sum_{t=1}^{T} h_t",
    "cls": r"x = h_1",
    "tokens": r"x = (h_1, h_2, \dots, h_T, 0, \dots, 0)",
}


def representations() -> None:
    """Explain what is compared: where in the model, and how tokens become one vector."""
    st.markdown(
        f"For each of the $T$ tokens of a sentence, special ones included and at most {MAX_LENGTH}, a layer gives a "
        "vector $h_t$."
    )
    places = "\n".join(
        f"- *{title}*{': ' + POINT_TEXTS[name] if name in POINT_TEXTS else ''}" for name, title in POINTS.items()
    )
    st.markdown(f"**Where they are taken:**\n\n{places}\n\n{NORMALISE_FIRST_TEXT}")
    st.markdown("**How they become one vector $x$ per sentence:**")
    for reduction in REDUCTIONS.values():
        formula = REDUCTION_FORMULAS.get(reduction.name)
        written = f"\n\n$$\n{formula}\n$$" if formula else ""
        st.markdown(f"*{plain(reduction.title)}.* {plain(reduction.explanation)}{written}")
    remark("`core/encoder/representations.py`, `core/encoder/batches.py`")


# ---------------------------------------------------------------- where every number is computed

FILES = (
    ("Which examples are evaluated, in which order", "core/inputs/examples.py"),
    ("Vectors of every layer, and predictions", "core/encoder/representations.py"),
    ("What pruning removes", "core/pruning/METHOD.py"),
    ("How much a control removes, and where", "core/pruning/random.py, core/pruning/random_neuron.py"),
    ("Which controls a method is judged beside", "core/request/controls.py"),
    ("Share of weights removed: of all, of the encoder's, of each layer's", "core/pruning/plan.py"),
    ("Agreement of two halves of the calibration examples", "core/pruning/calibration.py"),
    ("Gram matrices, HSIC, CKA: every cell of a heatmap", "core/similarity/gram.py, core/similarity/cka.py"),
    ("Partial CKA given the emptied model", "core/similarity/partial_cka.py"),
    ("The emptied model, CKA of sentence length alone, the order of all steps", "core/sweep/sweep.py"),
    ("Overall change; gap and profile at equal overall change", "core/sweep/equal_damage.py"),
    ("How far a layer stays intact, depth gap, jackknife intervals", "core/sweep/statistics.py"),
    ("A method against the seeds of its control", "core/sweep/control_contrast.py"),
    ("Working range, range shown broken", "core/sweep/working_range.py"),
    ("Accuracy, Matthews correlation, F1, and their intervals", "core/sweep/metrics.py"),
    ("Paired tests of two models", "core/sweep/paired_tests.py"),
    ("Changed predictions, divergence", "core/sweep/divergence.py"),
    ("The verdict: where pruning changes the layers, against chance", "core/findings/claim.py"),
    ("Several verdicts at once, a whole grid", "core/findings/verdicts.py, core/findings/grid.py"),
    ("How far the shares of change spread over checkpoints of other seeds", "core/findings/spread.py"),
    ("How similar fine-tunes of other seeds are", "core/findings/yardstick.py"),
    ("The sentences under a picture", "core/findings/overview.py, core/findings/accuracy.py"),
    ("The table of how far each layer stays intact", "core/findings/survival.py"),
    ("Layers pruned alone", "core/findings/isolated.py"),
    ("Which results may be compared, which control is matched", "core/findings/comparable.py"),
    ("Random removal where it has changed the layers as much", "core/findings/matching.py"),
    ("Comparison of two results", "core/findings/compare.py"),
    ("Which examples flip", "core/findings/sentences.py"),
    ("Probabilities of a typed sentence", "core/sweep/predict.py"),
    ("A frame computed again, by this program and by torch-cka", "core/verify.py, core/similarity/torch_cka.py"),
    ("The result file, its key and its checksum", "core/results/schema.py, core/results/key.py"),
    ("The pictures that explain CKA, here and on the Overview", "core/charts/methods.html, core/charts/steps.html"),
)


def files() -> None:
    """List the numbers on screen and the files that compute them."""
    rows = "\n".join(f"| {what} | {', '.join(f'`{file}`' for file in where.split(', '))} |" for what, where in FILES)
    st.markdown(f"| On screen | Computed in |\n|---|---|\n{rows}")


# ---------------------------------------------------------------- sources

SOURCES = """
- Kornblith, Norouzi, Lee, Hinton 2019: Similarity of neural network representations revisited, arXiv 1905.00414
- Nguyen, Raghu, Kornblith 2021: Do wide and deep networks learn the same things?, arXiv 2010.15327
- Song, Smola, Gretton, Bedo, Borgwardt 2012: Feature selection via dependence maximization, JMLR 13
- Székely, Rizzo 2014: Partial distance correlation with methods for dissimilarities, arXiv 1310.2926
- Lin 1991: Divergence measures based on the Shannon entropy, IEEE Transactions on Information Theory 37
- Davari et al. 2022: Reliability of CKA as a similarity measure in deep learning, arXiv 2210.16156
- Han, Pool, Tran, Dally 2015: Learning both weights and connections for efficient neural networks, arXiv 1506.02626
- Sun, Liu, Bair, Kolter 2023: A simple and effective pruning approach for large language models, arXiv 2306.11695
- Yang, Jang, Lee, Jung, Jung 2022: Task-specific compression for multi-task language models using attribution-based
  pruning, arXiv 2205.04157
- Quenouille 1956, Tukey 1958: the jackknife. Satterthwaite 1946: degrees of freedom of a variance. Wilson 1927:
  intervals of a share. McNemar 1947: paired shares. Holm 1979: many tests. Kendall 1945: rank correlation with ties.
"""

# ---------------------------------------------------------------- the page

SECTIONS: Mapping[str, tuple[str, str | Callable[[], None]]] = {
    "pruning": ("Pruning", pruning),
    "representations": ("Representations", representations),
    "cka": ("CKA", CKA),
    "damage": ("Overall change, and results compared at the same change", EQUAL_DAMAGE),
    "floor": ("The emptied model, and what lies beyond it", FLOOR),
    "range": ("How far a pruned model works", WORKING_RANGE),
    "control": ("Chance: the matched control", CONTROL),
    "verdict": ("The verdict", VERDICT),
    "survival": ("How far a layer stays intact, layers pruned alone, depth gap", SURVIVAL),
    "accuracy": ("Accuracy and predictions", ACCURACY),
    "intervals": ("How each interval is made", INTERVALS),
    "limits": ("When not to trust it", LIMITS),
    "results": ("Result files", RESULT_FILES),
    "files": ("Where each number is computed", files),
    "sources": ("Sources", SOURCES),
}


def methods() -> None:
    """Show the picture, a table of contents, and the sections."""
    page_header("Methods")
    st.html(STYLE)
    st.title("What the pictures mean, and when not to trust them", anchor=False)
    _picture(key="explanation")
    pause_after_first_picture()
    st.markdown(INTRODUCTION)
    st.markdown(" · ".join(f"[{title}](#{anchor})" for anchor, (title, _) in SECTIONS.items()))
    for anchor, (title, content) in SECTIONS.items():
        st.subheader(title, anchor=anchor, divider="gray")
        if callable(content):
            content()
        else:
            st.markdown(content)


methods()
