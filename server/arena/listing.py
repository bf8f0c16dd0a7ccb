"""Long lists, of which only what is asked for is read."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from sqlalchemy import Select
from sqlalchemy.orm import Session

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class Sliced(Protocol[T_co]):
    """Whatever has slices: a list that was read, or one that is still to be."""

    def __getitem__(self, part: slice, /) -> Sequence[T_co]: ...


@dataclass(frozen=True, slots=True)
class Rows(Generic[T]):
    """What a query finds, in its order. Slices have both ends."""

    session: Session
    query: Select[T]

    def __getitem__(self, part: slice, /) -> Sequence[T]:
        start: int = part.start or 0
        return self.session.scalars(self.query.offset(start).limit(part.stop - start)).all()

    def __iter__(self) -> Iterator[T]:
        return iter(self.session.scalars(self.query).all())
