"""The operator's meters: entered, found, handed over, claimed."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from tests.cast import NOW, Cast, sign_in

from commonwatt.kernel.ids import digest_secret, normalise_claim_code
from commonwatt.metering import queries
from commonwatt.metering.actions import assign_meter, claim_meter, create_meter
from commonwatt.portal.meter_list import UnreadableList, read_list


@pytest.fixture
def desk(cast: Cast) -> Client:
    """Otto's browser."""
    return sign_in(Client(), cast.user("otto"))


def meter(number: str, name: str = "") -> str:
    """A new meter's id in addresses."""
    return create_meter(actor=None, number=number, name=name, now=NOW).public_id


def test_a_meter_is_entered_once(desk: Client) -> None:
    """Otto enters a meter; its number cannot be entered a second time, and nothing changes then."""
    address = reverse("portal:operator_meter_new")
    form = {"number": " E 0042 ", "name": "Cellar", "interval_s": "1800", "quantities": ["energy_import", "energy_export"]}
    response = desk.post(address, form, follow=True)
    entered = queries.meters_by_number(["E 0042"])["E 0042"]
    assert response.redirect_chain == [(reverse("portal:operator_meter", args=[entered.public_id]), 302)]
    assert (entered.name, entered.interval_s) == ("Cellar", 1800)
    assert [channel.quantity for channel in entered.channels] == ["energy_import", "energy_export"]
    again = desk.post(address, form)
    assert again.status_code == 200
    assert again.context["form"].errors["number"] == ["There is a meter with this number already."]
    assert queries.meter_page().total == 1


def test_meters_are_found_by_number_name_and_holder(cast: Cast, desk: Client) -> None:
    """The list finds by number or name, and picks out the meters that nobody holds."""
    held = queries.meters_by_number(["A1"]).get("A1") or create_meter(actor=None, number="A1", name="Attic", now=NOW)
    meter("B2", "Barn")
    assign_meter(actor=None, meter_id=held.id, customer_id=cast.home.id, site_id=cast.home_site.id, from_at=NOW, now=NOW)
    listed = [desk.get(reverse("portal:operator_meters"), given) for given in ({}, {"q": "barn"}, {"holding": "free"}, {"holding": "held"})]
    assert [[row["meter"].number for row in page.context["rows"]] for page in listed] == [["A1", "B2"], ["B2"], ["B2"], ["A1"]]
    assert listed[3].context["rows"][0]["holder"]["customer"].name == "Ana's household"


def test_a_meter_is_handed_over_by_dates(cast: Cast, desk: Client) -> None:
    """Otto assigns a meter in the site's local time, cannot assign it twice, ends the time, and assigns it to the next."""
    public_id = meter("H1")
    assign = reverse("portal:operator_meter_assign", args=[public_id])
    home = {"site": cast.home_site.public_id, "from_at": "2026-11-20T13:00"}
    assert desk.post(assign, home).status_code == 302
    held = queries.meters_by_number(["H1"])["H1"].holder
    assert held is not None
    assert (held.customer_id, held.from_at) == (cast.home.id, datetime(2026, 11, 20, 12, 0, tzinfo=UTC))
    refused = desk.post(assign, {"site": cast.office.public_id, "from_at": "2026-11-20T14:00"})
    assert refused.context["holder_form"].errors["from_at"] == ["Somebody holds the meter then, or later. End their time first."]
    assert desk.post(reverse("portal:operator_meter_end", args=[public_id]), {"until_at": "2026-11-21T00:00"}).status_code == 302
    assert desk.post(assign, {"site": cast.office.public_id, "from_at": "2026-11-21T00:00"}).status_code == 302
    page = desk.get(reverse("portal:operator_meter", args=[public_id]))
    assert [item["customer"].name for item in page.context["held"]] == ["Riverside Library", "Ana's household"]


def test_a_claim_code_is_shown_once_and_works(cast: Cast, desk: Client) -> None:
    """The code stands on the page that made it and nowhere else; it gives Ana the meter; a newer code ends an older one."""
    public_id = meter("K1")
    make = reverse("portal:operator_meter_claim_code", args=[public_id])
    first, second = (desk.post(make).context["code"] for _ in range(2))
    assert re.fullmatch(r"[0-9A-HJKMNP-TV-Z]{4}(-[0-9A-HJKMNP-TV-Z]{4}){3}", second)
    page = desk.get(reverse("portal:operator_meter", args=[public_id]))
    assert second not in page.content.decode()
    assert [works for _, works in page.context["codes"]] == [True, False]
    assert not queries.claim_code_works(code_digest=digest_secret(normalise_claim_code(first)), now=NOW)
    claim_meter(viewer=cast.ana, code_digest=digest_secret(normalise_claim_code(second)), customer_id=cast.home.id, now=NOW)
    holder = queries.meters_by_number(["K1"])["K1"].holder
    assert holder is not None
    assert holder.customer_id == cast.home.id


LIST = """number,name,interval_minutes
M1,Mill,15
M2,,60
,Nameless,15
M1,Again,15
M3,Odd,7
OLD,Known,15
"""


def test_many_meters_are_entered_at_once(desk: Client) -> None:
    """Of a list, the good lines are entered with a code each, and every other line says why not."""
    meter("OLD")
    file = SimpleUploadedFile("meters.csv", LIST.encode())
    page = desk.post(reverse("portal:operator_meters_list"), {"file": file, "with_codes": "on"})
    said = [(item["line"].line, item["problem"], bool(item.get("code"))) for item in page.context["outcomes"]]
    assert said == [
        (2, "", True),
        (3, "", True),
        (4, "There is no meter number.", False),
        (5, "The number stands in line 2 already.", False),
        (6, "“7” is not an interval; write 1, 5, 15, 30 or 60 minutes.", False),
        (7, "There is a meter with this number already.", False),
    ]
    entered = queries.meters_by_number(["M1", "M2", "M3"])
    assert {number: view.interval_s for number, view in entered.items()} == {"M1": 900, "M2": 3600}


@pytest.mark.parametrize("content", [b"name\nMill\n", b"\xff\xfen\x00", b""])
def test_a_list_without_numbers_is_refused_whole(content: bytes) -> None:
    """A file that names no column of numbers, or is no text, enters nothing."""
    with pytest.raises(UnreadableList):
        read_list(content)


def test_the_list_of_meters_costs_the_same_for_two_and_for_fifty(cast: Cast, desk: Client) -> None:
    """However many meters a page of the list shows, it asks the database as often."""
    counts = []
    for size in (2, 48):
        for index in range(size):
            made = create_meter(actor=None, number=f"Q{size}-{index}", now=NOW)
            assign_meter(actor=None, meter_id=made.id, customer_id=cast.home.id, site_id=cast.home_site.id, from_at=NOW, now=NOW)
        counts.append(_queries(desk, reverse("portal:operator_meters")))
    assert counts[0] == counts[1] <= 14


def _queries(client: Client, address: str) -> int:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as captured:
        assert client.get(address).status_code == 200
    return len(captured)
