"""Links of the documentation lead somewhere, and nothing in the repository knows the machine it was made on."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")), *ROOT.glob("CHANGELOG.md")]
# Whoever installs packages decides from where; the repository must work with any registry.
REGISTRIES = re.compile(
    r"pypi\.org/simple|files\.pythonhosted\.org|repo1\.maven\.|registry\.npmjs\.|--(?:extra-)?index[-]url[ =]\S*://"
)
HOMES = re.compile(r"(?<![\w.~])/(?:home/\w\w|Users/\w\w|root/\w)")


def prose(page: Path) -> str:
    """Return a page without its code blocks."""
    return re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)


def anchors(page: Path) -> set[str]:
    """Return the anchors of a page's headings, as GitHub makes them."""
    found: dict[str, int] = {}
    for heading in re.findall(r"^#+ (.+)$", prose(page), re.MULTILINE):
        anchor = re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
        found[anchor] = found.get(anchor, -1) + 1
    return {f"{anchor}-{number}" if number else anchor for anchor, last in found.items() for number in range(last + 1)}


def links(page: Path) -> list[str]:
    """Return where the relative links and images of a page lead."""
    targets = re.findall(r"\]\(([^)\s]+)\)", re.sub(r"`[^`\n]*`", "", prose(page)))
    return [target for target in targets if not urlsplit(target).scheme]


def broken(page: Path) -> Iterator[str]:
    """Give the links of a page that lead to no file, or to no heading in it."""
    for target in links(page):
        name, _, anchor = target.partition("#")
        file = (page.parent / name).resolve() if name else page
        if not file.exists() or (anchor and anchor not in anchors(file)):
            yield target


def tracked() -> list[Path]:
    """Return the files of the repository: those that git knows, or would take up."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    names = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\0")
    return [ROOT / name for name in names if name and (ROOT / name).is_file()]


def places_of_this_machine() -> list[str]:
    """Return this checkout, the folders beside it, and where packages come from here."""
    beside = [ROOT, *ROOT.parent.iterdir()] if len(ROOT.parts) > 2 else []
    told = [os.environ.get(f"{tool}_{name}", "") for tool in ("PIP", "UV") for name in ("INDEX_URL", "FIND_LINKS")]
    sources = {urlsplit(word).hostname or word for text in told for word in text.split()} - {"localhost", "127.0.0.1"}
    # A folder such as /opt would be found in places where it means another one.
    return [text for text in (*map(str, beside), *sources) if len(text.strip("/")) > 3 and text.count("/") != 1]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    """Every relative link points to a file, and to a heading in it, that exists."""
    assert [] == list(broken(page))


def test_every_page_can_be_reached() -> None:
    """From the README, link by link, a reader comes to every page of docs/."""
    reached, new = set[Path](), [ROOT / "README.md"]
    while new:
        page = new.pop()
        reached.add(page)
        files = [(page.parent / target.partition("#")[0]).resolve() for target in links(page)]
        new += [file for file in files if file.suffix == ".md" and file.exists() and file not in reached]

    assert set() == {page for page in PAGES if page.parent != ROOT} - reached


def test_nothing_names_this_machine() -> None:
    """No line carries a path of this machine or the address of a package registry."""
    places = re.compile("|".join(map(re.escape, places_of_this_machine())) or "(?!)")
    found = [
        f"{file.relative_to(ROOT)}:{number}"
        for file in tracked()
        for number, line in enumerate(file.read_text(encoding="utf-8", errors="replace").splitlines(), 1)
        if places.search(line) or REGISTRIES.search(line) or HOMES.search(line)
    ]

    assert [] == found
