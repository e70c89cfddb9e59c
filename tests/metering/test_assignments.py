"""Who holds a meter and who may see it: assignments, claim codes, access."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from tests.cast import Cast
from tests.metering.builders import NOW, QUARTER, R, at, kept_rollups, make_meter, naive_rollups, record

from commonwatt.accounts.access import ANONYMOUS, Forbidden, NotFound, Right, Viewer
from commonwatt.accounts.actions import update_site
from commonwatt.accounts.queries import audit_of, customers_of, sites_of
from commonwatt.kernel.ids import digest_secret, normalise_claim_code
from commonwatt.metering import actions, queries
from commonwatt.metering.access import access_meter
from commonwatt.metering.models import ClaimCode, Meter, MeterAssignment
from commonwatt.metering.values import MeterView

MAY, JUNE, JULY = (datetime(2026, month, 1, tzinfo=UTC) for month in (5, 6, 7))


def assign(cast: Cast, meter: MeterView, from_at: datetime, *, stranger: bool = False) -> MeterView:
    """Ana's household holds the meter, or Chloe's."""
    customer, site = (cast.other_home, cast.other_site) if stranger else (cast.home, cast.home_site)
    return actions.assign_meter(actor=None, meter_id=meter.id, customer_id=customer.id, site_id=site.id, from_at=from_at, now=NOW)


def digest(code: str) -> str:
    """What faces make of a typed code."""
    return digest_secret(normalise_claim_code(code))


@pytest.mark.django_db
def test_an_operator_creates_a_meter_and_nobody_else_does(cast: Cast) -> None:
    """Otto creates a meter with its channels, written into the trail; Ana cannot, and a number is given once."""
    meter = actions.create_meter(actor=cast.otto, number=" E 1 ", name="Cellar", quantities=["energy_import", "energy_export"], now=NOW)
    assert (meter.number, meter.name, meter.holder, [channel.quantity for channel in meter.channels]) == (
        "E 1", "Cellar", None, ["energy_import", "energy_export"],
    )  # fmt: skip
    assert audit_of().items[0].action == "meter.created"
    with pytest.raises(NotFound):
        actions.create_meter(actor=cast.ana, number="E2", now=NOW)
    with pytest.raises(actions.MeterNumberTaken, match="'E 1'"):
        actions.create_meter(actor=cast.otto, number="E 1", now=NOW)
    assert Meter.objects.count() == 1


@pytest.mark.django_db
def test_a_meter_has_one_holder_at_a_time(cast: Cast) -> None:
    """Somebody else can hold a meter only from when the holder's time has ended."""
    meter = make_meter("E1")
    assign(cast, meter, MAY)
    with pytest.raises(actions.AssignmentOverlaps, match="'E1'"):
        assign(cast, meter, JULY, stranger=True)
    actions.end_assignment(actor=cast.otto, meter_id=meter.id, until_at=JUNE, now=NOW)
    with pytest.raises(actions.AssignmentOverlaps):
        assign(cast, meter, JUNE - timedelta(seconds=1), stranger=True)
    view = assign(cast, meter, JUNE, stranger=True)
    assert view.holder is not None
    assert view.holder.customer_id == cast.other_home.id
    assert [(held.customer_id, held.from_at, held.until_at) for held in queries.holders_between([meter.id], MAY, NOW)] == [
        (cast.home.id, MAY, JUNE),
        (cast.other_home.id, JUNE, None),
    ]
    with pytest.raises(actions.NobodyHoldsMeter):
        actions.end_assignment(actor=cast.otto, meter_id=meter.id, until_at=MAY, now=NOW)


@pytest.mark.django_db
def test_a_meter_stands_at_a_site_of_its_holder(cast: Cast) -> None:
    """Ana's meter cannot be put at Chloe's site."""
    meter = make_meter("E1")
    with pytest.raises(actions.SiteOfAnotherCustomer):
        actions.assign_meter(actor=cast.otto, meter_id=meter.id, customer_id=cast.home.id, site_id=cast.other_site.id, from_at=MAY, now=NOW)
    assert not MeterAssignment.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("from_at", "until_at", "is_taken"),
    [
        (MAY, JUNE, True),
        (MAY, JULY, False),
        (MAY, None, False),
        (JULY, None, True),
        (JUNE + timedelta(days=2), JULY - timedelta(days=2), False),
        (JULY - timedelta(microseconds=1), None, False),
    ],
)
def test_the_database_itself_refuses_two_holders(cast: Cast, from_at: datetime, until_at: datetime | None, *, is_taken: bool) -> None:
    """Whoever writes, and however, the spans of one meter never overlap; other meters do not matter."""
    meter, other = make_meter("E1"), make_meter("E2")
    fields: dict[str, Any] = {"customer_id": cast.home.id, "site_id": cast.home_site.id}
    MeterAssignment.objects.create(meter_id=meter.id, from_at=JUNE, until_at=JULY, **fields)
    MeterAssignment.objects.create(meter_id=other.id, from_at=from_at, until_at=until_at, **fields)
    if is_taken:
        MeterAssignment.objects.create(meter_id=meter.id, from_at=from_at, until_at=until_at, **fields)
        return
    with pytest.raises(IntegrityError, match="assignment_spans_never_overlap"), transaction.atomic():
        MeterAssignment.objects.create(meter_id=meter.id, from_at=from_at, until_at=until_at, **fields)
    later = MeterAssignment.objects.create(meter_id=meter.id, from_at=JULY, until_at=None, **fields)
    with pytest.raises(IntegrityError, match="assignment_spans_never_overlap"), transaction.atomic():
        MeterAssignment.objects.filter(pk=later.pk).update(from_at=JULY - timedelta(days=1))
    MeterAssignment.objects.filter(pk=later.pk).update(from_at=JULY + timedelta(days=1))


