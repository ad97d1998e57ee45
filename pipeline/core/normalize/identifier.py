"""The shop's own ids of a customer, in two forms: a platform matches them with what its pixel sent from the browser.

Which form that was only the shop knows, so it is a choice per destination.
"""

from __future__ import annotations

from pipeline.core.normalize.text import SENTINELS, clean, composed, folded


def external_id(raw: str) -> str | None:
    """Return the id without white space, in lower case (what Meta's Parameter Builder does in the browser)."""
    # split() parts at every Unicode white space; what it brings together may have to be composed.
    text = composed("".join(folded(raw).split()))
    return None if not text or text in SENTINELS else text


def external_id_as_written(raw: str) -> str | None:
    """Return the id trimmed, case kept (TikTok, Pinterest, Snapchat; Meta where the pixel sends it as it is)."""
    text = clean(raw)
    return None if not text or text.lower() in SENTINELS else text
