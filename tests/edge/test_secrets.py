"""Secrets: from files and the environment, hidden, and read again when they change."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pipeline.edge.secrets import Secret, Secrets, variable_of


class Clock:
    """A clock that the test moves, in seconds."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        """Tell the time."""
        return self.now


@pytest.fixture
def clock() -> Clock:
    """A clock that stands at zero."""
    return Clock()


def revealed(secrets: Secrets, name: str) -> str | None:
    """Return the value of a secret."""
    secret = secrets.get(name)
    return secret.reveal() if secret else None


@pytest.mark.parametrize("shown", [repr, str, "{}".format, lambda secret: f"{[secret]}", lambda secret: f"{secret!r}"])
def test_a_secret_hides_itself(shown: object) -> None:
    """No way of formatting shows the value."""
    assert callable(shown)
    assert "hush" not in shown(Secret("hush"))


@pytest.mark.parametrize(
    ("written", "value"), [(b"hush", "hush"), (b"hush\n", "hush"), (b"hush\r\n", "hush"), (b"hush \n\n", "hush \n")]
)
def test_one_line_end_is_taken_off(tmp_path: Path, written: bytes, value: str) -> None:
    """A file's last line end is the editor's; everything else belongs to the secret."""
    (tmp_path / "token").write_bytes(written)

    assert value == revealed(Secrets(tmp_path, {}), "token")


def test_a_file_wins_over_a_variable(tmp_path: Path) -> None:
    """The file can be rotated, so it is what counts; the variable serves where there is no file."""
    (tmp_path / "one").write_text("file")
    environ = {"CAPI_SECRET_ONE": "variable", "CAPI_SECRET_META_EU_TOKEN": "other"}
    secrets = Secrets(tmp_path, environ)

    assert ("file", "other") == (revealed(secrets, "one"), revealed(secrets, "meta-eu.token"))


@pytest.mark.parametrize(
    ("written", "said"),
    [(None, "write the file"), (b"", "is empty"), (b"\n", "is empty"), (b"\xff", "is not UTF-8 text")],
)
def test_what_cannot_be_used_says_why(tmp_path: Path, written: bytes | None, said: str) -> None:
    """A missing, empty or unreadable secret is None, with a sentence that says what to do."""
    if written is not None:
        (tmp_path / "token").write_bytes(written)
    secrets = Secrets(tmp_path, {})

    assert secrets.get("token") is None
    assert said in (secrets.fault("token") or "")


@pytest.mark.parametrize("name", ["../token", "a/b", "", ".hidden", "x" * 64])
def test_a_name_is_no_path(tmp_path: Path, name: str) -> None:
    """A name cannot lead out of the folder."""
    with pytest.raises(ValueError, match="name of a secret"):
        Secrets(tmp_path, {}).get(name)


def test_rotation_is_seen_within_a_second(tmp_path: Path, clock: Clock) -> None:
    """A changed file is read again, and not looked at more often than once a second."""
    secrets = Secrets(tmp_path, {}, clock)
    (tmp_path / "token").write_text("old")
    seen = [revealed(secrets, "token")]
    (tmp_path / "token").write_text("newer")
    for clock.now in (0.9, 1.0):
        seen.append(revealed(secrets, "token"))

    assert ["old", "old", "newer"] == seen


def test_rotation_by_swapping_a_link(tmp_path: Path, clock: Clock) -> None:
    """Kubernetes swaps the link `..data`: same path, same size, other file."""
    for folder, value in (("v1", "aaa"), ("v2", "bbb")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "token").write_text(value)
    (tmp_path / "..data").symlink_to("v1")
    (tmp_path / "token").symlink_to("..data/token")
    secrets = Secrets(tmp_path, {}, clock)
    before = revealed(secrets, "token")
    (tmp_path / "..new").symlink_to("v2")
    (tmp_path / "..new").replace(tmp_path / "..data")
    clock.now = 1.0

    assert ("aaa", "bbb") == (before, revealed(secrets, "token"))


def test_versions_count_values_and_not_files(tmp_path: Path, clock: Clock) -> None:
    """A file written again with the same value is no change; another value, its loss and its return are."""
    secrets = Secrets(tmp_path, {}, clock)
    file = tmp_path / "token"
    versions = [secrets.version_of("token")]
    for clock.now, value in enumerate(["a", "a", "b", None, "b"], start=1):
        file.unlink(missing_ok=True)
        if value is not None:
            file.write_text(value)
            os.utime(file, ns=(clock.now, clock.now))
        versions.append(secrets.version_of("token"))

    assert [0, 1, 1, 2, 3, 4] == versions


def test_changed_compares_with_a_version(tmp_path: Path) -> None:
    """Whoever noted a version can ask whether the value is another one by now."""
    (tmp_path / "token").write_text("a")
    secrets = Secrets(tmp_path, {})
    version = secrets.version_of("token")

    assert (False, True) == (secrets.changed("token", version), secrets.changed("token", version - 1))


def test_values_under_the_platforms_keys() -> None:
    """A lane gets all of its values, or why the first that cannot be used cannot."""
    secrets = Secrets(None, {"CAPI_SECRET_A": "1"})

    assert {"token": "1"} == secrets.values({"token": "a"})
    assert "secret `b` is missing: set CAPI_SECRET_B" == secrets.values({"token": "a", "second": "b"})


def test_the_variable_of_a_name() -> None:
    """Capitals, with dashes and dots as underscores."""
    assert "CAPI_SECRET_META_EU_TOKEN" == variable_of("meta-eu.token")
