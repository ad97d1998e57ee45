"""The demo shop's customers and goods: made up, in several countries and alphabets.

Addresses are of the domains that RFC 2606 keeps for examples; phone numbers are of the ranges that the regulators keep
for fiction, and left out where a country has none; IP addresses are of the documentation ranges (RFC 5737).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Market:
    """A country the shop sells to; `rate` turns euros into `currency`, `digits` are its decimal places."""

    country: str
    currency: str
    rate: str
    digits: int
    language: str
    places: tuple[tuple[str, str | None, str | None], ...]
    people: tuple[tuple[str, str, str], ...]
    phones: tuple[str, ...] = ()


# Places are city, region and postal code; people are first name, last name and the local part of an address.
MARKETS: Final = (
    Market(
        "DE",
        "EUR",
        "1",
        2,
        "de-DE",
        (("Köln", "Nordrhein-Westfalen", "50667"), ("München", "Bayern", "80331"), ("Görlitz", "Sachsen", "02826")),
        (("Jürgen", "Müller", "juergen.mueller"), ("Anna-Lena", "Groß", "al.gross"), ("Zoë", "Weiß", "zoe+shop")),
        ("(030) 23125 014", "+49 30 23125 127", "0049 40 66969 314"),
    ),
    Market(
        "FR",
        "EUR",
        "1",
        2,
        "fr-FR",
        (("Saint-Étienne", "Auvergne-Rhône-Alpes", "42000"), ("Paris", "Île-de-France", "75011")),
        (("François", "Lefèvre", "f.lefevre"), ("Chloé", "D'Aubigné", "chloe.daubigne"), ("Noël", "Œuvrard", "noel")),
        ("01 99 00 12 34", "+33 6 39 98 56 78"),
    ),
    Market(
        "US",
        "USD",
        "1.1",
        2,
        "en-US",
        (("Menlo Park", "California", "94025"), ("New York", "NY", "10001-1234"), ("Holtsville", "New York", "00501")),
        (("Sam", "Lee", "Sam.Lee"), ("María José", "García", "mj.garcia"), ("Robert", "Smith-Jones", "bob")),
        ("(650) 555-0112", "+1 212-555-0187"),
    ),
    Market(
        "GB",
        "GBP",
        "0.85",
        2,
        "en-GB",
        (("London", None, "SW1A 1AA"), ("Stoke-on-Trent", "England", "ST1 5RB")),
        (("Siobhán", "O'Brien", "siobhan.obrien"), ("Llŷr", "ap Rhys", "llyr"), ("Amelia", "Featherstonehaugh", "af")),
        ("020 7946 0958", "+44 7700 900123"),
    ),
    Market(
        "JP",
        "JPY",
        "160",
        0,
        "ja-JP",
        (("千代田区", "東京都", "100-0001"), ("Ōsaka", None, "530-0001")),
        (("太郎", "山田", "taro.yamada"), ("さくら", "佐藤", "sakura"), ("ケンジ", "鈴木", "kenji.suzuki")),
    ),
    Market(
        "SA",
        "SAR",
        "4.1",
        2,
        "ar-SA",
        (("الرياض", None, "11564"), ("Jeddah", "Makkah", "21442")),
        (("محمد", "العتيبي", "m.alotaibi"), ("فاطمة", "الزهراني", "fatima"), ("Noura", "Al-Qahtani", "noura.q")),
    ),
    Market(
        "BR",
        "BRL",
        "6.2",
        2,
        "pt-BR",
        (("São Paulo", "SP", "01310-100"), ("Florianópolis", "Santa Catarina", "88010-400")),
        (("João", "da Conceição", "joao.conceicao"), ("Antônia", "Guimarães", "antonia"), ("Luís", "Araújo", "luis.a")),
    ),
    Market(
        "PL",
        "PLN",
        "4.3",
        2,
        "pl-PL",
        (("Łódź", "łódzkie", "90-001"), ("Kraków", "małopolskie", "31-042")),
        (("Wojciech", "Żółkiewski", "w.zolkiewski"), ("Małgorzata", "Wiśniewska", "gosia"), ("Ola", "Nowak", "ola.n")),
    ),
    Market(
        "SE",
        "SEK",
        "11.2",
        2,
        "sv-SE",
        (("Göteborg", None, "411 06"), ("Malmö", "Skåne län", "211 22")),
        (("Åsa", "Öberg", "asa.oberg"), ("Björn", "Sjögren", "bjorn"), ("Märta", "af Ugglas", "marta")),
        ("070-174 06 15", "+46 70 174 06 38"),
    ),
    Market(
        "GR",
        "EUR",
        "1",
        2,
        "el-GR",
        (("Αθήνα", "Αττική", "105 57"), ("Θεσσαλονίκη", None, "546 24")),
        (
            ("Γιώργος", "Παπαδόπουλος", "g.papadopoulos"),
            ("Ελένη", "Νικολάου", "eleni"),
            ("Φίλιππος", "Βασιλείου", "fv"),
        ),
    ),
    Market(
        "KR",
        "KRW",
        "1500",
        0,
        "ko-KR",
        (("서울특별시", None, "04524"), ("부산광역시", None, "48058")),
        (("민준", "김", "minjun.kim"), ("서연", "이", "seoyeon"), ("Ji-woo", "Park", "jiwoo.park")),
    ),
    Market(
        "IN",
        "INR",
        "95",
        2,
        "hi-IN",
        (("Bengaluru", "Karnataka", "560001"), ("मुंबई", "महाराष्ट्र", "400001")),
        (("प्रिया", "शर्मा", "priya.sharma"), ("Arjun", "Nair", "arjun"), ("Lakshmi", "Venkataraman", "lakshmi.v")),
    ),
)

# Ask-first countries among them: nothing goes to an ad platform there without a recorded yes.
ASK_FIRST: Final = frozenset({"DE", "FR", "GB", "PL", "SE", "GR"})

# What the shop calls a step of the funnel that no platform has a name for.
CUSTOM_STEP: Final = "size-chart"

# Id, title, category, price in euros.
GOODS: Final = (
    ("SKU-1001", "Wool scarf", "Accessories", "19.90"),
    ("SKU-1002", "Rain jacket", "Outerwear", "95.20"),
    ("SKU-1003", "Hiking boots", "Shoes", "129.00"),
    ("SKU-1004", "Enamel mug", "Outdoor kitchen", "12.50"),
    ("SKU-1005", "Day pack 20 l", "Bags", "74.95"),
    ("SKU-1006", "Merino socks", "Accessories", "16.00"),
    ("SKU-1007", "Head lamp", "Equipment", "39.99"),
)

_WEBKIT: Final = "AppleWebKit/537.36 (KHTML, like Gecko)"
_IPHONE: Final = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)"
BROWSERS: Final = (
    f"{_IPHONE} Version/18.6 Mobile/15E148 Safari/604.1",
    f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {_WEBKIT} Chrome/142.0.0.0 Safari/537.36",
    f"Mozilla/5.0 (Linux; Android 10; K) {_WEBKIT} Chrome/142.0.0.0 Mobile Safari/537.36",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:145.0) Gecko/20100101 Firefox/145.0",
)
