"""Why Meta refuses an event, and the words it says it in.

The codes are Meta's; where a subcode is known only from reports of real answers, docs/sandbox.md says so.
Invariant: no text built here holds a value from an event, only the place where it stood.
"""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.sandbox.controls import Language

INVALID_PARAMETER = 100

TOO_OLD = 2804003
PURCHASE_INCOMPLETE = 2804009
SCHEMA = 2804019
BAD_EXTINFO = 2804043
TOO_FEW_KEYS = 2804050
CHANNEL_MISSING = 2804063
MESSAGING_NAME = 2804066
CLICK_ID = 2804087
PAGE_MISSING = 2804116


@dataclass(frozen=True, slots=True)
class Flaw:
    """One reason against one event: a subcode (None: plain code 100), the place, and what is wrong there.

    `sender_fault` names a mistake that Meta would take without a word and that only a sender's bug can make.
    """

    subcode: int | None
    path: tuple[str | int, ...]
    note: str
    sender_fault: str | None = None


TEXTS: dict[int, dict[Language, tuple[str, str]]] = {
    TOO_OLD: {
        "en": ("Event Timestamp Too Old", "An event in this request happened too long ago to be accepted."),
        "fr": ("Horodatage trop ancien", "Un évènement de cette requête est trop ancien pour être accepté."),
    },
    PURCHASE_INCOMPLETE: {
        "en": ("Purchase Value or Currency Missing", "A purchase needs a value and a currency."),
        "fr": ("Valeur ou devise manquante", "Un achat doit comporter une valeur et une devise."),
    },
    SCHEMA: {
        "en": ("Server Side Api Parameter Error", "The parameter at {path} is not valid: {note}"),
        "fr": ("Erreur de paramètre de l’API serveur", "Le paramètre {path} n’est pas valable : {note}"),
    },
    BAD_EXTINFO: {
        "en": ("Invalid Extended Device Information", "The extinfo of an app event is not valid."),
        "fr": ("Informations d’appareil non valables", "Le champ extinfo d’un évènement n’est pas valable."),
    },
    TOO_FEW_KEYS: {
        "en": ("Customer Information Too Broad", "An event lacks the customer information to be matched."),
        "fr": ("Informations client insuffisantes", "Un évènement manque d’informations client pour l’associer."),
    },
    CHANNEL_MISSING: {
        "en": ("Messaging Channel Missing", "A messaging event needs a messaging channel."),
        "fr": ("Canal de messagerie manquant", "Un évènement de messagerie doit indiquer son canal."),
    },
    MESSAGING_NAME: {
        "en": ("Event Name Not Allowed", "This event name cannot be used for messaging."),
        "fr": ("Nom d’évènement non autorisé", "Ce nom d’évènement est exclu pour la messagerie."),
    },
    CLICK_ID: {
        "en": ("Invalid Click ID", "The ctwa_clid of a messaging event is missing or not valid."),
        "fr": ("Identifiant de clic non valable", "Le ctwa_clid d’un évènement manque ou n’est pas valable."),
    },
    PAGE_MISSING: {
        "en": ("Page ID Missing", "A messaging event needs a page ID."),
        "fr": ("Identifiant de page manquant", "Un évènement de messagerie doit indiquer sa page."),
    },
}
OTHER: dict[Language, tuple[str, str]] = {
    "en": ("Invalid Event", "An event in this request cannot be accepted."),
    "fr": ("Évènement non valable", "Un évènement de cette requête ne peut être accepté."),
}


def json_path(path: tuple[str | int, ...]) -> str:
    """Write a place in a request as Meta does: `$['data'][3]['user_data']`."""
    return "$" + "".join(f"[{part}]" if isinstance(part, int) else f"['{part}']" for part in path)


def texts(flaw: Flaw, language: Language) -> tuple[str, str]:
    """Return the title and the message for a person; only the schema fault (2804019) says where."""
    title, message = TEXTS.get(flaw.subcode or 0, OTHER)[language]
    if flaw.subcode == SCHEMA:
        message = message.format(path=json_path(flaw.path), note=flaw.note)
    if flaw.sender_fault:
        title = f"[sandbox: {flaw.sender_fault}] {title}"
    return title, message
