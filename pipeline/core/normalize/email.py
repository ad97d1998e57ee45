"""E-mail addresses: trimmed and in lower case, or left out; Gmail's aliases are folded for Google only.

Exactly one `@`, a dot inside the domain, no white space, no control characters, and no sign of a list or of a
display name (`,;<>`).
A hash of any kind has no `@` and is left out here: SHA-256 is passed on before (`digest.ready_hash`), MD5 matches
on no platform.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from pipeline.core.normalize.text import folded

# Printable ASCII without "," ";" "<" ">" "@", and for the labels of the domain without ".".
_ASCII: Final = re.compile(r"[!-+\--:=?A-~]+@(?:[!-+\-/-:=?A-~]+\.)+[!-+\-/-:=?A-~]+").fullmatch
_UNICODE: Final = re.compile(
    r"[^\s@,;<>\x00-\x1f\x7f-\x9f]+@(?:[^\s@,;<>.\x00-\x1f\x7f-\x9f]+\.)+[^\s@,;<>.\x00-\x1f\x7f-\x9f]+"
).fullmatch
_GMAIL: Final = frozenset({"gmail.com", "googlemail.com"})


# The platforms of one event ask for the same address one after the other.
@lru_cache(maxsize=16)
def email(raw: str) -> str | None:
    """Return the address trimmed and in lower case; dots and `+tag` stay (Meta, TikTok, Pinterest, Snapchat)."""
    if raw.isascii():
        text = raw.strip().lower()
        return text if _ASCII(text) else None
    text = folded(raw)
    return text if _UNICODE(text) else None


def email_without_gmail_aliases(raw: str) -> str | None:
    """As `email`; at gmail.com and googlemail.com also without dots and `+tag` in the local part (Google).

    googlemail.com stays googlemail.com (Data Manager API, "format user data").
    """
    address = email(raw)
    if address is None:
        return None
    local, _, domain = address.partition("@")
    if domain not in _GMAIL:
        return address
    local = local.partition("+")[0].replace(".", "")
    return f"{local}@{domain}" if local else None
