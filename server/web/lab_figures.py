"""How pages and files show what the lab's experiments of several readings say: their drawings, tables and words."""

from collections.abc import Iterator, Sequence

from judge import figures
from judge.figures import Sentence, Verdict
from judge.reading import Reading
from server.web.cut_picture import LONGEST, WIDTH, Bar, bars
from server.web.i18n import _
from server.web.lab_charts import Column, framed, saved_svg, tokens_svg
from server.web.score_breakdown import Piece
from server.web.surprise import STEPS

Cells = Sequence[str | float | int]


class Passages(figures.Passages):
    def svg(self, *, alone: bool = False) -> str:
        names = (_("What the context saves on each text, in bits"), _("Mean, 95 %"))
        return saved_svg(self.rows, self.saved, names, alone=alone)

    def table(self) -> Iterator[Cells]:
        yield ("text", "tokens", "bits_without", "bits_with", "saved", "entropy_without", "entropy_with")
        for row, before, after in zip(self.rows, self.before.readings, self.after.readings, strict=True):
            bits = (row.without, row.after, row.saved)
            yield (row.text, len(after.tokens), *bits, before.entropy, after.entropy)


class Answers(figures.Answers):
    def svg(self, *, alone: bool = False) -> str:
        body, height = bars([Bar(_short(each.text), each.share, each.share_apart) for each in self.answers])
        return framed(body, WIDTH, height, _("How likely each answer is"), alone=alone)

    def table(self) -> Iterator[Cells]:
        yield ("answer", "bits", "share", "log_odds", "share_without_prior", "log_odds_without_prior")
        for each in self.answers:
            yield (each.text, each.bits, each.share, each.odds, each.share_apart, each.odds_apart)


class Pairs(figures.Pairs):
    steps = STEPS

    def svg(self, *, alone: bool = False) -> str:
        texts = [(f"{number}", columns(each.reading)) for number, each in enumerate(self.sentences, 1)]
        return tokens_svg(texts, _("Bits of each token, and the entropy there as a line"), alone=alone)

    def table(self) -> Iterator[Cells]:
        yield ("sentence", "text", "bits", "tokens", "bits_a_token", "log_odds_of_yes", "log_odds_of_being_chosen")
        for number, each in enumerate(self.sentences, 1):
            count = len(each.reading.tokens)
            yield (number, each.text, each.reading.bits, count, each.bits_a_token, each.yes, each.which)

    def named_verdicts(self) -> list[tuple[str, Verdict]]:
        """Each way of asking in words, and what came of it."""
        ways: dict[figures.Way, str] = {
            "bits": _("Bits: fewer is likelier"),
            "bits_a_token": _("Bits a token"),
            "asked_alone": _("Asked whether it is true: log odds of Yes"),
            "asked_which": _("Asked which of both is true: log odds"),
        }
        return [(ways[each.way], each) for each in self.verdicts]

    @staticmethod
    def marks(sentence: Sentence) -> list[Piece]:
        """A sentence's tokens on the map."""
        found, bits = list[Piece](), 0.0
        for token in sentence.reading.tokens:
            bits += token.bits
            if token.text:  # what ends inside a character comes with no text
                found.append(Piece(token.text, bits))
                bits = 0.0
        return found


def columns(read: Reading, borders: Sequence[int] = ()) -> list[Column]:
    """A reading's tokens as they are drawn. borders: before these, from 0."""
    begins = set(borders)
    return [Column(token.text, token.bits, token.entropy, place in begins) for place, token in enumerate(read.tokens)]


def _short(text: str) -> str:
    """A text in one line of few letters."""
    shown = "".join(c if c.isprintable() else " " for c in text)
    return shown if len(shown) <= LONGEST else f"{shown[: LONGEST - 1]}…"


def reading_svg(read: Reading, borders: Sequence[int], *, alone: bool = False) -> str:
    """The bits of each token of a text and the entropy there, with the borders at which that spikes."""
    return tokens_svg(
        [("", columns(read, borders))], _("Bits of each token, and the entropy there as a line"), alone=alone
    )
