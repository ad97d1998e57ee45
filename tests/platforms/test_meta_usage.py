"""What Meta's usage headers ask for, and that no header of any shape does harm."""

from __future__ import annotations

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.core.model import Advice, Reply
from pipeline.platforms.meta_replies import advice, read

NAMES = ("x-app-usage", "x-business-use-case-usage", "x-ad-account-usage")
KEYS = "call_count total_time total_cputime acc_id_util_pct estimated_time_to_regain_access reset_time_duration".split()
VALUES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
ENTRIES = st.dictionaries(st.sampled_from(KEYS) | st.text(max_size=3), VALUES, max_size=4)
SHAPES = ENTRIES | st.dictionaries(st.text(max_size=3), st.lists(ENTRIES | VALUES, max_size=3) | VALUES, max_size=3)
# Header values as aiohttp gives them: bytes that are no UTF-8 come as lone surrogates.
TEXTS = st.text(st.characters(codec=None, categories=None), max_size=30)
HEADERS = st.dictionaries(
    st.sampled_from((*NAMES, "retry-after")), SHAPES.map(lambda shape: orjson.dumps(_plain(shape)).decode()) | TEXTS
)


def reply(headers: dict[str, str], status: int = 200) -> Reply:
    """Return an answer with these headers."""
    return Reply(status, headers, b'{"error":{"code":4}}')


@pytest.mark.parametrize(
    ("header", "text", "expected"),
    [
        ("x-app-usage", '{"call_count":74,"total_time":1,"total_cputime":2}', Advice()),
        ("x-app-usage", '{"call_count":1,"total_time":75,"total_cputime":2}', Advice(0.5)),
        ("x-app-usage", '{"call_count":1,"total_time":2,"total_cputime":90}', Advice(0.5, 60.0)),
        ("x-ad-account-usage", '{"acc_id_util_pct":89.9,"reset_time_duration":0}', Advice(0.5)),
        ("x-business-use-case-usage", '{"1":[{"call_count":3},{"call_count":80}],"2":[{"call_count":1}]}', Advice(0.5)),
        ("x-business-use-case-usage", '{"1":[{"call_count":3}],"2":[{"total_time":100}]}', Advice(0.5, 60.0)),
    ],
)
def test_usage(header: str, text: str, expected: Advice) -> None:
    """From 75 % of any limit on the lane halves its rate, from 90 % on it is silent for a minute."""
    assert expected == advice(reply({header: text}))


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "null", "{not json", '{"call_count":"99"}', '{"1":[99]}', "\udc80", "9"]
)
def test_c49_malformed(text: str) -> None:
    """A malformed usage header asks for nothing."""
    assert Advice() == advice(reply(dict.fromkeys(NAMES, text)))


@given(HEADERS)
def test_c49_any_headers(headers: dict[str, str]) -> None:
    """Whatever the headers are, the advice lies in its range."""
    found = advice(reply(headers))

    assert (True, True) == (found.factor in (0.5, 1.0), found.pause_seconds in (0.0, 60.0))


@given(HEADERS)
def test_c49_any_wait(headers: dict[str, str]) -> None:
    """Whatever the headers are, a throttle waits between nothing and an hour, or as usual."""
    wait = getattr(read(reply(headers, 400), 1), "wait", -1)

    assert wait is None or 0.0 <= wait <= 3600.0


def _plain(shape: object) -> object:
    """Return a value that JSON can hold."""
    if isinstance(shape, dict):
        return {key: _plain(value) for key, value in shape.items()}
    if isinstance(shape, list):
        return [_plain(value) for value in shape]
    return float(shape) if isinstance(shape, int) and abs(shape) > 2**53 else shape
