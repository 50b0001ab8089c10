"""Methods: what every word and number of the other pages means, where it comes from, and when not to trust it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import streamlit as st

from core.findings.claim import DAMAGE
from core.findings.comparable import SPARSITY_TOLERANCE
from core.request.catalog import (
    CALIBRATION_EXAMPLES,
    CONTROL_SEEDS,
    FEW_EXAMPLES,
    MAX_LENGTH,
    METHODS,
    MIN_EXAMPLES,
    POINTS,
    REDUCTIONS,
    SURVIVAL_THRESHOLD,
    Method,
)
from core.sweep.control_contrast import SMALLEST_DIFFERENCE
from ui.header import page_header
from ui.player import CHARTS, pause_after_first_picture
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
Prunescope removes ever more of a fine-tuned classifier and asks at each step: does it still classify, and do its layers
still arrange the sentences as before? This page says what every word and number means, which file computes it, and
when not to trust it.
"""

# ---------------------------------------------------------------- pruning

PRUNING = r"""
To prune a weight is to set it to zero. The model keeps its shape: it becomes neither smaller nor faster, and every
amount starts again from the unpruned model (the *baseline*), without any training in between.

The **pruning amount** $a$ is the fraction of what a method removes. A *weight* method removes single weights of
$n$, a *neuron* method whole units, of each type $u$ in every layer:

$$
\begin{aligned}
\text{weights removed} &= \mathrm{round}(a \cdot n) \\
\text{units removed} &= \mathrm{round}(a \cdot u)
\end{aligned}
$$

An amount of a weight method and one of a neuron method are therefore not comparable. What is comparable is sparsity:

$$
\begin{aligned}
\text{sparsity} &= \frac{\text{removed by pruning}}{\text{all parameters}} \\[2ex]
\text{prunable sparsity} &= \frac{\text{removed}}{\text{all}} \text{ of the encoder}
\end{aligned}
$$

Prunable sparsity counts the weights of the encoder's matrices only.

**Where a weight method prunes.** *All encoder layers*: the matrices of every linear layer inside the encoder. *All
linear layers*, as published: also the pooler's and the classifier's. *One layer alone*: the isolated effect of that
layer. Embeddings, biases and LayerNorms stay.
"""
CALIBRATION = f"""
**Methods that score on examples** use up to {CALIBRATION_EXAMPLES:,} labelled calibration examples, none of which is
evaluated. The result stores how well two halves of them agree on the scores in each layer (Spearman's rank
correlation): where they do not, much of the score is chance.
"""
CONTROLS = f"""
**Random controls** remove as many weights of each matrix, or units of each layer, as the method that they are matched
to, but anything. What they do too is no merit of the method. A verdict takes {CONTROL_SEEDS["weight"]} seeds of them,
{CONTROL_SEEDS["neuron"]} for whole units, which vary more. They count only where they have removed the same share of
every layer's weights as the method, to within {SPARSITY_TOLERANCE}; elsewhere the page says why not.
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
        "$X_j$ is input $j$ of the matrix over all real tokens of the calibration examples, on the baseline. In each "
        "row, the smallest $\\lfloor a \\cdot \\text{columns} \\rfloor$ go; labels are not used.",
        "Sun et al. 2023, arXiv 2306.11695, eq. 1",
    ),
    "random": Detail(
        r"s_{ij} \sim \mathrm{Uniform}(0, 1)",
        "In each matrix the smallest go, as many as magnitude pruning removes there. What a smaller amount removes, a "
        "larger one removes too.",
    ),
    "attribution": Detail(
        r"s_i = \frac{1}{N} \sum_{x} \Bigl| \sum_t h_{ti} \, \frac{\partial P(y \mid x)}{\partial h_{ti}} \Bigr|",
        "$h_{ti}$ is the value of unit $i$ at token $t$ of example $x$, and $y$ its gold label. Units are those that "
        "can be removed cleanly: what the attention's output matrix reads, and the inner units of the feed-forward "
        "network. A unit goes with the row and bias entry that make it and the column that reads it. Queries and "
        "keys stay, so that amount $a$ removes about $\\tfrac{5}{6}a$ of a BERT encoder's weights. The paper "
        "sums signed values over examples, which cancel: two halves of the examples then agree poorly.",
        "after Yang et al. 2022, arXiv 2205.04157",
    ),
    "attribution-residual": Detail(
        r"s_i = \Bigl| \sum_{x} \sum_t h_{ti} \, \frac{\partial L}{\partial h_{ti}} \Bigr|",
        "$h$ is the layer's output and $L$ the cross-entropy. Removing hidden unit $i$ of a layer zeroes its column in "
        "query, key, value, attention output and intermediate matrix, its bias in the first four, its row and bias in "
        "the output matrix, and its gain and bias in both LayerNorms. Unlike the published code, dropout is off and "
        "padding is left out.",
        "after Yang et al. 2022, arXiv 2205.04157",
    ),
    "random-neuron": Detail(
        r"s_i \sim \mathrm{Uniform}(0, 1)",
        "As many units of each layer and type as under attribution pruning.",
    ),
}


def pruning() -> None:
    """Explain what is removed, by which method."""
    st.markdown(PRUNING)
    for method in METHODS.values():
        describe(method)
    st.markdown(CALIBRATION + CONTROLS)


def describe(method: Method) -> None:
    """One method: the catalog's words, and what there is to add."""
    traits = [f"{method.granularity} method"]
    traits += ["scores on calibration examples"] if method.calibrated else []
    traits += ["has a seed"] if method.seeded else []
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
    "attention": "what comes out of each attention block, after the residual and LayerNorm; the published heatmaps "
    "compare these",
    "layer": "what comes out of each whole layer",
    "both": "both, in order of depth",
}
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
    st.markdown(f"**Where they are taken:**\n\n{places}")
    st.markdown("**How they become one vector $x$ a sentence:**")
    for reduction in REDUCTIONS.values():
        formula = REDUCTION_FORMULAS.get(reduction.name)
        written = f"\n\n$$\n{formula}\n$$" if formula else ""
        st.markdown(f"*{plain(reduction.title)}.* {plain(reduction.explanation)}{written}")
    st.markdown(":small[`core/encoder/representations.py`, `core/encoder/batches.py`]")


