"""What the sandbox says of what Google's code would send, without a socket."""

from __future__ import annotations

from google_events import SECRETS, google

from pipeline.core.model import Batch, Reply, Shaped, Verdict
from pipeline.sandbox.contract import Call
from pipeline.sandbox.controls import Controls
from pipeline.sandbox.google import INGEST, Google
from pipeline.sandbox.google_outcome import GoogleKnobs


def judged(found: Shaped, now: float) -> Verdict:
    """Send one event to a sandbox of its own at `now`, and read the answer."""
    sender = google()
    request = sender.request(Batch([found.payload], found.group), SECRETS)
    call = Call(1, request.method, {}, {}, request.headers, body=request.body, route=INGEST)
    answer = Google(Controls(), GoogleKnobs()).judge(call, now).reply
    return sender.read(Reply(answer.status, answer.headers, answer.body), 1)
