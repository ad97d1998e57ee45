"""What fuzzing found stays found, and the targets themselves can fail."""

from __future__ import annotations

import logging
import warnings
from functools import partial

import pytest
from corpora import CORPUS, NAMES, corpus
from decoding import Decode, decoder
from plain import rehearse
from promises import BrokenPromiseError, Target, guarded, tells_nothing, watched
from targets import TARGETS

from pipeline.core.decode import Reader
from pipeline.core.model import Record, Refusal, Skipped
from pipeline.core.reason import Reason

RUNS = 1000
# Its rules are cheap, and their patterns are no steps of Python that a corpus could be chosen by.
MORE_RUNS = {"normalizing": 15_000}

every_target = pytest.mark.parametrize("name", TARGETS)


@every_target
def test_corpus_is_kept(name: str) -> None:
    """No input of the corpus breaks a promise."""
    with watched():
        for data in corpus(name):
            TARGETS[name](data)


@every_target
def test_survives_random_inputs(name: str) -> None:
    """Neither do random bytes, nor inputs of the corpus with some bytes changed; the seed is fixed."""
    rehearse(TARGETS[name], corpus(name), MORE_RUNS.get(name, RUNS))


@every_target
def test_corpus_is_small(name: str) -> None:
    """A corpus is at most sixty files and a hundred kilobytes, and there is one."""
    sizes = [len(data) for data in corpus(name)]

    assert 0 < len(sizes) <= 60
    assert sum(sizes) <= 100_000


def test_every_target_can_be_run() -> None:
    """The names that `run.py` knows are the targets, and each corpus belongs to one."""
    assert set(NAMES) == TARGETS.keys() == {path.name for path in CORPUS.iterdir()}


def _raises(_record: Record, _reader: Reader) -> Refusal:
    raise AttributeError


def _tells(record: Record, _reader: Reader) -> Refusal:
    return Refusal(Reason.UNDECODABLE, f"cannot read {record.value!r}")


def _blames_strangely(_record: Record, _reader: Reader) -> Refusal:
    return Refusal(Reason.OUTAGE, "no reason of a decoder")


def _skips(_record: Record, _reader: Reader) -> Skipped:
    return Skipped(Reason.TOMBSTONE)


@pytest.mark.parametrize(
    ("broken", "error"),
    [
        (_raises, AttributeError),
        (_tells, BrokenPromiseError),
        (_blames_strangely, BrokenPromiseError),
        (_skips, BrokenPromiseError),
    ],
)
def test_broken_decoder_is_found(broken: Decode, error: type[Exception]) -> None:
    """A decoder that raises, tells the value, blames the wrong cause or skips an event does not pass its target."""
    with pytest.raises(error):
        rehearse(partial(decoder, decode=broken), corpus("decoder"), 100)


def _logs(_: bytes) -> None:
    logging.getLogger("anything").debug("a value")


def _warns(_: bytes) -> None:
    warnings.warn("a value", stacklevel=1)


def _spins(_: bytes) -> None:
    while True:
        pass


@pytest.mark.parametrize(
    ("target", "error"), [(_logs, BrokenPromiseError), (_warns, UserWarning), (_spins, BrokenPromiseError)]
)
def test_noise_and_hanging_are_found(target: Target, error: type[Exception]) -> None:
    """A target that logs, warns or does not end breaks its promise."""
    with watched(), pytest.raises(error):
        guarded(target)(b"")


def test_only_input_counts_as_told() -> None:
    """A piece of the input is found in a message; words of our own sources, and short pieces, are no find."""
    tells_nothing("occurred_at: jane", b"jane occurred_at")

    with pytest.raises(BrokenPromiseError):
        tells_nothing("order_id: jane@example.com", b"xx jane@example.com xx")