# ---------------------------------------------------------------- CKA

CKA = rf"""
Centered kernel alignment compares two layers by how they arrange the same $n$ sentences. Each layer's vectors
$x_1, \dots, x_n$ give a table of who is like whom, the Gram matrix $K_{{ij}} = x_i \cdot x_j$ of the centred vectors
with a zeroed diagonal; $L$ is the same table of the other layer. How well two tables agree is measured by the
unbiased HSIC,

$$
\begin{{aligned}}
\mathrm{{HSIC}}_1(K, L) = \frac{{1}}{{n(n-3)}} \Bigl[ & \mathrm{{tr}}(KL) \\
& {{}} - \frac{{2}}{{n-2}} \, \mathbf 1^\top K L \mathbf 1 \\
& {{}} + \frac{{\mathbf 1^\top K \mathbf 1 \; \mathbf 1^\top L \mathbf 1}}{{(n-1)(n-2)}} \Bigr]
\end{{aligned}}
$$

and CKA divides by how well each agrees with itself. Over batches $b$ it is summed first and divided last:

$$
\mathrm{{CKA}} = \frac{{\sum_b \mathrm{{HSIC}}_1(K_b, L_b)}}
{{\sqrt{{\sum_b \mathrm{{HSIC}}_1(K_b, K_b) \; \sum_b \mathrm{{HSIC}}_1(L_b, L_b)}}}}
$$

- **1** is the same arrangement, whatever its rotation and scale. **0** is what unrelated arrangements have on average,
  and since the estimate is unbiased, values slightly below 0 are legal and shown as they are.
- A layer whose vectors are all the same has no arrangement: CKA is *undefined*, and its cell is hatched, never 0.
- *Mean over tokens* and *first token* use one batch of all examples. *All tokens* uses batches of 32 in the random
  order of the evaluation examples, the same at every amount.
- In a heatmap, rows are layers of the baseline and columns layers of the pruned model. The colours always run from 0
  to 1. On the outlined diagonal, each layer meets itself.

At least {MIN_EXAMPLES} examples are needed, and below {FEW_EXAMPLES} a result carries a warning.

*Kornblith et al. 2019, arXiv 1905.00414 (CKA); Song et al. 2012 and Nguyen et al. 2021, arXiv 2010.15327, eq. 3
(unbiased, in batches)*. :small[`core/similarity/cka.py`; a second opinion by the published torch-cka:
`core/similarity/torch_cka.py`]
"""

# ---------------------------------------------------------------- survival