@pytest.mark.django_db
def test_a_claim_code_makes_a_meter_yours_once(cast: Cast) -> None:
    """Ana claims the meter with the code from its leaflet; the code then opens nothing for Chloe, and Ana may press twice."""
    meter = make_meter("E1")
    code = actions.new_claim_code(actor=cast.otto, meter_id=meter.id, now=NOW)
    assert queries.claim_code_works(code_digest=digest(code.lower()), now=NOW)
    claimed = actions.claim_meter(viewer=cast.ana, code_digest=digest(code.lower().replace("-", " ")), now=NOW)
    assert claimed.holder is not None
    assert (claimed.holder.customer_id, claimed.holder.site_id) == (cast.home.id, cast.home_site.id)
    assert not queries.claim_code_works(code_digest=digest(code), now=NOW)
    assert actions.claim_meter(viewer=cast.ana, code_digest=digest(code), now=NOW).id == meter.id
    with pytest.raises(actions.ClaimRefused):
        actions.claim_meter(viewer=cast.chloe, code_digest=digest(code), now=NOW)
    assert [view.number for view in queries.meters_of(cast.home.id, NOW)] == ["E1"]
    assert queries.meters_of(cast.other_home.id, NOW) == []


@pytest.mark.django_db
def test_all_refused_codes_look_alike(cast: Cast) -> None:
    """A wrong, an expired and a withdrawn code are refused in the same words, and nothing changes."""
    meter = make_meter("E1")
    withdrawn = actions.new_claim_code(actor=cast.otto, meter_id=meter.id, now=NOW)
    expired = actions.new_claim_code(actor=cast.otto, meter_id=meter.id, now=NOW, valid_days=30)
    late = NOW + timedelta(days=30)
    said = set()
    for code in ("0000-0000-0000-0000", withdrawn, expired):
        with pytest.raises(actions.ClaimRefused) as refused:
            actions.claim_meter(viewer=cast.ana, code_digest=digest(code), now=late)
        said.add(str(refused.value))
    assert len(said) == 1
    assert (MeterAssignment.objects.count(), ClaimCode.objects.filter(used_at__isnull=False).count()) == (0, 0)
    assert [code.works_at(NOW) for code in queries.claim_codes(meter.id)] == [True, False]


@pytest.mark.django_db
def test_somebody_without_a_household_gets_one_by_claiming(cast: Cast) -> None:
    """Wim, who has no household, claims a meter: a household with a site is his from then on."""
    meter = make_meter("E1")
    code = actions.new_claim_code(actor=None, meter_id=meter.id, now=NOW)
    claimed = actions.claim_meter(viewer=cast.wim, code_digest=digest(code), site_name="Canal house", now=NOW)
    assert claimed.holder is not None
    (home,) = customers_of(cast.viewer("wim"))
    assert claimed.holder.customer_id == home.id
    assert [site.name for site in sites_of(home.id)] == ["Canal house"]


@pytest.mark.django_db
def test_claiming_takes_over_from_who_held_it_before(cast: Cast) -> None:
    """When Chloe moves in and claims the meter, Ana's time with it ends, and Ana keeps what was measured until then."""
    meter = make_meter("E1")
    assign(cast, meter, MAY)
    code = actions.new_claim_code(actor=cast.otto, meter_id=meter.id, now=NOW)
    actions.claim_meter(viewer=cast.chloe, code_digest=digest(code), now=NOW)
    before = access_meter(cast.ana, meter.public_id, now=NOW + timedelta(days=1))
    assert [(span.from_at, span.until_at) for span in before.spans] == [(MAY, NOW)]
    after = access_meter(cast.chloe, meter.public_id, now=NOW + timedelta(days=1))
    assert [(span.from_at, span.until_at) for span in after.spans] == [(NOW, None)]
    assert (before.may_see(NOW - timedelta(seconds=1)), before.may_see(NOW)) == (True, False)
    assert (after.may_see(NOW - timedelta(seconds=1)), after.may_see(NOW)) == (False, True)


