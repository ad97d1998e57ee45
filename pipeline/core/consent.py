"""Consent decides first: whether an event may go to an advertising platform at all.

What counts is the customer's choice on the use of data for advertising (`ad_user_data`), and on personalized
advertising too where the destination's policy names it. Elsewhere a refused personalization stops no event: platforms
that can take it as a flag get the flag.
Nothing is parked for later sending: an event that may not go now is settled as skipped.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal, get_args

from pipeline.core.contract import Body, Consent, ConsentChoice
from pipeline.core.destination import ConsentPolicy, Treatment
from pipeline.core.model import Skipped
from pipeline.core.normalize.place import country
from pipeline.core.reason import Reason

# ISO 3166-1 alpha-2 in lower case: the European Economic Area, and the territories of its members that have a code of
# their own and lie within it (Treaty on the Functioning of the European Union, article 355: Åland, the outermost
# regions of France).
EEA: Final = frozenset(
    "at be bg hr cy cz dk ee fi fr de gr hu ie it lv lt lu mt nl pl pt ro sk si es se is li no "
    "ax gf gp mf mq re yt".split()
)
NOWHERE: Final = "nowhere"
ELSEWHERE: Final = "*"
_DAY_MS: Final = 86_400_000

# What consent decided on one event for one destination; the word is the metric's label.
Decision = Literal["granted", "unknown_sent", "denied", "unknown_skipped", "expired_skipped"]
DECISIONS: Final[tuple[Decision, ...]] = get_args(Decision)
# What becomes of an event that does not go; what is not here goes.
SKIPPED: Final[Mapping[Decision, Skipped]] = {
    "denied": Skipped(Reason.CONSENT_DENIED),
    "unknown_skipped": Skipped(Reason.CONSENT_UNKNOWN),
    "expired_skipped": Skipped(Reason.CONSENT_EXPIRED),
}


class ConsentGate:
    """One destination's policy, made ready once, so that asking it costs little."""

    def __init__(self, policy: ConsentPolicy) -> None:
        self._purposes = tuple(sorted(policy.purposes))
        days = policy.expires_after_days
        self._lifetime_ms = None if days is None else days * _DAY_MS
        self._sends = _by_place(policy.unknown)
        self._sends_elsewhere = policy.unknown.get(ELSEWHERE) == "send"

    def decide(self, body: Body) -> Decision:
        """Return what consent says of an event. A grant recorded after the event counts: the producer knew of it."""
        consent = body["consent"]
        granted = True
        for purpose in self._purposes:
            choice = consent[purpose]
            if choice != "GRANTED":
                if choice == "DENIED":
                    return "denied"
                granted = False
        if granted and (self._lifetime_ms is None or not _is_expired(body, self._lifetime_ms)):
            return "granted"
        if self._sends_unknown(body):
            return "unknown_sent"
        return "expired_skipped" if granted else "unknown_skipped"

    def words(self, body: Body) -> str:
        """Return why consent decides as it does, without customer data; empty when everything is granted."""
        consent = body["consent"]
        decision = self.decide(body)
        if decision == "granted":
            return ""
        if decision == "denied":
            return f"consent: {self._named(consent, 'DENIED')} was denied"
        missing = self._named(consent, "UNKNOWN")
        choice = f"no choice on {missing} is recorded" if missing else "the recorded choice is too old"
        # Where a customer is, is customer data: only that nobody said it is told.
        place = "a place that is not known" if place_of(body) is None else "the place"
        said = "send" if decision == "unknown_sent" else "skip"
        return f"consent: {choice}, and `unknown` says {said} for {place}"

    def _named(self, consent: Consent, choice: ConsentChoice) -> str:
        return ", ".join(f"`{purpose}`" for purpose in self._purposes if consent[purpose] == choice)

    def _sends_unknown(self, body: Body) -> bool:
        place = place_of(body)
        if place is None:
            return self._sends.get(NOWHERE, False)
        region = region_of(body)
        found = self._sends.get(region) if region is not None else None
        return self._sends.get(place, self._sends_elsewhere) if found is None else found


def _is_expired(body: Body, lifetime_ms: int) -> bool:
    recorded_at = body["consent"]["recorded_at"]
    return recorded_at is not None and body["occurred_at"] - recorded_at > lifetime_ms


def place_of(body: Body) -> str | None:
    """Return the country whose rules apply, alpha-2 in lower case: where consent was asked, else where they live."""
    region = body["consent"]["region"]
    asked = country(region.partition("-")[0]) if region else None
    if asked is not None:
        return asked
    home = body["customer"]["country"]
    return country(home) if home else None


def region_of(body: Body) -> str | None:
    """Return the part of a country where consent was asked, as ISO 3166-2 in lower case (`us-ca`), if that was said."""
    nation, _, part = (body["consent"]["region"] or "").partition("-")
    asked = country(nation) if part else None
    return None if asked is None else f"{asked}-{part.strip().lower()}"


def _by_place(unknown: Mapping[str, Treatment]) -> Mapping[str, bool]:
    """Return whether an unknown choice is sent, by place in lower case: the group is spelled out, countries win."""
    group = dict.fromkeys(EEA, unknown["EEA"]) if "EEA" in unknown else {}
    single = {place.lower(): treatment for place, treatment in unknown.items() if place not in {"EEA", ELSEWHERE}}
    return {place: treatment == "send" for place, treatment in {**group, **single}.items()}