SURVIVAL = rf"""
A layer *survives* up to the amount at which its CKA with its own baseline first falls below {SURVIVAL_THRESHOLD},
interpolated linearly between two amounts. Where it never falls, the bar ends at the largest amount and says “>”.
The threshold is a convention; the tables also show 0.8 and 0.95.

The **depth gap** $D$ says in one number whether lower layers keep more: the mean area under a layer's curve, of the
lower half of the layers less that of the upper half.

$$
\begin{{aligned}}
D &= \operatorname*{{mean}}_{{\text{{lower half}}}} A_l - \operatorname*{{mean}}_{{\text{{upper half}}}} A_l \\
A_l &= \frac{{1}}{{a_{{\max}}}} \int_0^{{a_{{\max}}}} \mathrm{{CKA}}_l(a) \, da
\end{{aligned}}
$$

**Intervals** of survival and $D$ come from the delete-one jackknife: everything is computed again without each of the
$n$ examples, which gives $\theta_1, \dots, \theta_n$, and

$$
\theta \pm t_{{0.975,\,n-1}} \sqrt{{\frac{{n-1}}{{n}} \sum_m (\theta_m - \bar\theta)^2}}
$$

An interval of survival is cut to the amounts that were measured: its end at the largest one means “or beyond”.

**The verdict.** Pruning is cumulative, so that some decline with depth is expected of any method: only what differs
from random removal is a method's doing. Methods destroy at different speeds, so both are looked at where the layers
have changed equally much, not at equal amounts. *Overall change* (damage) is 1 less the mean of all layers' CKA with
their own baselines. At an overall change of {DAMAGE}, interpolated between two amounts, the *gap* is the lower half's
mean CKA less the upper half's; the share of the change that lies in the upper half is ½ + gap / (4 · {DAMAGE}).

With the gaps of $k$ seeds of the matched random control, which removes as many weights of each matrix, $s$ their
standard deviation, and $e$ the paired jackknife standard error of $\Delta$ over $n$ examples:

$$
\Delta = \text{{gap}} - \operatorname*{{mean}}_{{\text{{seeds}}}} \text{{gap}} \qquad
h = \sqrt{{\bigl(t_{{0.975,\,k-1}} \, s \sqrt{{1 + 1/k}}\bigr)^2 + \bigl(t_{{0.975,\,n-1}} \, e\bigr)^2}}
$$

*Steeper than chance* means $\Delta - h > 0$ and $\Delta \ge {SMALLEST_DIFFERENCE}$, *flatter* the mirror image, *as by
chance* $|\Delta| + h \le {SMALLEST_DIFFERENCE}$. Otherwise it *cannot be told*: the interval is too wide, or there is
a reason not to judge, such as fewer than {CONTROL_SEEDS["weight"]} matched seeds ({CONTROL_SEEDS["neuron"]} for whole
units), fewer than {FEW_EXAMPLES} examples, steps of the amount that are too large, or a model that no longer works
there. This is fixed in advance: attention blocks, mean over tokens, an overall change of {DAMAGE}. Others stand beside
it. A verdict is about one checkpoint.

**Layers pruned alone** are measured at their own outputs. Their order counts as reversed only if the lower half changes
more than the upper half, beyond the interval, and random removal orders them neither way. Kendall's $\tau_b$ between
survival and depth is a description: layers are no sample, so that there is no p-value over them.

:small[`core/sweep/statistics.py`, `core/sweep/equal_damage.py`, `core/sweep/control_contrast.py`; in words:
`core/findings/overview.py`, `core/findings/claim.py`, `core/findings/isolated.py`, `core/findings/compare.py`]
"""

# ---------------------------------------------------------------- accuracy

ACCURACY = """
**Accuracy** is the share of evaluation examples with the right label, with Wilson's 95 % interval. CoLA also has
**Matthews correlation**, MRPC and QQP **F1**, with bootstrap intervals over examples, drawn within each label. The
dashed line is what answering the most frequent label alone would reach.

Two results on the same examples are compared by McNemar's exact test wherever both have removed equally much,
corrected by Holm's method for the number of amounts.

An example *flips* at the first amount at which the prediction is not the unpruned model's any more.

:small[`core/sweep/metrics.py`, `core/findings/compare.py`, `core/findings/sentences.py`;
a sentence of one's own: `core/sweep/predict.py`]
"""

# ---------------------------------------------------------------- limits

