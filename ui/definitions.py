"""What the numbers on the pages mean: the prose of the Methods page, with every constant taken from the code."""

from core.findings.claim import SENSITIVITY, WIDEST, smallest_share
from core.findings.comparable import SPARSITY_TOLERANCE
from core.request.amounts import amount_text
from core.request.catalog import (
    CONTROL_SEEDS,
    DAMAGE,
    FEW_EXAMPLES,
    LEAST_LEFT,
    MEASURES,
    MIN_EXAMPLES,
    SURVIVAL_THRESHOLD,
    TASKS,
)
from core.request.controls import COARSER_STEP, ONE_LAYER_SEEDS, SMALL_STEP, UNTIL_DAMAGE
from core.results.names import listed, percent
from core.sweep.control_contrast import SMALLEST_DIFFERENCE
from core.sweep.equal_damage import DAMAGES, FEWEST_BEFORE
from core.sweep.working_range import DETECTABLE, DRAWS, RETAINED
from ui.legends import EXPECTED


def _main_metrics() -> str:
    """Name each metric that a working range of GLUE's tasks is judged by, with its tasks."""
    tasks: dict[str, list[str]] = {}
    for task in filter(lambda task: task.dataset_id, TASKS.values()):
        tasks.setdefault(task.main_metric, []).append(task.title)
    titles = {"accuracy": "accuracy", "matthews_correlation": "Matthews correlation"}
    return listed([f"{titles.get(metric, metric)} for {listed(names)}" for metric, names in tasks.items()])


def _sensitivity() -> str:
    """Name what a verdict is also judged by."""
    damages = [amount_text(damage) for reduction, damage in SENSITIVITY if reduction == "mean"]
    return f"an overall change of {listed(damages)}, and by the first token"


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

- **1** is the same arrangement, whatever its rotation and scale. **0** is what unrelated arrangements have on
  average, and since the estimate is unbiased, values slightly below 0 are legal and shown as they are.
- A layer whose vectors are all the same has no arrangement: CKA is *undefined*, and its cell is hatched, never 0.
- *Mean over tokens* and *first token* use one batch of all examples. *All tokens* uses batches of 32 in the random
  order of the evaluation examples, the same at every amount.
- In a heatmap, rows are layers of the unpruned model and columns layers of the pruned model. The colours always run
  from 0 to 1. On the outlined diagonal, each layer meets itself: that value is its **own CKA**, or simply its
  similarity on the other pages.

**Another checkpoint.** `--against CHECKPOINT` compares the pruned layers with the unpruned ones of another checkpoint,
on the same sentences, by the mean over tokens and the first token. {EXPECTED},
so there is no floor and no verdict.

At least {MIN_EXAMPLES} examples are needed, and below {FEW_EXAMPLES} a result carries a warning.

*Kornblith et al. 2019, arXiv 1905.00414 (CKA); Song et al. 2012 and Nguyen et al. 2021, arXiv 2010.15327, eq. 3
(unbiased, in batches)*. :small[`core/similarity/cka.py`; a second opinion by the published torch-cka:
`core/similarity/torch_cka.py`]
"""

# ---------------------------------------------------------------- damage

EQUAL_DAMAGE = rf"""
**Overall change** (*damage* in files and formulas) says how much the layers of a pruned model have changed
altogether: 1 minus the mean own CKA of all layers $l$.

$$
\text{{damage}} = 1 - \operatorname*{{mean}}_l \, \mathrm{{CKA}}_l
$$

**At equal overall change.** Methods change a model at different rates. At equal amounts, one model may be wrecked and
the other hardly touched, so their layers cannot be compared. So results are compared where their overall change is
equal, whatever the amounts: at {listed([amount_text(damage) for damage in DAMAGES])}. Values there are interpolated
linearly, between the first measured amount that reaches this change and the amount before it. With fewer than
{FEWEST_BEFORE} amounts of a smaller change, the steps are too coarse for a verdict.

