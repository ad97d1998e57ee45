"""docs/platforms/adding.md: its example is a platform that runs, and what it names is there."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from types import ModuleType

import orjson
import pytest
from meta_events import WHEN, order
from meta_events import activity as any_activity

from pipeline.core.destination import ConsentPolicy, Destination, Rule
from pipeline.core.model import Accepted, Batch, Doubt, Halt, Later, NoReply, Reply, Shaped, Skipped
from pipeline.core.reason import Reason
from pipeline.platforms.base import Platform, PlatformKind

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "platforms" / "adding.md").read_text(encoding="utf-8")
EXAMPLE = re.findall(r"^```python\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
PAYLOAD = {
    "name": "buy",
    "time": int(WHEN),
    "id": "order_placed:A-1001",
    "email": [sha256(b"jane@example.com").hexdigest()],
}


@pytest.fixture
def acme() -> Iterator[ModuleType]:
    """The example of the page as a module."""
    module = ModuleType("acme")
    sys.modules[module.__name__] = module
    exec(compile(EXAMPLE[0], "adding.md", "exec"), module.__dict__)
    yield module
    del sys.modules[module.__name__]


@pytest.fixture
def kind(acme: ModuleType) -> PlatformKind:
    """What the example would add to `PLATFORMS`."""
    found = acme.KIND
    assert isinstance(found, PlatformKind)
    return found


@pytest.fixture
def opened(kind: PlatformKind) -> Platform:
    """A destination on the example's platform."""
    return kind.open(
        Destination("acme-1", kind.name, "7", "live", Rule(), ConsentPolicy(), kind.defaults, {"token": "acme_token"})
    )


def test_example_is_small() -> None:
    """There is one example, of fewer than sixty lines that fit the house's width."""
    lines = EXAMPLE[0].splitlines()

    assert (1, True) == (len(EXAMPLE), len(lines) < 60)
    assert [] == [line for line in lines if len(line) > 120]


def test_example_shapes(opened: Platform) -> None:
    """An order is written with its hash, one without an e-mail is refused, and what has no name is skipped."""
    one = {"event_id": None, "customer.emails": ["Jane@Example.com"]}
    shaped = opened.shape(order(one))
    assert isinstance(shaped, Shaped)

    assert PAYLOAD == orjson.loads(shaped.payload)
    assert (WHEN, 7 * 86_400.0 - 1800.0) == (shaped.not_before, shaped.expires_at - WHEN)
    assert Reason.NO_MATCH_KEY is getattr(opened.shape(order({"customer.emails": []})), "reason", None)
    assert Skipped(Reason.NO_PLATFORM_EVENT) == opened.shape(any_activity())


def test_example_asks(opened: Platform) -> None:
    """A request holds the batch's payloads as they are, and the token in no address."""
    request = opened.request(Batch([b'{"a":1}', b'{"b":2}']), {"token": "secret-token"})

    assert (b'[{"a":1},{"b":2}]', "https://acme.example/v1/events?account=7") == (request.body, request.url)
    assert "secret-token" in request.headers.values()


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        (Reply(200, {}, b'{"taken":2}'), Accepted),
        (Reply(200, {}, b'{"taken":1}'), Later),
        (Reply(400, {}, b"{}"), Doubt),
        (Reply(413, {}, b""), Doubt),
        (Reply(401, {}, b""), Halt),
        (Reply(302, {}, b""), Halt),
        (Reply(429, {}, b""), Later),
        (Reply(503, {}, b"\xff"), Later),
        (NoReply("timeout"), Later),
    ],
    ids=str,
)
def test_example_reads(opened: Platform, reply: Reply | NoReply, expected: type) -> None:
    """Each answer is read as the page says of it."""
    assert expected is type(opened.read(reply, 2))


@pytest.mark.parametrize("name", sorted(set(re.findall(r"`((?:pipeline|tests)/[\w./]+)`", PAGE))))
def test_named_places_exist(name: str) -> None:
    """Every file and folder of the repository that the page names is there."""
    assert (ROOT / name).exists()


def test_named_modules_exist() -> None:
    """Every module of the table of what is alike is there."""
    _, _, rest = PAGE.partition("What is alike everywhere is there already:")
    names = re.findall(r"^\| `(\w+\.py)` ", rest, re.MULTILINE)

    assert [] == [name for name in names if not (ROOT / "pipeline" / "platforms" / name).exists()]
    assert len(names) == 6
