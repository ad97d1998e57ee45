"""The closed list of reasons: one word is the dead-letter header, the metric label and the runbook heading.

Whatever becomes of a delivery other than acceptance has one of these names, and so has every state in which
the worker waits.
A test holds the list against the runbook.
"""

from __future__ import annotations

from enum import StrEnum


class Reason(StrEnum):
    """Why a delivery was skipped or refused, or why a lane or the worker waits."""

    # -- skipped: settled without sending, by design, and counted -------------------------------------------
    # The record has a key and no value: there is no event in it.
    TOMBSTONE = "tombstone"
    # No destination's rule wants this event.
    NOT_ROUTED = "not_routed"
    # The customer refused the use of data for advertising.
    CONSENT_DENIED = "consent_denied"
    # Nobody recorded a choice, and the destination's policy does not send without one.
    CONSENT_UNKNOWN = "consent_unknown"
    # The choice was recorded so long before the event that the destination's policy counts it as none.
    CONSENT_EXPIRED = "consent_expired"
    # The customer limited the use of the data, and the platform cannot be told so for this event.
    LIMITED_USE = "limited_use"
    # The platform has no event for this (a refund outside Google, a lost lead).
    NO_PLATFORM_EVENT = "no_platform_event"
    # An order was taken back in part, and the event does not say what is left of its value.
    NO_REMAINING_VALUE = "no_remaining_value"
    # The destination has no account of the platform for the place where it happened: a store, an app, a CRM.
    NOT_SET_UP = "not_set_up"
    # The same event with the same bytes was accepted by this destination a moment ago.
    DUPLICATE = "duplicate"

    # -- refused: goes to the dead-letter topic ------------------------------------------------------------------
    # The bytes are not what the schema they name says.
    UNDECODABLE = "undecodable"
    # The registry does not know the schema that the record names.
    SCHEMA_UNKNOWN = "schema_unknown"
    # The writer's schema cannot be resolved to ours.
    SCHEMA_INCOMPATIBLE = "schema_incompatible"
    # The event decodes, and breaks a rule of the contract or of the platform's documentation.
    INVALID_EVENT = "invalid_event"
    # Nothing in the event that the platform could match to a person.
    NO_MATCH_KEY = "no_match_key"
    # Older than the platform takes.
    EXPIRED = "expired"
    # Further in the future than clocks drift.
    FUTURE = "future"
    # One event alone is larger than a request may be.
    OVERSIZE = "oversize"
    # The platform looked at this event and refused it.
    REJECTED = "rejected"
    # The platform answered success and did not confirm the number of events.
    UNCONFIRMED = "unconfirmed"
    # A record on the replay topic that does not say whom it is for, or names nobody whom this worker serves.
    MISADDRESSED = "misaddressed"

    # -- later: the lane waits and tries again, no event is to blame ------------------------------------------
    # No answer, a broken answer, or the platform's own fault.
    OUTAGE = "outage"
    # The platform asks for fewer requests.
    THROTTLED = "throttled"
    # An answer that no table knows; tried again before anyone is blamed.
    UNKNOWN_ANSWER = "unknown_answer"

    # -- halt: the lane stops until the cause is mended; a person is needed ------------------------------------
    # The token is missing, wrong, expired or revoked.
    UNAUTHORIZED = "unauthorized"
    # The account, the permission or the linking is wrong.
    MISCONFIGURED = "misconfigured"
    # The platform blocked the account for a while.
    BLOCKED = "blocked"
    # The platform takes no more requests today.
    QUOTA_SPENT = "quota_spent"
    # Nearly everything is refused for one cause: that is configuration, not events.
    ALL_REJECTED = "all_rejected"

    # -- hold: the whole worker stops taking records, and forgets none ---------------------------------------------
    # As much is in flight as the limits allow.
    BACKPRESSURE = "backpressure"
    # The schema registry does not answer.
    REGISTRY_DOWN = "registry_down"
    # Kafka does not take the dead letters.
    DEAD_LETTERS_DOWN = "dead_letters_down"
    # Kafka does not take the receipts of what a platform accepted and judges later.
    RECEIPTS_DOWN = "receipts_down"
    # More was refused than the dead-letter budget allows.
    BUDGET_SPENT = "budget_spent"