Where one unit, or a few weights, change a layer at a stroke, no amount gives exactly that change, and smaller steps do
not help. Pruned by the interpolated amount itself, most models have the interpolated own CKA to within 0.005 in every
layer. The largest difference seen in one layer was 0.03 where weights are removed at random, and 0.26 where units are
(SST-2, CoLA and QNLI; `docs/measured.md`).

**The depth profile** is the own CKA of all layers at that change. **Its gap** is the lower half's mean minus the upper
half's; the middle of an odd number of layers counts half in each. The pages show the gap as the **share of the overall
change that lies in the upper half**,

$$
\text{{share}} = \frac12 + \frac{{\text{{gap}}}}{{4 \cdot \text{{damage}}}}
$$

50 % means that both halves have changed equally, 100 % that the lower half has not changed.

:small[`core/sweep/equal_damage.py`]
"""

# ---------------------------------------------------------------- floor

FLOOR = rf"""
**The emptied model.** Some similarity is left whatever is pruned: embeddings are never pruned, and the residual
connections carry them upwards past every matrix. One more pass shows how much, through the *emptied model*: the
checkpoint with every matrix of the scope set to zero, biases kept. The own CKA of its layers is **the floor**, a
dotted line on the Overview, Layers and Compare. A layer whose floor is above {SURVIVAL_THRESHOLD} can “stay intact”
with nothing left in it. At smaller amounts, pruning can take a layer below its floor.

One floor serves magnitude, Wanda, random and attribution pruning. Attribution as published also removes the
LayerNorms' gains, so that nothing is left to compare: it has no floor. Where one layer is pruned alone, layers below
it have none.

**{MEASURES["partial_cka"].title}**, partial CKA in short, asks what similarity is left *beyond* that. With $C$ for
CKA, $i$ for a layer of the unpruned model, $j$ for the same layer of the pruned one and $z$ for that of the emptied
one, it is a partial correlation:

$$
R = \frac{{C_{{ij}} - C_{{iz}} \, C_{{jz}}}}{{\sqrt{{(1 - C_{{iz}}^2)(1 - C_{{jz}}^2)}}}}
$$

- **1**: the layer is as it was, also beyond the emptied model. **0**: nothing is left but what the emptied model has
  too.
- It is **undefined** where the product under the root is below {amount_text(LEAST_LEFT)}: the emptied model then
  explains one of the layers nearly whole, and there is nothing beyond it to compare. It is also undefined without a
  floor.
- The gap of partial CKA, at the amount where own CKA reaches this overall change, says which half keeps more beyond the
  emptied model: the lower half if its interval lies above 0 (“some is left”), the upper half if below (“reversed”),
  otherwise none is shown. An interval wider than ± {WIDEST} says nothing.

*After Székely & Rizzo 2014, arXiv 1310.2926*. :small[`core/similarity/partial_cka.py`]
"""

# ---------------------------------------------------------------- working range

WORKING_RANGE = rf"""
What happens inside a model that no longer does its task is of little interest. So every result has two ranges. With
$M(a)$ for the metric at amount $a$ and $M_0$ for what always answering the majority class reaches, the
**retained lead** is

$$
\frac{{M(a) - M_0}}{{M(0) - M_0}}
$$

The metric is {_main_metrics()}, whose $M_0$ is 0. For {TASKS["messages"].title} and for a task
made from a checkpoint's own labels it is macro-F1.

- **The working range** ends with the last amount before the retained lead first falls below {percent(RETAINED)}. It
  is an estimate without an interval. There is no working range where the interval of the unpruned model's lead
  reaches 0.
- **The range shown broken** begins at the smallest amount from which on, up to the largest, the interval of
  $M(a) - M(0)$ lies below 0: from there on the loss is no accident of these examples. A sure loss may still be small,
  so that the two ranges can overlap.

A drop of {DETECTABLE} standard errors is found four times in five. Where {percent(1 - RETAINED)} of the lead is less
than that, a loss of that size can go unseen, and the result is marked *too few examples*. Live runs are judged on the
evaluation examples. `--range-examples all`, as in most shipped results on GLUE that verdicts are about, takes all
labelled validation examples that there are, for predictions alone.

