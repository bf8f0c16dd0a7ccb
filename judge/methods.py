"""Ways to go on with a text, and how people spell them. Needs no PyTorch.

greedy                        always the likeliest token
sampling                      each token as often as the judge finds it likely
temperature=0.7               the same, with logits divided by the temperature
top-k=40 top-p=0.9 min-p=0.05 typical=0.9      after a cut; several, joined by commas, apply one after the other
beam=4                        the likeliest text that keeping so many beginnings finds
"""

from __future__ import annotations

from dataclasses import dataclass

MOST_TEMPERATURE = 100.0  # of a method that is spelled: there every token is about as likely as any other
MOST_BEAMS = 16


@dataclass(frozen=True, slots=True)
class Sampling:
    """How the next token is drawn. The cuts apply in this order, each to what the one before left.

    `temperature` divides the logits; 0 is greedy. `top_k`: only the k likeliest tokens (Fan et al. 2018).
    `top_p`: only the fewest likeliest tokens that together have at least p (Holtzman et al. 2020). `min_p`: only
    tokens at least p times as likely as the likeliest (Nguyen et al. 2024). `typical_p`: only the fewest tokens that
    together have at least p, those first whose surprise is nearest to the entropy (Meister et al. 2023). Raises
    ValueError out of range.
    """

    temperature: float = 1.0
    top_k: int | None = None
    top_p: float | None = None
    min_p: float | None = None
    typical_p: float | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.temperature < float("inf"):
            raise ValueError(f"temperature must be 0 or more, not {self.temperature}")
        if self.top_k is not None and self.top_k < 1:
            raise ValueError(f"top_k must be 1 or more, not {self.top_k}")
        for name, share in (("top_p", self.top_p), ("min_p", self.min_p), ("typical_p", self.typical_p)):
            if share is not None and not 0 < share <= 1:
                raise ValueError(f"{name} must be above 0 and at most 1, not {share}")


@dataclass(frozen=True, slots=True)
class Beam:
    """Keep so many of the likeliest beginnings. Raises ValueError for none."""

    beams: int

    def __post_init__(self) -> None:
        if self.beams < 1:
            raise ValueError(f"beam search needs at least 1 beam, not {self.beams}")


Method = Sampling | Beam

GREEDY = Sampling(temperature=0)
SPELLED = {"top-k": "top_k", "top-p": "top_p", "min-p": "min_p", "typical": "typical_p", "temperature": "temperature"}
USUAL = ("greedy", "sampling", "temperature=0.7", "top-k=40", "top-p=0.9", "min-p=0.1", "typical=0.9", "beam=4")


def parse(said: str) -> Method:
    """The method that is spelled so. Raises ValueError where there is none."""
    parts = [part.strip() for part in said.split(",")]
    if parts == ["greedy"]:
        return GREEDY
    if parts == ["sampling"]:
        return Sampling()
    values: dict[str, float] = {}
    for part in parts:
        name, _, number = part.partition("=")
        if name == "beam" and len(parts) == 1:
            return _beam(_whole("beam", number))
        if name not in SPELLED or name in values:
            known = ", ".join(f"{each}=…" for each in SPELLED)
            raise ValueError(f"no method {said[:40]!r}: say greedy, sampling, beam=… or, joined by commas, {known}")
        values[name] = _whole(name, number) if name == "top-k" else _number(name, number)
    _check(values)
    return Sampling(**{SPELLED[name]: value for name, value in values.items()})  # type: ignore[arg-type]


def spelled(method: Method) -> str:
    """The one way to spell a method that `parse` reads back."""
    if isinstance(method, Beam):
        return f"beam={method.beams}"
    if method == GREEDY:
        return "greedy"
    values = {name: getattr(method, field) for name, field in SPELLED.items()}
    if values["temperature"] == 1:
        del values["temperature"]
    return ",".join(f"{name}={value}" for name, value in values.items() if value is not None) or "sampling"


def _beam(beams: int) -> Beam:
    if beams > MOST_BEAMS:
        raise ValueError(f"beam search keeps at most {MOST_BEAMS} beginnings here, not {beams}")
    return Beam(beams)


def _check(values: dict[str, float]) -> None:
    """What `Sampling` does not refuse, or not in these words."""
    temperature = values.get("temperature", 1.0)
    if temperature == 0:
        raise ValueError("temperature must be above 0: at 0 only the likeliest token is left, which is greedy")
    if not 0 < temperature <= MOST_TEMPERATURE:
        raise ValueError(f"temperature must be above 0 and at most {MOST_TEMPERATURE:g}, not {temperature:g}")
    if values.get("top-k", 1) < 1:
        raise ValueError(f"top-k must be 1 or more, not {values['top-k']}")
    for name in ("top-p", "min-p", "typical"):
        if not 0 < values.get(name, 1) <= 1:
            raise ValueError(f"{name} must be above 0 and at most 1, not {values[name]:g}")


def _whole(name: str, said: str) -> int:
    try:
        return int(said)
    except ValueError:
        raise ValueError(f"{name} takes a whole number, as in {name}=4, not {said[:20]!r}") from None


def _number(name: str, said: str) -> float:
    try:
        return float(said)
    except ValueError:
        raise ValueError(f"{name} takes a number, as in {name}=0.9, not {said[:20]!r}") from None
