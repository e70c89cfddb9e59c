"""Who lives and works in the demo. The people are invented; the loads behind the meters are measured."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from commonwatt.accounts.choices import CustomerKind

ZONE = "Europe/London"
COUNTRY = "GB-ENG"
CURRENCY = "GBP"


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who signs in."""

    key: str
    name: str

    @property
    def email(self) -> str:
        """An address at a domain that can never exist."""
        return f"{self.key}@commonwatt.example"


@dataclass(frozen=True, slots=True)
class Place:
    """A site with one meter, and which measured load it shows."""

    name: str
    source: str
    latitude: float
    longitude: float

    @property
    def meter_number(self) -> str:
        """The number on the meter."""
        return f"CW-{self.source.replace('_', '-').upper()}"


@dataclass(frozen=True, slots=True)
class Party:
    """An organisation or a household: the first person runs it, the others belong to it."""

    name: str
    kind: CustomerKind
    people: tuple[Person, ...]
    places: tuple[Place, ...]


OPERATOR = Person("otto", "Otto Operator")
DESK = Person("dana", "Dana Desk")

ORGANISATIONS = (
    Party(
        "Fenland Colleges",
        CustomerKind.ORGANISATION,
        (Person("olga", "Olga Estates"), Person("milo", "Milo Member")),
        (
            Place("Building 16", "ucam_b16", 52.2045, 0.1149),
            Place("Building 24", "ucam_b24", 52.2001, 0.1088),
            Place("Building 41", "ucam_b41", 52.2093, 0.0921),
            Place("Building 70", "ucam_b70", 52.2107, 0.1161),
        ),
    ),
    Party(
        "Riverside Laboratories",
        CustomerKind.ORGANISATION,
        (Person("rosa", "Rosa Laboratories"),),
        (
            Place("Building 25", "ucam_b25", 52.1986, 0.1201),
            Place("Building 31", "ucam_b31", 52.2112, 0.0909),
            Place("Building 9", "ucam_b9", 52.2031, 0.1236),
            Place("Building 14", "ucam_b14", 52.2059, 0.1302),
        ),
    ),
)
HOME = CustomerKind.HOUSEHOLD
HOUSEHOLDS = (
    Party("Ana's home", HOME, (Person("ana", "Ana"), Person("bram", "Bram")), (Place("12 Mill Lane", "fontana_06", 52.1951, 0.1313),)),
    Party("Chloe's home", HOME, (Person("chloe", "Chloe"),), (Place("3 Orchard Row", "fontana_01", 52.1903, 0.1379),)),
    Party("The Desai home", HOME, (Person("desai", "Priya Desai"),), (Place("8 Station Road", "fontana_02", 52.1940, 0.1402),)),
    Party("The Evans home", HOME, (Person("evans", "Gareth Evans"),), (Place("27 Church Street", "fontana_03", 52.2148, 0.1330),)),
    Party("The Farouk home", HOME, (Person("farouk", "Layla Farouk"),), (Place("5 Willow Way", "fontana_05", 52.2171, 0.1407),)),
    Party("The Green home", HOME, (Person("green", "Tom Green"),), (Place("41 High Street", "fontana_16", 52.1877, 0.1150),)),
    Party("The Hughes home", HOME, (Person("hughes", "Mair Hughes"),), (Place("16 Park Terrace", "fontana_07", 52.2016, 0.1439),)),
    Party("The Ito home", HOME, (Person("ito", "Kenji Ito"),), (Place("2 Bridge End", "fontana_17", 52.2213, 0.1204),)),
)
PARTIES = (*ORGANISATIONS, *HOUSEHOLDS)
PLACES = tuple(place for party in PARTIES for place in party.places)
SOURCE_OF: Mapping[str, str] = {place.meter_number: place.source for place in PLACES}


@dataclass(frozen=True, slots=True)
class Shown:
    """A person whose sign-in the demo shows."""

    label: str
    text: str
    person: Person


SHOWN = (
    Shown("Operator", "Calls events, follows them live, imports readings, settles.", OPERATOR),
    Shown("Organisation administrator", "Four buildings of Fenland Colleges: dashboards, members, statements.", ORGANISATIONS[0].people[0]),
    Shown("Organisation member", "The same buildings, to look at.", ORGANISATIONS[0].people[1]),
    Shown("Household", "Ana's home: use, events to join or skip, credits.", HOUSEHOLDS[0].people[0]),
)

PROGRAM_NAME = "Winter Evenings"
PROGRAM_DESCRIPTION = (
    "On cold weekday evenings the grid is at its limit for an hour or two. When we call, use less if you can: whatever you save against "
    "your own usual use is credited to you, line by line. If you cannot, nothing happens."
)
CONSENT = (
    "I agree that Commonwatt's operator may call my site for events of this program, compute my baseline from my own meter readings by the "
    "rule named in these terms, and credit what I use less. Taking part in any single event is my choice, and I can leave the program at "
    "any time; my readings are used for this program only."
)