:small[`core/sweep/working_range.py`]
"""

# ---------------------------------------------------------------- chance

CONTROL = f"""
Pruning accumulates: a layer's output carries the pruning of all layers below it, so that some decline with depth is
expected of any method. Only what differs from chance is a method's own doing. Chance is a **matched random control**:
it removes as much as its method, from the same places, but at random.

| Method | In which places the control removes as much |
|---|---|
| magnitude | each matrix |
| Wanda | each row of each matrix |
| attribution, both kinds | each layer and type of unit |

Another method, another scope, another control: `--control-of METHOD` says which method a random one follows. A
control counts only where it has removed the same share of every layer's weights as its method, to within
{SPARSITY_TOLERANCE}; elsewhere the page says why not.

**Seeds.** One draw can deviate by luck, so a verdict takes {CONTROL_SEEDS["weight"]} seeds, and
{CONTROL_SEEDS["neuron"]} for whole units, which vary more. Random pruning changes a model early: controls, and methods
that remove units, are also measured in small steps, of {SMALL_STEP} or for some shipped results {COARSER_STEP}, until
the overall change passes {UNTIL_DAMAGE}. Without enough seeds, the verdict *cannot be told*.

:small[`core/pruning/random.py`, `core/pruning/random_neuron.py`, `core/findings/comparable.py`]
"""

VERDICT = rf"""
The claim of the experiment that this app started from is that lower layers outlast upper ones. Under random removal
they nearly always do, too. So the verdict asks whether a method favours lower layers *more than chance*. Its rules
were fixed in advance: attention blocks, mean over tokens, an overall change of {amount_text(DAMAGE)}. Let $s$ be the
standard deviation of the gaps of the control's $k$ seeds, and $e$ the jackknife standard error of $\Delta$ over $n$
examples, paired example by example:

$$
\begin{{aligned}}
\Delta &= \text{{gap}} - \operatorname*{{mean}}_{{\text{{seeds}}}} \text{{gap}} \\
h &= \sqrt{{\bigl(t_{{0.975,\,k-1}} \, s \sqrt{{1 + 1/k}}\bigr)^2 + \bigl(t_{{0.975,\,n-1}} \, e\bigr)^2}}
\end{{aligned}}
$$

The half-width $h$ has two parts: the first covers another draw of the control, the second other examples.

| Verdict | if |
|---|---|
| **steeper than chance**: the upper half holds more change | $\Delta - h > 0$ and $\Delta \ge {SMALLEST_DIFFERENCE}$ |
| **flatter than chance**: the upper half holds less change | $\Delta + h < 0$ and $\Delta \le -{SMALLEST_DIFFERENCE}$ |
| **as by chance**: no difference worth telling | $\lvert\Delta\rvert + h \le {SMALLEST_DIFFERENCE}$ |
| **cannot be told** | otherwise |

At an overall change of {amount_text(DAMAGE)}, a gap of {SMALLEST_DIFFERENCE} is
{percent(smallest_share(DAMAGE)).removesuffix(" %")} percentage points of the share; smaller differences count as none.

It also cannot be told, and the page says so, with fewer than {CONTROL_SEEDS["weight"]} matched seeds
({CONTROL_SEEDS["neuron"]} for units) or {FEW_EXAMPLES} examples, in steps that are too coarse, where that overall
change is never reached or similarity is undefined, where the model reaches it only beyond its working range, and where
it had no lead to begin with.

- **Sensitivity.** The same is judged at {_sensitivity()}, and stands beside it.
- **A control that is broken.** Where the median seed is outside *its* working range, the verdict says so: the method
  is then compared with models that no longer work.
- **Within the halves.** A half can hide what single layers do. So the layer that differs most from the seeds' mean is
  named, and whether it differs more than any seed does from the mean of the others, scaled to one draw. With $k$
  seeds that happens by luck one time in $k + 1$.
