"""Every relative link of every page leads somewhere, and every page can be reached."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

_BLOCK = re.compile(r"^(?P<fence>`{3,})[^\n]*\n.*?^(?P=fence)$", re.MULTILINE | re.DOTALL)
_CODE = re.compile(r"`[^`\n]+`")
_LINK = re.compile(r"\[[^\]]*\]\((?P<target>[^)\s]+)\)")
_MENTION = re.compile(r"`(?P<name>\w+)` in \[[^\]]*\]\((?P<target>[^)\s#]+\.py)\)")
_HEADING = re.compile(r"^#{1,6} +(?P<title>.+?) *$", re.MULTILINE)
_ELSEWHERE = ("http://", "https://", "mailto:")


def pages() -> list[Path]:
    folders = ("docs", "examples")
    return [*sorted(ROOT.glob("*.md")), *(page for folder in folders for page in sorted((ROOT / folder).rglob("*.md")))]


def name_of(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def links(text: str) -> Iterator[str]:
    """The targets of the relative links in a page; code has none."""
    for link in _LINK.finditer(_CODE.sub("", _BLOCK.sub("", text))):
        if not link["target"].startswith(_ELSEWHERE):
            yield link["target"]


def anchors(text: str) -> set[str]:
    """The anchors that headings get: small letters, hyphens for spaces, all but letters, digits, - and _ left out."""
    titles = (heading["title"].lower() for heading in _HEADING.finditer(_BLOCK.sub("", text)))
    return {re.sub(r"[^\w\- ]", "", title).replace(" ", "-") for title in titles}


def is_resolved(link: str, page: Path) -> bool:
    path, _, anchor = link.partition("#")
    target = page.parent / path if path else page
    if not target.exists():
        return False
    return not anchor or anchor in anchors(target.read_text(encoding="utf-8"))


def is_defined(name: str, file: Path) -> bool:
    """Whether a Python file defines a class, a function or a value of that name."""
    return (
        re.search(rf"^\s*(?:class|def) {name}\b|^{name}\b.*=", file.read_text(encoding="utf-8"), re.MULTILINE)
        is not None
    )


@pytest.mark.parametrize("page", pages(), ids=name_of)
def test_relative_links_lead_somewhere(page: Path) -> None:
    broken = [link for link in links(page.read_text(encoding="utf-8")) if not is_resolved(link, page)]

    assert not broken


@pytest.mark.parametrize("page", pages(), ids=name_of)
def test_what_is_said_to_stand_in_a_file_stands_there(page: Path) -> None:
    mentions = _MENTION.finditer(page.read_text(encoding="utf-8"))
    moved = [mention[0] for mention in mentions if not is_defined(mention["name"], page.parent / mention["target"])]

    assert not moved


def test_every_page_is_linked_from_the_first() -> None:
    index = ROOT / "docs" / "index.md"
    linked = {(index.parent / link.partition("#")[0]).resolve() for link in links(index.read_text(encoding="utf-8"))}
    written = {page.resolve() for page in (ROOT / "docs").rglob("*.md") if page.parent.name != "changes"}

    assert written - linked == {index}


def test_a_link_to_what_does_not_exist_is_found(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    text = (
        "# The `one` heading\n[a](#the-one-heading) [b](#another) [c](gone.md) [d](https://example.org) `[e](f.md)`\n"
    )
    page.write_text(text)

    assert [link for link in links(text) if not is_resolved(link, page)] == ["#another", "gone.md"]
