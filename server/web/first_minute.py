"""What who has never played is shown once: how surprise is counted, on one sentence. The usual judge's own numbers."""

from dataclasses import dataclass

from server.web.i18n import _, localised

FRAME = "Topic: {}\n---\n"
SENTENCE = "She poured herself a cup of"
HINT = "milking the cows"


@dataclass(frozen=True, slots=True)
class Guess:
    """A word that might come next. bits: what it costs; hinted: what it costs after the hint."""

    word: str
    bits: float
    hinted: float

    @property
    def chance(self) -> str:
        percent = 100 * 2**-self.bits
        if percent >= 1:
            return _("{percent} %", percent=f"{percent:.0f}")
        return _("one in {number}", number=localised(f"{round(2**self.bits, -2):,.0f}"))


GUESSES = (
    Guess("coffee", 0.7, 1.0),
    Guess("tea", 4.2, 3.8),
    Guess("milk", 9.2, 5.7),
    Guess("gravel", 17.6, 15.0),
)
EXAMPLE = GUESSES[2]