- **Several verdicts** in one table are corrected for their number by Holm's method; a difference must survive that.

A verdict is about one checkpoint. A claim about networks in general takes several: over checkpoints that differ only in
the seed, the Grid page gives the mean share ± its standard deviation from one to another, and counts the verdicts.

:small[`core/sweep/control_contrast.py`, `core/findings/claim.py`, `core/findings/verdicts.py`,
`core/findings/spread.py`]
"""

# ---------------------------------------------------------------- survival

SURVIVAL = rf"""
A layer stays **intact up to** the amount at which its own CKA first falls below {SURVIVAL_THRESHOLD}, interpolated
linearly between two amounts; files call this its *survival*. Where it never falls, the bar ends at the last amount
measured and says “>”. The threshold is a convention; the tables also show 0.8 and 0.95. Look at the floor before you
call a layer robust.

**Other seeds** say what such a number is worth: how similar the same layer is in two fine-tunes that differ only in the
seed, unpruned, on the same examples, from the least to the most similar pair. If pruning leaves a layer more
similar to itself than that, it has changed the layer less than another seed would.

**Layers pruned alone.** Ordinary pruning adds up over the layers. The *isolated effect* of a layer is 1 minus the own
CKA of its own output when it alone is pruned, at several amounts. Their order counts as *reversed* only if the lower
half changes more than the upper half, beyond the paired interval and by more than under random removal of as many
weights (at least {ONE_LAYER_SEEDS} seeds), which itself orders them neither way.

**The depth gap** $D$ is what the first version of this program judged by, and stands under *Details* for comparison:
the mean area under a layer's curve, of the lower half of the layers minus that of the upper half. Much of it is the
change of models that no longer work, and no verdict rests on it.

$$
\begin{{aligned}}
D &= \operatorname*{{mean}}_{{\text{{lower half}}}} A_l - \operatorname*{{mean}}_{{\text{{upper half}}}} A_l \\
A_l &= \frac{{1}}{{a_{{\max}}}} \int_0^{{a_{{\max}}}} \mathrm{{CKA}}_l(a) \, da
\end{{aligned}}
$$

Kendall's $\tau_b$ between depth and the amount up to which a layer stays intact is a description: layers are not a
sample, so there is no p-value over them.

:small[`core/sweep/statistics.py`, `core/findings/yardstick.py`, `core/findings/isolated.py`]
"""

# ---------------------------------------------------------------- accuracy

ACCURACY = r"""
**Accuracy** is the share of evaluation examples with the correct label. CoLA, MRPC and QQP also have **Matthews
correlation**, the last two **F1** as well; Messages and tasks made from a checkpoint's own labels have Matthews
correlation and **macro-F1**, the mean F1 of the labels that occur among the examples. The dashed line is what always
answering the majority class would reach.

**Changed predictions** are the share of examples whose prediction is no longer the unpruned model's, correct or
incorrect. Accuracy can stand still while predictions change both ways. An example *flips* at the first amount at which
that happens.

**Jensen–Shannon divergence** says how far the output probabilities have moved, also where the prediction stands. With
$p$ and $q$ for the probabilities of the labels before and after pruning, it is

$$
\begin{aligned}
\mathrm{JSD} &= \tfrac12 \sum_y p_y \log_2 \frac{p_y}{m_y} + \tfrac12 \sum_y q_y \log_2 \frac{q_y}{m_y} \\
m &= \tfrac12 (p + q)
\end{aligned}
$$

in bits, averaged over the examples: 0 for equal probabilities, 1 where they exclude each other.

Two results on the same examples are compared by McNemar's exact test wherever both have removed equally much,
corrected by Holm's method for the number of amounts.

