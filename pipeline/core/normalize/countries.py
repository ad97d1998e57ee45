"""Countries: alpha-2, alpha-3 and English names to ISO 3166-1 alpha-2.

One line per country: alpha-2, alpha-3, then names without accents, the usual one first.
Source: ISO 3166-1 as of 2026-11; the names are the usual English ones, the formal ones where people write them.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

_COUNTRIES: Final = """
ad and Andorra
ae are United Arab Emirates|UAE|Emirates
af afg Afghanistan
ag atg Antigua and Barbuda
ai aia Anguilla
al alb Albania
am arm Armenia
ao ago Angola
aq ata Antarctica
ar arg Argentina|Argentine Republic
as asm American Samoa
at aut Austria
au aus Australia
aw abw Aruba
ax ala Aland Islands|Aland
az aze Azerbaijan
ba bih Bosnia and Herzegovina|Bosnia
bb brb Barbados
bd bgd Bangladesh
be bel Belgium
bf bfa Burkina Faso
bg bgr Bulgaria
bh bhr Bahrain
bi bdi Burundi
bj ben Benin
bl blm Saint Barthelemy
bm bmu Bermuda
bn brn Brunei|Brunei Darussalam
bo bol Bolivia|Bolivia Plurinational State of|Plurinational State of Bolivia
bq bes Caribbean Netherlands|Bonaire Sint Eustatius and Saba|Bonaire
br bra Brazil|Brasil
bs bhs Bahamas
bt btn Bhutan
bv bvt Bouvet Island
bw bwa Botswana
by blr Belarus
bz blz Belize
ca can Canada
cc cck Cocos Islands|Cocos Keeling Islands|Keeling Islands
cd cod DR Congo|Democratic Republic of the Congo|Congo The Democratic Republic of the|Congo Kinshasa|DRC
cf caf Central African Republic
cg cog Republic of the Congo|Congo Brazzaville
ch che Switzerland|Swiss Confederation
ci civ Ivory Coast|Cote d Ivoire
ck cok Cook Islands
cl chl Chile
cm cmr Cameroon
cn chn China|Peoples Republic of China|PRC|Mainland China
co col Colombia
cr cri Costa Rica
cu cub Cuba
cv cpv Cape Verde|Cabo Verde
cw cuw Curacao
cx cxr Christmas Island
cy cyp Cyprus
cz cze Czechia|Czech Republic
de deu Germany|Federal Republic of Germany|Deutschland
dj dji Djibouti
dk dnk Denmark
dm dma Dominica
do dom Dominican Republic
dz dza Algeria
ec ecu Ecuador
ee est Estonia
eg egy Egypt
eh esh Western Sahara
er eri Eritrea
es esp Spain|Espana
et eth Ethiopia
fi fin Finland
fj fji Fiji
fk flk Falkland Islands|Falkland Islands Malvinas|Falklands
fm fsm Micronesia|Micronesia Federated States of|Federated States of Micronesia
fo fro Faroe Islands|Faroes
fr fra France|French Republic
ga gab Gabon
gb gbr United Kingdom|UK|Great Britain|Britain|England|Scotland|Wales|Northern Ireland
gb gbr United Kingdom of Great Britain and Northern Ireland
gd grd Grenada
ge geo Georgia
gf guf French Guiana
gg ggy Guernsey
gh gha Ghana
gi gib Gibraltar
gl grl Greenland
gm gmb Gambia
gn gin Guinea
gp glp Guadeloupe
gq gnq Equatorial Guinea
gr grc Greece|Hellas|Hellenic Republic
gs sgs South Georgia and the South Sandwich Islands
gt gtm Guatemala
gu gum Guam
gw gnb Guinea Bissau
gy guy Guyana
hk hkg Hong Kong|Hong Kong SAR|Hong Kong SAR China
hm hmd Heard Island and McDonald Islands
hn hnd Honduras
hr hrv Croatia
ht hti Haiti
hu hun Hungary
id idn Indonesia
ie irl Ireland|Republic of Ireland|Eire
il isr Israel
im imn Isle of Man
in ind India
io iot British Indian Ocean Territory
iq irq Iraq
ir irn Iran|Iran Islamic Republic of|Islamic Republic of Iran
is isl Iceland
it ita Italy|Italia
je jey Jersey
jm jam Jamaica
jo jor Jordan
jp jpn Japan
ke ken Kenya
kg kgz Kyrgyzstan|Kyrgyz Republic
kh khm Cambodia
ki kir Kiribati
km com Comoros
kn kna Saint Kitts and Nevis
kp prk North Korea|Korea Democratic Peoples Republic of|Democratic Peoples Republic of Korea|DPRK
kr kor South Korea|Republic of Korea|Korea Republic of
kw kwt Kuwait
ky cym Cayman Islands
kz kaz Kazakhstan
la lao Laos|Lao Peoples Democratic Republic
lb lbn Lebanon
lc lca Saint Lucia
li lie Liechtenstein
lk lka Sri Lanka
lr lbr Liberia
ls lso Lesotho
lt ltu Lithuania
lu lux Luxembourg
lv lva Latvia
ly lby Libya
ma mar Morocco
mc mco Monaco
md mda Moldova|Moldova Republic of|Republic of Moldova
me mne Montenegro
mf maf Saint Martin|Saint Martin French part
mg mdg Madagascar
mh mhl Marshall Islands
mk mkd North Macedonia|Republic of North Macedonia|Macedonia
ml mli Mali
mm mmr Myanmar|Burma
mn mng Mongolia
mo mac Macao|Macau|Macao SAR China
mp mnp Northern Mariana Islands
mq mtq Martinique
mr mrt Mauritania
ms msr Montserrat
mt mlt Malta
mu mus Mauritius
mv mdv Maldives
mw mwi Malawi
mx mex Mexico|United Mexican States
my mys Malaysia
mz moz Mozambique
na nam Namibia
nc ncl New Caledonia
ne ner Niger
nf nfk Norfolk Island
ng nga Nigeria
ni nic Nicaragua
nl nld Netherlands|Holland
no nor Norway
np npl Nepal
nr nru Nauru
nu niu Niue
nz nzl New Zealand
om omn Oman
pa pan Panama
pe per Peru
pf pyf French Polynesia
pg png Papua New Guinea
ph phl Philippines
pk pak Pakistan
pl pol Poland
pm spm Saint Pierre and Miquelon
pn pcn Pitcairn|Pitcairn Islands
pr pri Puerto Rico
ps pse Palestine|Palestine State of|State of Palestine|Palestinian Territories
pt prt Portugal
pw plw Palau
py pry Paraguay
qa qat Qatar
re reu Reunion
ro rou Romania
rs srb Serbia
ru rus Russia|Russian Federation
rw rwa Rwanda
sa sau Saudi Arabia|Kingdom of Saudi Arabia|KSA
sb slb Solomon Islands
sc syc Seychelles
sd sdn Sudan
se swe Sweden
sg sgp Singapore
sh shn Saint Helena|Saint Helena Ascension and Tristan da Cunha
si svn Slovenia
sj sjm Svalbard and Jan Mayen
sk svk Slovakia|Slovak Republic
sl sle Sierra Leone
sm smr San Marino
sn sen Senegal
so som Somalia
sr sur Suriname
ss ssd South Sudan
st stp Sao Tome and Principe
sv slv El Salvador
sx sxm Sint Maarten|Sint Maarten Dutch part
sy syr Syria|Syrian Arab Republic
sz swz Eswatini|Swaziland
tc tca Turks and Caicos Islands|Turks and Caicos
td tcd Chad
tf atf French Southern Territories
tg tgo Togo
th tha Thailand
tj tjk Tajikistan
tk tkl Tokelau
tl tls Timor Leste|East Timor
tm tkm Turkmenistan
tn tun Tunisia
to ton Tonga
tr tur Turkey|Turkiye
tt tto Trinidad and Tobago|Trinidad
tv tuv Tuvalu
tw twn Taiwan|Taiwan Province of China
tz tza Tanzania|Tanzania United Republic of|United Republic of Tanzania
ua ukr Ukraine
ug uga Uganda
um umi United States Minor Outlying Islands
us usa United States|United States of America
uy ury Uruguay
uz uzb Uzbekistan
va vat Vatican City|Holy See|Holy See Vatican City State|Vatican
vc vct Saint Vincent and the Grenadines
ve ven Venezuela|Venezuela Bolivarian Republic of|Bolivarian Republic of Venezuela
vg vgb British Virgin Islands|Virgin Islands British
vi vir US Virgin Islands|Virgin Islands US|United States Virgin Islands
vn vnm Vietnam|Viet Nam
vu vut Vanuatu
wf wlf Wallis and Futuna
ws wsm Samoa|Western Samoa
ye yem Yemen
yt myt Mayotte
za zaf South Africa
zm zmb Zambia
zw zwe Zimbabwe
"""


def _alpha_2() -> Mapping[str, str]:
    codes: dict[str, str] = {}
    for line in _COUNTRIES.strip().splitlines():
        alpha_2, alpha_3, names = line.split(" ", 2)
        codes[alpha_2] = codes[alpha_3] = alpha_2
        for name in names.split("|"):
            key = name.replace(" ", "").lower()
            codes[key] = codes[f"the{key}"] = alpha_2
            if name.startswith("Saint "):
                codes["st" + key.removeprefix("saint")] = alpha_2
    return MappingProxyType(codes)


ALPHA_2: Final = _alpha_2()
"""Lower-case letters without accents, spaces and punctuation to alpha-2: `usa`, `unitedstates` and `us` to `us`."""
