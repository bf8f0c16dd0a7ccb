"""Markdown of a game's front page → HTML. No raw HTML, no pictures, no links but plain ones."""

from markdown_it import MarkdownIt
from markupsafe import Markup

from server.caches import SizedCache

# "js-default" escapes raw HTML and refuses javascript:, vbscript:, file: and data: links.
_MARKDOWN = MarkdownIt("js-default", {"linkify": False, "typographer": False}).disable(["image"])


def to_html(text: str) -> Markup:
    """The text as HTML that is safe to put into a page. Its headings begin at the third level."""
    return _pages.get(text, lambda: _html(text), len)


_pages: SizedCache[str, Markup] = SizedCache(4 * 1024 * 1024)  # sizes in characters of HTML


def _html(text: str) -> Markup:
    tokens = _MARKDOWN.parse(text)
    for token in tokens:
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{min(6, int(token.tag[1:]) + 2)}"
    return Markup(_MARKDOWN.renderer.render(tokens, _MARKDOWN.options, {}))  # noqa: S704
