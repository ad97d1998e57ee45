"""The sandbox: a local stand-in for the ad platforms' conversions APIs.

It judges requests by the platforms' published rules and remembers what it accepted.
Invariant: it imports nothing else of this project, so it can disagree with the sender.

| file | what it holds |
|---|---|
| contract | the words that the server and a platform share: call, reply, verdict |
| controls | what can be turned while it runs: access, usage figures, events to reject |
| faults | which requests go wrong, and how |
| memory, journal, stats | what was received before, what was accepted, and how much of everything |
| meta, meta_* | Meta's rules; a further platform is one more class that fits `contract.Platform` |
| wire, exchange | one request: fault, verdict, journal, answer |
| admin, page, server | the endpoints for people and tests, and the server itself |
| command | the command line |
"""
