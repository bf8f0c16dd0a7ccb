"""Which engine a judge runs on: the fastest that gives what the model itself gives.

    buckets   on CUDA: many sequences at a time in fixed shapes
    lean      on a CPU: the commonest models written out in few steps, over packed layers
    packed    on a CPU: transformers' own steps, over packed layers
    plain     transformers as it is

Each is tried in this order and compared on a made-up text with the plain model; the first that is close enough runs.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass

import torch

from judge.engine.lean import Unsuitable
from judge.engine.network import Network
from judge.engine.trial import stand_trial
from judge.errors import JudgeError, one_line
from judge.loading.model import context_length, load_model
from judge.loading.source import Source

log = logging.getLogger(__name__)

FAST_ON_A_CPU = ("lean", "packed")
# The greatest difference on one token that other kernels may make, as a share of what a token of the probe costs:
# in bfloat16, with eight bits to a number, the plain model itself is up to 2 % from its float32. A wrong computation
# is off by a tenth and more.
TOLERANCE = {torch.float32: 1e-4, torch.bfloat16: 0.03}


@dataclass(frozen=True, slots=True)
class Engine:
    """What computes, and why that and nothing faster."""

    name: str
    reason: str


def choose(source: Source, *, dtype: str, device: torch.device) -> tuple[Network, Engine]:
    """The model on the fastest engine that suits it. Raises JudgeError where the model cannot be a judge."""
    network = _network(source, dtype, device)
    context = context_length(network.model)
    stand_trial(network, context, source.name)
    expected = network.probe(context)
    refused: list[str] = []
    for name in FAST_ON_A_CPU if device.type == "cpu" else ():
        try:
            network.speed_up(name)
            difference = network.check(expected, context, TOLERANCE[network.dtype])
        except Unsuitable as error:  # the model is as it was
            refused.append(f"{name} cannot run it ({error})")
            continue
        except Exception as error:  # its own code asks of a layer what a packed one does not have
            refused.append(f"{name} fails with it ({one_line(error)})")
        else:
            if difference <= TOLERANCE[network.dtype]:
                return network, _told(source, dtype, Engine(name, _reason(refused, f"{difference:.1e} from plain")))
            refused.append(f"{name} differs by {difference:.1e} of a token's bits")
        log.warning("judge %s in %s: the engine %s", source.name, dtype, refused[-1])
        tried, network = network, _network(source, dtype, device)
        network.vocabulary, network.keeps_state = tried.vocabulary, tried.keeps_state
    network.check(expected, context, TOLERANCE[network.dtype])
    name = "buckets" if device.type == "cuda" and network.supports_logits_to_keep else "plain"
    return network, _told(source, dtype, Engine(name, _reason(refused, "on CUDA" if device.type == "cuda" else "")))


def _network(source: Source, dtype: str, device: torch.device) -> Network:
    model = load_model(source, dtype=dtype, device=device)
    try:
        return Network(model)
    except Exception as error:  # embeddings of a kind of its own
        raise JudgeError(f"{source.name} cannot be run as a causal language model: {one_line(error)}") from error


def _reason(refused: list[str], chosen: str) -> str:
    return "; ".join([*refused, *([chosen] if chosen else [])])


def _told(source: Source, dtype: str, engine: Engine) -> Engine:
    log.info("judge %s in %s runs on the engine %s: %s", source.name, dtype, engine.name, engine.reason)
    return engine
