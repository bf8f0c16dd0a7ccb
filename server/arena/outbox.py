"""What a transaction leaves to be done once it is committed. Nothing of it is needed for the rows to be true."""

from dataclasses import dataclass, field

from server.queue.messages import AnyJob


@dataclass(slots=True)
class Outbox:
    """jobs: to be put in the queue. The rest: ids of what changed, for those who wait for it; those of experiments are
    among `measurements`. trust: somebody is distrusted, or is no longer."""

    jobs: list[AnyJob] = field(default_factory=list)
    submissions: set[str] = field(default_factory=set)
    measurements: set[str] = field(default_factory=set)
    tokens: set[str] = field(default_factory=set)
    trust: bool = False
    competitions: set[str] = field(default_factory=set)