:small[`core/sweep/metrics.py`, `core/sweep/divergence.py`, `core/findings/compare.py`, `core/findings/sentences.py`;
a sentence of one's own: `core/sweep/predict.py`]
"""

# ---------------------------------------------------------------- intervals

INTERVALS = rf"""
All are 95 % intervals over the choice of examples; $h$ also covers the control's seeds. The **delete-one jackknife**
computes everything again without each of the $n$ examples, which gives $\theta_1, \dots, \theta_n$, and

$$
\theta \pm t_{{0.975,\,n-1}} \sqrt{{\frac{{n-1}}{{n}} \sum_m (\theta_m - \bar\theta)^2}}
$$

| Number | Interval |
|---|---|
| own CKA, partial CKA, isolated effect | jackknife of $\log(1 - \text{{own CKA}})$ |
| $D$ | jackknife |
| gap, share and profile at equal overall change | jackknife; without each example, it is reached at another amount |
| difference of two results on the same examples | jackknife of the differences, example by example |
| method less control | $h$ above: jackknife and seeds together |
| intact up to | inversion: the amounts at which the interval of own CKA holds the threshold |
| accuracy, changed predictions | Wilson |
| Matthews correlation, F1, macro-F1 | bootstrap over examples, drawn within each label |
| $M(a) - M(0)$, for the range shown broken | percentile bootstrap over examples, paired, {DRAWS:,} draws |
| Jensen–Shannon divergence | jackknife of its logarithm |
| working range, *all tokens* | none |

What light pruning changes is skewed: a few examples carry most of it. On the plain scale, intervals of an own CKA near
1 would be too narrow. On the scale of $\log(1 - \text{{own CKA}})$ they hold, if Student's $t$ has only the degrees of
freedom that the examples support: $2n / (\kappa - 1)$ with the kurtosis $\kappa$ of the $\log(1 - \theta_m)$, at most
$n - 1$ (Satterthwaite 1946). The divergence has the same skew and the same remedy.

An interval of “intact up to” that reaches the last amount measured ends there “or beyond”. `python -m
benchmarks.coverage` measures how often each kind holds the truth. No interval covers another fine-tuning run or
another data set.

:small[`core/sweep/statistics.py`, `core/sweep/metrics.py`, `core/sweep/working_range.py`, `core/sweep/divergence.py`]
"""

# ---------------------------------------------------------------- limits

LIMITS = f"""
**Sentence length passes for similarity.** With *all tokens*, padding is zero in every layer at once (the published code
counted it), so that two layers agree on which sentences are long, whatever they do with the words. The padding alone,
without a word, can have a CKA of 0.9 with an unpruned layer. Every result with all tokens stores this value; prefer
*mean over tokens*.

**Pruning accumulates.** Some decline with depth is expected of any method, and of chance. Look at the random control,
at the floor and at the isolated layers before you call a layer fragile or robust.

**A wrecked model teaches little.** Beyond the working range, similarity describes a model that no longer does its
task.

**CKA can mislead.** It falls when a few examples move far, or when a group of them is shifted as a whole, although
the classes stay as separable as they were; it can often be moved without changing what the model does (Davari et al.
2022, arXiv 2210.16156). A low CKA says that the arrangement has changed, not that knowledge is lost: read it beside
accuracy and changed predictions.

**Few examples are noisy.** Below {FEW_EXAMPLES}, small differences may be noise. The intervals cover the choice of
examples only: neither another fine-tuning run nor another data set.

**One checkpoint is one checkpoint.** Nothing here generalises by itself to another model, task or amount.

**The written examples** are balanced, were written for this project and are no benchmark; they are there so that
everything works without a network.
"""

# ---------------------------------------------------------------- result files

RESULT_FILES = """
A result is one JSON file. Its name is a digest of everything that decides its numbers: checkpoint, examples, pruning,
points, measures, amounts and engine version. The same request gives the same numbers, **bit for bit on one machine**
with one number of threads. Another processor or thread count rounds differently; `python -m core.verify RESULT.json`
computes frames again and says how far they are off.

**Files of an earlier version** (schema 1) are refused: they lack most of what the pages show. Compute such a result
again in the Lab or with `python -m core.precompute`.

:small[`core/results/schema.py`, `core/verify.py`]
"""
