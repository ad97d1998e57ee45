"""Every target by its name: each takes any bytes, calls the real code, and raises when a promise is broken."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from decoding import decoder
from headers import headers
from json_form import json_form
from normalizing import normalizing
from promises import Target, guarded
from replies import replies
from shaping import shaping
from writers import schemas

TARGETS: Final[Mapping[str, Target]] = {
    "decoder": guarded(decoder),
    "schemas": guarded(schemas),
    "headers": guarded(headers),
    "replies": guarded(replies),
    "normalizing": guarded(normalizing),
    "shaping": guarded(shaping),
    "json_form": guarded(json_form),
}