@pytest.mark.django_db
def test_a_member_without_a_say_cannot_claim_for_the_organisation(cast: Cast) -> None:
    """Milo is a member of the library, but Olga decides for it; the code stays good."""
    meter = make_meter("E1")
    code = actions.new_claim_code(actor=cast.otto, meter_id=meter.id, now=NOW)
    with pytest.raises(Forbidden):
        actions.claim_meter(viewer=cast.milo, code_digest=digest(code), customer_id=cast.organisation.id, now=NOW)
    claimed = actions.claim_meter(viewer=cast.olga, code_digest=digest(code), customer_id=cast.organisation.id, now=NOW)
    assert claimed.holder is not None
    assert claimed.holder.site_id == cast.office.id


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("name", "refusals"),
    [
        ("ana", (None, None, None)),
        ("bram", (None, None, Forbidden)),
        ("chloe", (NotFound, NotFound, NotFound)),
        ("olga", (NotFound, NotFound, NotFound)),
        ("pia", (None, None, Forbidden)),
        ("otto", (None, None, None)),
        ("anonymous", (NotFound, NotFound, NotFound)),
    ],
)
def test_who_may_do_what_with_a_household_meter(cast: Cast, name: str, refusals: tuple[type[Exception] | None, ...]) -> None:
    """Ana and Bram see their meter, the operator sees all, and for a stranger it does not exist."""
    meter = make_meter("E1")
    assign(cast, meter, MAY)
    viewer: Viewer = ANONYMOUS if name == "anonymous" else getattr(cast, name)
    for right, refusal in zip(Right, refusals, strict=True):
        if refusal is None:
            assert access_meter(viewer, meter.public_id, right, now=NOW).id == meter.id
        else:
            with pytest.raises(refusal):
                access_meter(viewer, meter.public_id, right, now=NOW)
    with pytest.raises(NotFound):
        access_meter(viewer, "mtr_000000000000", now=NOW)


@pytest.mark.django_db
def test_a_former_holder_only_looks_back(cast: Cast) -> None:
    """After giving the meter up, Ana sees her time with it and can change nothing; before it was hers she saw nothing."""
    meter = make_meter("E1")
    assign(cast, meter, MAY)
    actions.end_assignment(actor=None, meter_id=meter.id, until_at=JUNE, now=NOW)
    access = access_meter(cast.ana, meter.public_id, now=NOW)
    assert [(span.from_at, span.until_at) for span in access.spans] == [(MAY, JUNE)]
    assert access.meter.holder is None
    with pytest.raises(Forbidden):
        access_meter(cast.ana, meter.public_id, Right.CHANGE, now=NOW)
    assert access_meter(cast.otto, meter.public_id, now=NOW).may_see(JULY)


@pytest.mark.django_db
def test_renaming_is_for_the_holder(cast: Cast) -> None:
    """Bram may name the meter at home, Chloe may not."""
    meter = make_meter("E1")
    assign(cast, meter, MAY)
    assert actions.rename_meter(actor=cast.bram, meter_id=meter.id, name=" Hall  cupboard ", now=NOW).label == "Hall cupboard"
    with pytest.raises(NotFound):
        actions.rename_meter(actor=cast.chloe, meter_id=meter.id, name="Mine", now=NOW)
    assert Meter.objects.get().name == "Hall cupboard"


@pytest.mark.django_db
def test_a_removed_meter_takes_no_later_readings(cast: Cast) -> None:
    """Once Otto notes that a meter was taken out, readings of later days are refused."""
    meter = make_meter("E1")
    actions.remove_meter(actor=cast.otto, meter_id=meter.id, removed_on=JULY.date(), now=NOW)
    assert record([R(meter.channels[0].id, at("2026-07-02T12:00"), 1)]).refused_by_reason == {"after_removal": 1}


@pytest.mark.django_db
def test_days_follow_the_zone_of_the_site(cast: Cast) -> None:
    """When a meter comes to a site, or the site's zone is corrected, its days are counted again by that zone."""
    meter = make_meter("E1", zone="UTC")
    channel = meter.channels[0].id
    readings = [R(channel, at("2026-11-10T00:00") + QUARTER * step, step) for step in range(200)]
    record(readings)
    assert kept_rollups() == naive_rollups(readings, {channel: "UTC"})
    assert assign(cast, meter, MAY).time_zone == "Europe/Brussels"
    assert kept_rollups() == naive_rollups(readings, {channel: "Europe/Brussels"})
    site = cast.home_site
    update_site(actor=None, site_id=site.id, name=site.name, time_zone="Asia/Kolkata", country="IN", latitude=None, longitude=None, now=NOW)
    assert actions.follow_site_zones(now=NOW) == 1
    assert actions.follow_site_zones(now=NOW) == 0
    assert kept_rollups() == naive_rollups(readings, {channel: "Asia/Kolkata"})