LIMITS = f"""
**Sentence length passes for similarity.** With *all tokens*, as published, padding is zero in every layer at once, so
that two layers agree on which sentences are long, whatever they do with the words. On one checkpoint the padding
alone, without a word, had a CKA of 0.8 to 0.95 with unpruned layers. Every result stores this value; prefer
*mean over tokens*.

**Pruning accumulates.** What a layer puts out carries the pruning of all layers before it, so that some decline with
depth is expected of any method, and of chance. Pruning one layer alone can even reverse the order. Look at the random
control and at the isolated layers before you call a layer fragile.

**CKA can mislead.** It falls when a few examples move far, or when a group of them is shifted as a whole, although the
classes stay as separable as they were; it can often be moved without changing what the model does (Davari et al. 2022,
arXiv 2210.16156). A low CKA says that the arrangement has changed, not that knowledge is lost: read it beside
accuracy.

**Few examples are noisy.** Below {FEW_EXAMPLES}, take small differences for chance. The intervals cover the choice of
examples only: neither another fine-tuning run nor another data set.

**One checkpoint is one checkpoint.** Nothing here generalises by itself to another model, task or amount.

**The written examples** are balanced, were written for this project and are no benchmark; they are there so that
everything works without a network.
"""

# ---------------------------------------------------------------- where every number is computed

FILES = (
    ("Which examples are evaluated, in which order", "core/inputs/examples.py"),
    ("Vectors of every layer, and predictions", "core/encoder/representations.py"),
    ("What pruning removes", "core/pruning/METHOD.py"),
    ("Sparsity, prunable sparsity, sparsity of each layer", "core/pruning/plan.py"),
    ("Agreement of two halves of the calibration examples", "core/pruning/calibration.py"),
    ("Gram matrices, HSIC, CKA: every cell of a heatmap", "core/similarity/cka.py"),
    ("CKA of sentence length alone; the order of all steps", "core/sweep/sweep.py"),
    ("Survival, depth gap, their intervals", "core/sweep/statistics.py"),
    ("Accuracy, Matthews correlation, F1, intervals, paired tests", "core/sweep/metrics.py"),
    ("The sentence under a picture, the table of survival", "core/findings/overview.py"),
    ("Where pruning changes the layers, against chance", "core/findings/claim.py"),
    ("Gap and profile at equal damage", "core/sweep/equal_damage.py"),
    ("A method against the seeds of its control", "core/sweep/control_contrast.py"),
    ("Layers pruned alone", "core/findings/isolated.py"),
    ("Which results may be compared", "core/findings/comparable.py"),
    ("Comparison of two results", "core/findings/compare.py"),
    ("Which examples flip", "core/findings/sentences.py"),
    ("Probabilities of a typed sentence", "core/sweep/predict.py"),
    ("A frame computed again, by this program and by torch-cka", "core/verify.py, core/similarity/torch_cka.py"),
    ("The result file, its key and its checksum", "core/results/schema.py"),
    ("The picture at the head of this page", "core/charts/methods.py"),
)


def files() -> None:
    """List the numbers on screen and the files that compute them."""
    rows = "\n".join(f"| {what} | {', '.join(f'`{one}`' for one in where.split(', '))} |" for what, where in FILES)
    st.markdown(f"| On screen | Computed in |\n|---|---|\n{rows}")


# ---------------------------------------------------------------- sources

SOURCES = """
- Kornblith, Norouzi, Lee, Hinton 2019: Similarity of neural network representations revisited, arXiv 1905.00414
- Nguyen, Raghu, Kornblith 2021: Do wide and deep networks learn the same things?, arXiv 2010.15327
- Song, Smola, Gretton, Bedo, Borgwardt 2012: Feature selection via dependence maximization, JMLR 13
- Székely, Rizzo 2014: Partial distance correlation with methods for dissimilarities, arXiv 1310.2926
- Davari et al. 2022: Reliability of CKA as a similarity measure in deep learning, arXiv 2210.16156
- Han, Pool, Tran, Dally 2015: Learning both weights and connections for efficient neural networks, arXiv 1506.02626
- Sun, Liu, Bair, Kolter 2023: A simple and effective pruning approach for large language models, arXiv 2306.11695
- Yang, Jang, Lee, Jung, Jung 2022: Task-specific compression for multi-task language models using attribution-based
  pruning, arXiv 2205.04157
- Quenouille 1956, Tukey 1958: the jackknife. Wilson 1927: intervals of a share. McNemar 1947: paired shares. Holm 1979:
  many tests. Kendall 1945: rank correlation with ties.
"""

# ---------------------------------------------------------------- the page

SECTIONS: Mapping[str, tuple[str, str | Callable[[], None]]] = {
    "pruning": ("Pruning", pruning),
    "representations": ("Representations", representations),
    "cka": ("CKA", CKA),
    "survival": ("Survival and the depth gap", SURVIVAL),
    "accuracy": ("Accuracy and predictions", ACCURACY),
    "limits": ("When not to trust it", LIMITS),
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
