"""What can be turned while the sandbox runs."""

from __future__ import annotations

import pytest

from pipeline.sandbox.controls import Access, Rejection, Usage, rejection_from


def test_secrets_are_not_shown() -> None:
    """No representation shows a token or the app secret."""
    access = Access(frozenset(["t-1"]), frozenset(["t-2"]), frozenset(["t-3"]), app_secret="s-1")

    assert "Access(datasets=frozenset())" == repr(access)


def test_access_is_replaced() -> None:
    """New lists take the place of the old ones, and the others stay."""
    access = Access(tokens=frozenset(["old"]), datasets=frozenset(["123"]))
    access.replace({"tokens": ["new"], "revoked": ["old"]})

    assert ("valid", "revoked") == (access.token_state("new"), access.token_state("old"))
    assert access.knows_dataset("123")


@pytest.mark.parametrize("document", [None, [], {}, {"token": ["a"]}, {"tokens": "a"}, {"tokens": [1]}])
def test_refused_access(document: object) -> None:
    """A list under another name, or one of other things than strings, is refused."""
    with pytest.raises(ValueError, match="access: "):
        Access().replace(document)


def test_usage_is_replaced() -> None:
    """New figures take the place of the old ones."""
    usage = Usage()
    usage.replace({"call_count": 95, "malformed": True})

    assert (95, True, 2) == (usage.call_count, usage.malformed, usage.total_time)


@pytest.mark.parametrize(
    "document",
    [
        None,
        {},
        {"calls": 1},
        {"call_count": "1"},
        {"call_count": True},
        {"malformed": 1},
        {"call_count": -1},
        {"limit_used": 1},
    ],
)
def test_refused_usage(document: object) -> None:
    """An unknown figure, a negative one or one of the wrong type is refused."""
    with pytest.raises(ValueError, match="usage: "):
        Usage().replace(document)


@pytest.mark.parametrize(
    ("pattern", "event_id", "matches"),
    [("poison-*", "poison-1", True), ("poison-*", "a-poison-1", False), ("bad", "bad", True), ("*", None, False)],
)
def test_rejection(pattern: str, event_id: object, matches: object) -> None:
    """A rejection matches event ids by a shell pattern."""
    assert matches is Rejection(pattern).matches(event_id, "meta")


@pytest.mark.parametrize(("platform", "matches"), [("meta", False), ("tiktok", True)])
def test_rejection_of_one_platform(platform: str, matches: object) -> None:
    """A rejection that names a platform is that platform's alone."""
    assert matches is Rejection("bad", platform="tiktok").matches("bad", platform)


def test_rejection_from() -> None:
    """A rejection is read from a document, with its own subcode or none."""
    document = {"event_id": "x*", "code": 105, "subcode": None, "platform": "google"}

    assert Rejection("x*", 105, None, "google") == rejection_from(document)


@pytest.mark.parametrize(
    "document",
    [None, {}, {"event_id": ""}, {"event_id": "x", "code": "1"}, {"id": "x"}, {"event_id": "x", "platform": 1}],
)
def test_refused_rejections(document: object) -> None:
    """A rejection without a pattern or with a wrong code is refused."""
    with pytest.raises(ValueError, match="rejection: "):
        rejection_from(document)