_NAMES = {
    "sqlite": "SELECT sql FROM sqlite_master WHERE tbl_name LIKE 'metering_%%'",
    "postgresql": "SELECT conname FROM pg_constraint UNION SELECT indexname FROM pg_indexes",
}


@pytest.mark.django_db
@pytest.mark.parametrize(
    "name",
    [
        "meter_interval_is_sensible",
        "meter_removed_after_installed",
        "assignment_one_current_holder",
        "assignment_ends_after_start",
        "assignment_spans_never_overlap",
        "claim_code_expires_later",
        "channel_once_per_quantity",
        "channel_interval_is_positive",
        "reading_has_length",
        "reading_is_not_negative",
        "reading_quality_is_known",
        "sealed_file_one_current",
    ],
)
def test_every_truth_has_a_named_constraint(name: str) -> None:
    """The database knows each rule of this room by its name."""
    with connection.cursor() as cursor:
        cursor.execute(_NAMES[connection.vendor], [])
        assert name in " ".join(str(row[0]) for row in cursor.fetchall())


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("name", "statement"),
    [
        ("meter_interval_is_sensible", "UPDATE metering_meter SET interval_s = 30"),
        ("meter_removed_after_installed", "UPDATE metering_meter SET installed_on = '2026-05-02', removed_on = '2026-05-01'"),
        ("channel_interval_is_positive", "UPDATE metering_channel SET interval_s = 0"),
        ("reading_has_length", "UPDATE metering_reading SET length_s = 0"),
        ("reading_is_not_negative", "UPDATE metering_reading SET amount = -1"),
        ("reading_quality_is_known", "UPDATE metering_reading SET quality = 4"),
        ("(?i)unique", "INSERT INTO metering_reading SELECT * FROM metering_reading"),
        (
            "(?i)unique",
            "INSERT INTO metering_channel (meter_id, quantity, unit, interval_s) SELECT meter_id, quantity, unit, interval_s FROM metering_channel",
        ),
    ],
)
def test_what_must_not_be_is_refused_by_the_database(name: str, statement: str) -> None:
    """Even a statement written by hand cannot store what breaks a rule."""
    record([R(make_meter("E1").channels[0].id, at("2026-11-10T00:00"), 1)])
    with pytest.raises(IntegrityError, match=name), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


def test_a_claim_code_can_say_since_when(cast: Cast) -> None:
    """Whoever is handed a code that says since when they have had the meter gets the readings from then on, and nothing before."""
    meter = actions.create_meter(actor=None, number="SINCE", now=NOW)
    assign(cast, meter, MAY, stranger=True)
    code = actions.new_claim_code(actor=cast.otto, meter_id=meter.id, now=NOW, holds_from=JULY)
    actions.claim_meter(viewer=cast.ana, code_digest=digest(code), customer_id=cast.home.id, now=NOW)
    held = queries.holders_between([meter.id], MAY, NOW)
    assert [(one.customer_id, one.from_at, one.until_at) for one in held] == [(cast.other_home.id, MAY, JULY), (cast.home.id, JULY, None)]


@pytest.mark.parametrize(
    ("holds_from", "refusal"), [(MAY, actions.AssignmentOverlaps), (NOW + timedelta(days=1), actions.HoldsFromTheFuture)]
)
def test_a_claim_code_cannot_reach_behind_another_holder(cast: Cast, holds_from: datetime, refusal: type[Exception]) -> None:
    """A code gives nobody readings of a time in which somebody else began to hold the meter, nor of the future."""
    meter = actions.create_meter(actor=None, number="SINCE", now=NOW)
    assign(cast, meter, JUNE, stranger=True)
    with pytest.raises(refusal):
        actions.new_claim_code(actor=cast.otto, meter_id=meter.id, now=NOW, holds_from=holds_from)
    assert queries.claim_codes(meter.id) == []


def test_a_code_made_before_somebody_else_came_is_refused(cast: Cast) -> None:
    """A code that says since when is worthless once another holder's time began after that."""
    meter = actions.create_meter(actor=None, number="SINCE", now=NOW)
    code = actions.new_claim_code(actor=cast.otto, meter_id=meter.id, now=NOW, holds_from=MAY)
    assign(cast, meter, JUNE, stranger=True)
    with pytest.raises(actions.ClaimRefused):
        actions.claim_meter(viewer=cast.ana, code_digest=digest(code), customer_id=cast.home.id, now=NOW)
    assert [one.customer_id for one in queries.holders_between([meter.id], MAY, NOW)] == [cast.other_home.id]
