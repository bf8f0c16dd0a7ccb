"""A made-up language in which every sentence stands between marks: what a page says outside of them, nobody marked."""

import re
from gettext import NullTranslations
from html.parser import HTMLParser

BEGIN, END = "⟦", "⟧"
#: Texts of the judges' language, of people and of programs; and the names of languages and of this software.
_NOT_OURS = {"blockquote", "bdi", "code", "pre", "script", "style", "textarea", "q", "del", "dd"}
_CLASSES = {"brand", "move-text", "text", "token", "draft", "code", "words"}
_SPOKEN = {
    *("alt", "aria-label", "placeholder", "title"),
    *("data-says", "data-words", "data-your-turn"),
    *("data-live", "data-away", "data-connecting", "data-unreachable", "data-over", "data-edited"),
}
_VOID = {"input", "meta", "link", "br", "hr", "img"}
_LETTERS = re.compile(r"[^\W\d_]{2,}")
_ALLOWED = re.compile(r"Xent Arena|Thursday class|plain|UTC|https?://\S+|\(?[\w-]*[_\d][\w-]*\)?")


class Marked(NullTranslations):
    """Says every sentence between marks."""

    def gettext(self, message: str) -> str:
        return f"{BEGIN}{message}{END}" if message else message

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        return self.gettext(msgid1 if n == 1 else msgid2)


def unmarked(html: str) -> list[str]:
    """What a page says outside of the marks, in its text and in what is read aloud; and sentences without a space
    between them."""
    reader = _Reader()
    reader.feed(html)
    return reader.found + re.findall(f".{{0,40}}{END}{BEGIN}.{{0,40}}", html)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._depth = 0
        self._quiet: list[bool] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        for name in _SPOKEN & given.keys():
            self._look(_without_marked(given[name] or ""))
        if tag in _VOID:
            return
        classes = set((given.get("class") or "").split())
        ours = tag not in _NOT_OURS and not classes & _CLASSES and "lang" not in given
        self._quiet.append(not (ours or tag == "html"))

    def handle_endtag(self, tag: str) -> None:
        if tag not in _VOID and self._quiet:
            self._quiet.pop()

    def handle_data(self, data: str) -> None:
        outside = []
        for piece in re.split(f"([{BEGIN}{END}])", data):
            if piece in (BEGIN, END):
                self._depth += 1 if piece == BEGIN else -1
            elif self._depth == 0:
                outside.append(piece)
        if not any(self._quiet):
            self._look(" ".join(outside))

    def _look(self, text: str) -> None:
        if _LETTERS.search(_ALLOWED.sub("", text.strip())):
            self.found.append(text.strip())


def _without_marked(text: str) -> str:
    inner = re.compile(f"{BEGIN}[^{BEGIN}{END}]*{END}")
    while inner.search(text):
        text = inner.sub("", text)
    return text
