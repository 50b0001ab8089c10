"""The sweeps beside a method's: random controls in small steps up to the damages compared, and other methods."""

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
SMALL_STEP, COARSER_STEP = 0.01, 0.02
SMALL_STEPS = stepped_amounts(SMALL_STEP, 0.95)
# For bounded amounts or bytes. Random removal may reach damage 0.05 by 0.05, and a verdict needs two amounts before it.
COARSER_STEPS = tuple(
    sorted({*stepped_amounts(SMALL_STEP, 0.05), *stepped_amounts(COARSER_STEP, 0.95)})
)
ONE_LAYER_SEEDS = 3
ALONE_AMOUNTS: tuple[float, ...] = (0.0, 0.3, 0.5, 0.7, 0.9)  # for a layer pruned alone


def controls(request: SweepRequest, seeds: Iterable[int]) -> Iterator[SweepRequest]:
    """Yield a method's random controls: as many weights or units of each matrix or layer, one request per seed."""
    control = METHODS[request.method].control
    assert control is not None  # a method, not a control
    for seed in seeds:
        yield replace(
            request, method=control, control_of=request.method, seed=seed, range_examples="subset"
        )


def until_damaged(request: SweepRequest) -> SweepRequest:
    """Return a request with small steps that stops once the largest damage compared is reached."""
    steps = smallest_steps() if request.amounts == smallest_steps() else small_steps()
    return replace(request, amounts=steps, until_damage=UNTIL_DAMAGE, range_examples="subset")


def small_steps() -> tuple[float, ...]:
    """Return amounts in small steps; on a hosted server, as many coarser ones as it allows."""
    most = limits().amounts
    return SMALL_STEPS if len(SMALL_STEPS) <= most else COARSER_STEPS[:most]


def smallest_steps() -> tuple[float, ...]:
    """Return small steps with smaller ones before them, for methods that change the layers within the first two."""
    return tuple(sorted({*stepped_amounts(SMALL_STEP / 5, 2 * SMALL_STEP), *small_steps()}))[
        : limits().amounts
    ]


def coarser_controls(request: SweepRequest) -> tuple[SweepRequest, ...]:
    """Return the seeds of a method's control in coarser steps, for a method whose own amounts are fine enough."""
    coarser = replace(until_damaged(request), amounts=COARSER_STEPS)
    return tuple(controls(coarser, range(CONTROL_SEEDS[METHODS[request.method].granularity])))


def likely_amounts(request: SweepRequest) -> int:
    """Estimate the number of amounts that a sweep measures: all, unless it stops at a damage."""
    if request.until_damage is None:
        return len(request.amounts)
    controlled = request.control_of
    stop = (
        METHODS[controlled].likely_stop if controlled else 2 * METHODS[request.method].likely_stop
    )
    return sum(amount <= stop for amount in request.amounts)


def judged_beside(request: SweepRequest) -> tuple[SweepRequest, ...]:
    """Return the sweeps that judge a method besides its own; none for a control.

    These are the seeds of its control. For units, the method itself in small steps precedes them, since it damages a
    model soon. A run of layers is compared at equal amounts, which its control shares.
    """
    if METHODS[request.method].is_random:
        return ()
    if run_of(request.scope) is not None:
        return tuple(controls(request, range(ONE_LAYER_SEEDS)))
    in_small_steps, granularity = until_damaged(request), METHODS[request.method].granularity
    itself = (
        (in_small_steps,)
        if granularity == "neuron" and request.amounts != in_small_steps.amounts
        else ()
    )
    return (*itself, *controls(in_small_steps, range(CONTROL_SEEDS[granularity])))


def each_alone(request: SweepRequest, num_layers: int) -> tuple[SweepRequest, ...]:
    """Return the sweeps that prune each layer and each half of the layers alone, by a method, then at random.

    Args:
        request: A whole sweep by a weight method.
        num_layers: The model's encoder layers.
    """
    whole = replace(request, points="layer", until_damage=None, range_examples="subset")
    amounts = dict.fromkeys(layer_scopes(num_layers), ALONE_AMOUNTS)
    amounts |= dict.fromkeys(
        half_scopes(num_layers), DEFAULT_AMOUNTS
    )  # half of two layers is one of them
    alone = [replace(whole, scope=scope, amounts=steps) for scope, steps in amounts.items()]
    return (*alone, *(control for sweep in alone for control in judged_beside(sweep)))


def every_method(request: SweepRequest, model_type: str = "") -> tuple[SweepRequest, ...]:
    """Return the same sweep by every method defined for an architecture, in its default scope; none is a control."""
    whole = replace(request, control_of=None, seed=0, until_damage=None)
    names = [
        name for name, method in METHODS.items() if method.control and method.suits(model_type)
    ]
    return tuple(replace(whole, method=name, scope=usual_scope(name)) for name in names)


def deciding(request: SweepRequest, remedy: str) -> SweepRequest:
    """Return a request whose verdict is likelier to be decided than an inconclusive one, by a `Remedy`."""
    if remedy == "more examples":
        count = max(2 * (request.num_examples or DEFAULT_EXAMPLES), FEW_EXAMPLES)
        return replace(request, num_examples=min(count, limits().examples))
    if remedy == "smaller steps":
        return replace(request, amounts=smallest_steps(), until_damage=UNTIL_DAMAGE)
    if remedy == "larger amounts":
        return replace(request, amounts=stepped_amounts(0.05, 0.95), until_damage=None)
    return request  # seeds of its random control are added to it
