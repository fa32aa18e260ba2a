"""Reading the page's HTML as a browser would, and what holds for all of it."""

from __future__ import annotations

from html.parser import HTMLParser

from hypothesis import strategies as st

HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)> **粗** [链接](http://example.com) & \"引\" '号'"
# Any words, those with a meaning in HTML, Markdown or TeX often among them.
WORDS = st.text(alphabet=st.characters(codec="utf-8") | st.sampled_from("<>&\"'[]()*`$\n\r\u2028{}"), max_size=40)

OWN_TAGS = {"a", "article", "br", "details", "div", "h1", "h2", "header", "li", "mark", "ol", "p", "section", "span"}
OWN_TAGS |= {"summary", "table", "td", "th", "tr", "h3", "figure", "figcaption", "svg", "line", "circle", "text"}
OWN_ATTRIBUTES = {"class", "href", "id", "title", "role", "aria-label", "width", "height", "x", "y", "text-anchor"}
OWN_ATTRIBUTES |= {"x1", "x2", "y1", "y2", "cx", "cy", "r"}


class Reader(HTMLParser):
    """What a browser would see: tags, attributes, and the text with <br> as a line break."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str]] = []
        self.text = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += [(name, value or "") for name, value in attrs]
        self.text += "\n" if tag == "br" else ""

    def handle_data(self, data: str) -> None:
        self.text += data

    def values(self, name: str) -> list[str]:
        return [value for key, value in self.attributes if key == name]


def assert_only_own_markup(html: str) -> Reader:
    """Only tags, attributes and links that the page itself draws; returns what was read."""
    page = Reader(html)
    assert page.tags <= OWN_TAGS
    assert {name for name, _ in page.attributes} <= OWN_ATTRIBUTES
    assert all(value.startswith("#source-") for value in page.values("href"))
    return page
