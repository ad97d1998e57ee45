"""The page for a person: the figures of the sandbox as one plain HTML document that reloads itself.

Invariant: no script, no asset from elsewhere, and every value is escaped.
"""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

RELOAD_S = 2
STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 46rem; padding: 0 1rem;
       color: #1c2024; background: #fff }
h1 { font-size: 1.3rem } h2 { font-size: 1rem; margin: 1.6rem 0 .3rem }
table { border-collapse: collapse; width: 100% }
td { border-top: 1px solid #d9dde1; padding: .25rem 0 } td:last-child { text-align: right }
td:last-child { font-variant-numeric: tabular-nums } p { color: #5b6570 }
@media (prefers-color-scheme: dark) { body { color: #e6e8ea; background: #16181b } td { border-color: #33383d }
       p { color: #9aa4ae } }
"""
TITLES = {
    "refused": "Requests not answered with success",
    "faults": "Faults injected",
    "sender_faults": "Faults of the sender",
    "notices": "Notices",
    "events_per_request": "Events per request",
}


def render(figures: Mapping[str, object], faults: list[dict[str, object]]) -> str:
    """Return the page for a snapshot of the statistics and the faults in force."""
    totals = {
        "Requests": figures["requests"],
        "Events accepted": figures["accepted"],
        "Duplicates": figures["duplicates"],
        "Test events": figures["test_events"],
        "Requests in the last full second": _last_second(figures["requests_per_second"]),
    }
    tables = [_table("Totals", totals)]
    for name, title in TITLES.items():
        counts = figures[name]
        if isinstance(counts, dict) and counts:
            tables.append(_table(title, counts))
    if faults:
        in_force = {f"{number}. {fault['kind']}": f"{fault['hits']} hits" for number, fault in enumerate(faults, 1)}
        tables.append(_table("Faults in force", in_force))
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="refresh" content="{RELOAD_S}"><title>capi-pipeline sandbox</title>'
        f"<style>{STYLE}</style></head><body><h1>capi-pipeline sandbox</h1>"
        "<p>A local stand-in for the ad platforms. Nothing leaves this machine.</p>"
        f"{''.join(tables)}</body></html>"
    )


def _table(title: str, rows: Mapping[str, object]) -> str:
    cells = "".join(
        f"<tr><td>{escape(str(name))}</td><td>{escape(str(value))}</td></tr>" for name, value in rows.items()
    )
    return f"<h2>{escape(title)}</h2><table>{cells}</table>"


def _last_second(seconds: object) -> object:
    return seconds[-2][1] if isinstance(seconds, list) and len(seconds) > 1 else 0
