"""What must never be shown: a last look at text before it leaves the process.

Nothing relies on this to be safe; messages are built without customer data in the first place.
It is the net below: whatever looks like a token, an e-mail address or a phone number becomes a fixed word.
"""

from __future__ import annotations

import re

_EMAIL = re.compile(r"[^\s@<>\"'(),;:=/]+@[^\s@<>\"'(),;:=/]+\.[^\s@<>\"'(),;:=/]+")
# Ten digits and more with a plus in front, or with the separators that people write: an E.164 number has at most 15.
_PHONE = re.compile(r"(?<![\w.])\+\d[\d ().\-]{7,20}\d(?![\w])")
# Prefixes that vendors document for their credentials: Meta, Google (access, key), Pinterest, JWT, PEM, HTTP.
_MARKED = re.compile(
    r"EAA[A-Za-z0-9]{17,}|ya29\.[\w\-.]{10,}|AIza[\w\-]{20,}|pina_[A-Za-z0-9_\-]{10,}"
    r"|eyJ[\w\-]{8,}\.[\w\-]+(?:\.[\w\-]*)?|-----BEGIN [A-Z ]+-----[\s\S]*|(?i:bearer|basic) +[\w\-.+/=]{8,}"
    r"|(?i:access_token|client_secret|password|token)=[^\s&\"']+",
)
# What random credentials look like: long and unbroken with letters and digits (hexadecimal, base 62), or longer with
# both cases and digits (base 64 for URLs). Names of topics and UUIDs are neither, as they have dashes and one case.
_RANDOM = re.compile(
    r"(?<![A-Za-z0-9])(?=[a-zA-Z]*\d)(?=\d*[a-zA-Z])[A-Za-z0-9]{36,}"
    r"|(?<![\w\-+/=.])(?=[\w\-+=]*[A-Z])(?=[\w\-+=]*[a-z])(?=[\w\-+=]*\d)[\w\-+=]{40,}"
)


def looks_secret(text: str) -> bool:
    """Tell whether `text` looks like a credential; account ids, pixel codes and UUIDs do not."""
    return bool(_MARKED.search(text) or _RANDOM.search(text))


def mask(text: str) -> str:
    """Replace whatever looks like a credential, an e-mail address or a phone number by a fixed word."""
    if len(text) < 6:
        return text
    masked = _MARKED.sub("[secret]", text)
    masked = _EMAIL.sub("[email]", masked)
    masked = _RANDOM.sub("[secret]", masked)
    return _PHONE.sub("[phone]", masked)
