"""The states of the United States and the provinces of Canada: names to two-letter codes.

Keys are lower-case letters without accents, spaces and punctuation; every code is also a key of its own.
Sources: USPS Publication 28 appendix B (states, possessions, military), Canada Post addressing guidelines.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

_UNITED_STATES: Final = """
al Alabama; ak Alaska; az Arizona; ar Arkansas; ca California; co Colorado; ct Connecticut; de Delaware;
dc District of Columbia|Washington DC; fl Florida; ga Georgia; hi Hawaii; id Idaho; il Illinois; in Indiana;
ia Iowa; ks Kansas; ky Kentucky; la Louisiana; me Maine; md Maryland; ma Massachusetts; mi Michigan; mn Minnesota;
ms Mississippi; mo Missouri; mt Montana; ne Nebraska; nv Nevada; nh New Hampshire; nj New Jersey; nm New Mexico;
ny New York|New York State; nc North Carolina; nd North Dakota; oh Ohio; ok Oklahoma; or Oregon; pa Pennsylvania;
ri Rhode Island; sc South Carolina; sd South Dakota; tn Tennessee; tx Texas; ut Utah; vt Vermont; va Virginia;
wa Washington|Washington State; wv West Virginia; wi Wisconsin; wy Wyoming;
as American Samoa; gu Guam; mp Northern Mariana Islands; pr Puerto Rico;
vi Virgin Islands|US Virgin Islands|United States Virgin Islands;
aa Armed Forces Americas; ae Armed Forces Europe; ap Armed Forces Pacific
"""
_CANADA: Final = """
ab Alberta; bc British Columbia|Colombie Britannique; mb Manitoba; nb New Brunswick|Nouveau Brunswick;
nl Newfoundland and Labrador|Newfoundland|Labrador|Terre Neuve et Labrador; ns Nova Scotia|Nouvelle Ecosse;
nt Northwest Territories|Territoires du Nord Ouest; nu Nunavut; on Ontario;
pe Prince Edward Island|Ile du Prince Edouard; qc Quebec; sk Saskatchewan; yt Yukon|Yukon Territory
"""


def _codes(table: str) -> Mapping[str, str]:
    codes: dict[str, str] = {}
    for entry in table.split(";"):
        code, _, names = entry.strip().partition(" ")
        codes[code] = code
        codes.update((name.replace(" ", "").lower(), code) for name in names.split("|"))
    return MappingProxyType(codes)


UNITED_STATES: Final = _codes(_UNITED_STATES)
"""States, the District of Columbia, territories and military post: `newyork` to `ny`, `ny` to `ny`."""

CANADA: Final = _codes(_CANADA)
"""Provinces and territories, by English and French names: `quebec` to `qc`, `qc` to `qc`."""
