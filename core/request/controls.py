"""The sweeps beside a method's: random controls in small steps, and the other methods."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Literal

from core.request.amounts import DEFAULT_AMOUNTS, stepped_amounts
from core.request.catalog import CONTROL_SEEDS, DEFAULT_EXAMPLES, FEW_EXAMPLES, METHODS
from core.request.limits import limits
from core.request.scope import half_scopes, layer_scopes, run_of
from core.request.sweep_request import SweepRequest, usual_scope

# A change that may decide an inconclusive verdict.
Remedy = Literal["all seeds", "larger amounts", "more examples", "random removal", "smaller steps"]

UNTIL_DAMAGE = 0.3  # the largest damage at which results are compared
LARGEST = 0.95  # amount
SMALL_STEP = 0.01
COARSER_STEP = 0.02
SMALL_STEPS = stepped_amounts(SMALL_STEP, LARGEST)
# Where amounts or bytes are bounded. Random removal may reach damage 0.05 by amount 0.05, and a
# verdict needs two amounts before it.
FIRST_STEPS = stepped_amounts(SMALL_STEP, 0.05)
COARSER_STEPS = tuple(sorted({*FIRST_STEPS, *stepped_amounts(COARSER_STEP, LARGEST)}))
ONE_LAYER_SEEDS = 3
ALONE_AMOUNTS: tuple[float, ...] = (0.0, 0.3, 0.5, 0.7, 0.9)  # for a layer pruned alone


def controls(request: SweepRequest, seeds: Iterable[int]) -> Iterator[SweepRequest]:
    """Yield a method's control by each seed: as many weights or units of each matrix or layer."""
    control = METHODS[request.method].control
    assert control is not None  # a method, not a control
    shared = replace(request, method=control, control_of=request.method, range_examples="subset")
    for seed in seeds:
        yield replace(shared, seed=seed)


def until_damaged(request: SweepRequest) -> SweepRequest:
    """Return a request with small steps that stops at the largest damage compared."""
    is_finest = request.amounts == smallest_steps()
    steps = request.amounts if is_finest else small_steps()
    return replace(request, amounts=steps, until_damage=UNTIL_DAMAGE, range_examples="subset")


def small_steps() -> tuple[float, ...]:
    """Return amounts in small steps; on a hosted server, as many coarser ones as it allows."""
    most = limits().amounts
    return SMALL_STEPS if len(SMALL_STEPS) <= most else COARSER_STEPS[:most]


def smallest_steps() -> tuple[float, ...]:
    """Return small steps and smaller ones before them, for methods that damage a model at once."""
    first = stepped_amounts(SMALL_STEP / 5, 2 * SMALL_STEP)
    amounts = {*first, *small_steps()}
    return tuple(sorted(amounts)[: limits().amounts])


def likely_amounts(request: SweepRequest) -> int:
    """Estimate the number of amounts that a sweep measures: all, unless it stops at a damage."""
    if request.until_damage is None:
        return len(request.amounts)
    controlled = request.control_of
    stop = METHODS[controlled or request.method].likely_stop
    if not controlled:
        stop *= 2
    return sum(amount <= stop for amount in request.amounts)


def judged_beside(request: SweepRequest) -> tuple[SweepRequest, ...]:
    """Return the sweeps that judge a method besides its own; none for a control.

    These are the seeds of its control. For units, the method itself in small steps precedes them,
    since it damages a model soon. A run of layers is compared at equal amounts, which its control
    shares.
    """
    method = METHODS[request.method]
    if method.is_random:
        return ()
    if run_of(request.scope) is not None:
        return tuple(controls(request, range(ONE_LAYER_SEEDS)))
    stopped = until_damaged(request)
    seeds = controls(stopped, range(CONTROL_SEEDS[method.granularity]))
    if method.granularity == "neuron" and request.amounts != stopped.amounts:
        return (stopped, *seeds)
    return tuple(seeds)


def each_alone(request: SweepRequest, num_layers: int) -> tuple[SweepRequest, ...]:
    """Return the sweeps that prune each layer, and each half, alone: by a method, then at random.

    Args:
        request: A whole sweep by a weight method.
        num_layers: The model's encoder layers.
    """
    whole = replace(request, points="layer", until_damage=None, range_examples="subset")
    amounts = dict.fromkeys(layer_scopes(num_layers), ALONE_AMOUNTS)
    # Half of two layers is one of them.
    amounts |= dict.fromkeys(half_scopes(num_layers), DEFAULT_AMOUNTS)
    alone = [replace(whole, scope=scope, amounts=steps) for scope, steps in amounts.items()]
    return (*alone, *(control for sweep in alone for control in judged_beside(sweep)))


def every_method(request: SweepRequest, model_type: str = "") -> tuple[SweepRequest, ...]:
    """Return the same sweep by every method that an architecture allows, in its default scope."""
    whole = replace(request, control_of=None, seed=0, until_damage=None)
    return tuple(
        replace(whole, method=name, scope=usual_scope(name))
        for name, method in METHODS.items()
        if not method.is_random and method.suits(model_type)
    )


def deciding(request: SweepRequest, remedy: str) -> SweepRequest:
    """Return a request whose verdict is likelier to be decided than before, by a `Remedy`."""
    if remedy == "more examples":
        doubled = 2 * (request.num_examples or DEFAULT_EXAMPLES)
        count = min(max(doubled, FEW_EXAMPLES), limits().examples)
        return replace(request, num_examples=count)
    if remedy == "smaller steps":
        return replace(request, amounts=smallest_steps(), until_damage=UNTIL_DAMAGE)
    if remedy == "larger amounts":
        return replace(request, amounts=stepped_amounts(0.05, LARGEST), until_damage=None)
    return request  # seeds of its random control are added to it
