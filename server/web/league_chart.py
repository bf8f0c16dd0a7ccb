"""The ratings of a league's programs over its rounds, as lines: SVG for a page.

Each line ends at its program's rank and name, so that no colour has to be told from another.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape

from server.web.cut_picture import INK, SOFT
from server.web.i18n import localised
from server.web.lab_charts import framed

WIDTH, LEFT, RIGHT, TOP, HIGH = 350, 30, 232, 10, 150  # of the drawing, and where its lines are
NAMES, LETTERS, LINE = 244, 14, 14  # where names begin, their longest, and how far apart they are at least
COLOURS = 6  # that the pages' sheet has for lines
NUMBERED = 10  # rounds that have their number written, at most
STEPS = (1, 2, 5, 10, 20, 50, 100)  # of the scale
RULES = 6  # lines of the scale, at most


@dataclass(frozen=True, slots=True)
class Course:
    """A program's way. ratings: after each round of the league; None where it did not stand in it."""

    rank: int
    name: str
    ratings: Sequence[float | None]

    @property
    def carried(self) -> list[float | None]:
        """The same, where a rating holds until the next one."""
        held: float | None = None
        return [held := rating if rating is not None else held for rating in self.ratings]


@dataclass(frozen=True, slots=True)
class _Scale:
    low: float
    high: float
    count: int

    def x(self, number: int) -> float:
        """Of a round, from 0."""
        return LEFT + (RIGHT - LEFT) * (number / (self.count - 1) if self.count > 1 else 0.5)

    def y(self, rating: float) -> float:
        return TOP + HIGH * (self.high - rating) / (self.high - self.low)


def courses_svg(courses: Sequence[Course], rounds: Sequence[int], label: str) -> str:
    """The lines of these programs, best first. rounds: the numbers of the league's rounds, in its order; label: what
    the drawing shows, in words."""
    known = [rating for each in courses for rating in each.ratings if rating is not None]
    step = next((each for each in STEPS if (max(known) - min(known)) / each < RULES - 1), STEPS[-1])
    low, high = step * (min(known) // step), step * (max(known) // step + 1)
    scale = _Scale(low, high, len(rounds))
    parts = [*_grid(scale, step), *_numbers(scale, rounds)]
    ends = [next(rating for rating in reversed(each.ratings) if rating is not None) for each in courses]
    tops = _apart([scale.y(end) for end in ends])
    for number, (each, end, top) in enumerate(zip(courses, ends, tops, strict=True)):
        parts.append(f'<g class="course-{number % COLOURS}">{"".join(_line(each, scale, (scale.y(end), top)))}</g>')
        parts.append(_named(each, top))
    return framed("".join(parts), WIDTH, TOP + HIGH + 34, label, alone=False)


def _grid(scale: _Scale, step: int) -> Iterator[str]:
    rating = scale.low
    while rating <= scale.high:
        y = scale.y(rating)
        yield f'<path class="rule" d="M{LEFT} {y:.1f}H{RIGHT}" stroke="{SOFT}" stroke-width="0.5"/>'
        number = localised(f"{rating:.0f}".replace("-", "−"))
        yield f'<text x="{LEFT - 5}" y="{y + 3:.1f}" text-anchor="end" font-size="10" fill="{INK}">{number}</text>'
        rating += step


def _numbers(scale: _Scale, rounds: Sequence[int]) -> Iterator[str]:
    """Of the rounds, or of some of them where there are many; of the last in any case."""
    every = -(-len(rounds) // NUMBERED)
    for number, round_ in enumerate(rounds):
        if (len(rounds) - 1 - number) % every == 0:
            x = scale.x(number)
            yield (
                f'<text x="{x:.1f}" y="{TOP + HIGH + 16}" text-anchor="middle" font-size="10" fill="{INK}">{round_}'
                "</text>"
            )


def _apart(wanted: Sequence[float]) -> list[float]:
    """Where names stand that would stand there: none of them over another, in the same order, which goes down."""
    placed = list[float]()
    for y in wanted:
        placed.append(max(y, placed[-1] + LINE) if placed else y)
    lowest = float(TOP + HIGH + LINE)
    for place in reversed(range(len(placed))):
        placed[place] = min(placed[place], lowest)
        lowest = placed[place] - LINE
    return placed


def _line(course: Course, scale: _Scale, ends: tuple[float, float]) -> Iterator[str]:
    """A line with a dot for each round. ends: how high it ends, and the name beside it."""
    carried = [(number, rating) for number, rating in enumerate(course.carried) if rating is not None]
    points = [f"{scale.x(number):.1f},{scale.y(rating):.1f}" for number, rating in carried]
    points += [f"{RIGHT},{ends[0]:.1f}", f"{NAMES - 4},{ends[1]:.1f}"]
    yield f'<polyline points="{" ".join(points)}" fill="none" stroke="currentColor" stroke-width="1.4"/>'
    for number, rating in enumerate(course.ratings):
        if rating is not None:
            yield f'<circle cx="{scale.x(number):.1f}" cy="{scale.y(rating):.1f}" r="2" fill="currentColor"/>'


def _named(course: Course, y: float) -> str:
    name = course.name if len(course.name) <= LETTERS else f"{course.name[: LETTERS - 1]}…"
    at = f'y="{y + 3.5:.1f}" font-size="11" fill="{INK}"'
    return (
        f'<text x="{NAMES + 11}" {at} text-anchor="end" font-weight="bold">{course.rank}</text>'
        f'<text x="{NAMES + 15}" {at}>{escape(name)}</text>'
    )
