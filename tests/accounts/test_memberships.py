"""Joining, asking to join, being decided about: nobody comes in by a number alone, and no organisation loses its last administrator."""

from __future__ import annotations

from datetime import timedelta
from threading import Barrier, Thread

import pytest
from django.db import connection
from tests.cast import NOW, ZONE, Cast, make_cast

from commonwatt.accounts import actions, audit, queries
from commonwatt.accounts.access import Forbidden, NotFound, Viewer, viewer_for
from commonwatt.accounts.choices import CustomerKind, MembershipStatus, Role
from commonwatt.accounts.models import AuditEntry, Invitation, Membership, User
from commonwatt.accounts.values import CustomerView
from commonwatt.kernel.ids import digest_secret, normalise_claim_code


def digest(code: str) -> str:
    """What is kept of a code."""
    return digest_secret(normalise_claim_code(code))


def invite(cast: Cast, *, email: str = "", role: Role = Role.MEMBER) -> str:
    """A code of the organisation."""
    return actions.invite(actor=cast.olga, customer_id=cast.organisation.id, role=role, email=email, now=NOW)


def membership(cast: Cast, name: str, customer: CustomerView | None = None) -> Membership:
    """The row of one person."""
    return Membership.objects.get(user_id=getattr(cast, name).person_id, customer_id=(customer or cast.organisation).id)


def test_an_invitation_lets_one_person_in_once(cast: Cast) -> None:
    """Chloe joins with a code typed carelessly; the same code lets nobody else in, and only its digest was ever kept."""
    code = invite(cast)
    assert actions.accept_invitation(actor=cast.chloe, code_digest=digest(f" {code.lower()} "), now=NOW) == cast.organisation
    assert cast.organisation.id in cast.viewer("chloe").member_of
    assert cast.organisation.id not in cast.viewer("chloe").administers
    with pytest.raises(actions.InvitationRefused):
        actions.accept_invitation(actor=cast.ana, code_digest=digest(code), now=NOW)
    assert cast.viewer("ana") == cast.ana
    assert code not in str(list(Invitation.objects.values()) + list(AuditEntry.objects.values()))


@pytest.mark.parametrize("spoilt", ["wrong", "expired", "withdrawn", "another's address"])
def test_a_spoilt_invitation_is_refused_in_one_way(cast: Cast, spoilt: str) -> None:
    """A wrong, old or withdrawn code, or one made out to somebody else, is refused alike and changes nothing."""
    code = invite(cast, email="somebody@example.org" if spoilt == "another's address" else "")
    now = NOW + actions.INVITATION_LIFE if spoilt == "expired" else NOW
    if spoilt == "withdrawn":
        number = queries.open_invitations(cast.organisation.id, now=NOW)[0].public_id
        assert actions.withdraw_invitation(actor=cast.olga, customer_id=cast.organisation.id, public_id=number, now=NOW)
        assert not actions.withdraw_invitation(actor=cast.olga, customer_id=cast.organisation.id, public_id=number, now=NOW)
    code = "0000-0000-0000-0000" if spoilt == "wrong" else code
    assert not queries.invitation_works(code_digest=digest(code), email=cast.chloe.email, now=now)
    with pytest.raises(actions.InvitationRefused) as caught:
        actions.accept_invitation(actor=cast.chloe, code_digest=digest(code), now=now)
    assert caught.value.args == ()
    assert cast.viewer("chloe") == cast.chloe


def test_an_invitation_lasts_up_to_its_end(cast: Cast) -> None:
    """One second before its two weeks are over, a code made out to Chloe's address still lets her in."""
    code = invite(cast, email=" Chloe@Example.org ", role=Role.ADMINISTRATOR)
    late = NOW + actions.INVITATION_LIFE - timedelta(seconds=1)
    assert queries.invitation_works(code_digest=digest(code), email="CHLOE@example.org", now=late)
    actions.accept_invitation(actor=cast.chloe, code_digest=digest(code), now=late)
    assert cast.organisation.id in cast.viewer("chloe").administers


def test_an_invitation_never_takes_a_role_away(cast: Cast) -> None:
    """Olga, who administers, accepts a member's invitation and still administers; rejected Rosa is let in by hers."""
    actions.accept_invitation(actor=cast.olga, code_digest=digest(invite(cast)), now=NOW)
    actions.accept_invitation(actor=cast.rosa, code_digest=digest(invite(cast)), now=NOW)
    assert membership(cast, "olga").role == Role.ADMINISTRATOR
    assert membership(cast, "rosa").status == MembershipStatus.APPROVED


def test_a_number_alone_only_lets_one_wait(cast: Cast) -> None:
    """Whoever knows an organisation's number may ask; they wait, see nothing, and asking again changes nothing."""
    asked, is_new = actions.request_membership(actor=cast.chloe, customer_public_id=cast.organisation.public_id, now=NOW)
    assert (asked.status, asked.role, is_new) == ("pending", "member", True)
    again, is_new = actions.request_membership(actor=cast.chloe, customer_public_id=cast.organisation.public_id, now=NOW)
    assert (again, is_new) == (asked, False)
    assert cast.viewer("chloe") == cast.chloe
    rejected, is_new = actions.request_membership(actor=cast.rosa, customer_public_id=cast.organisation.public_id, now=NOW)
    assert (rejected.status, is_new) == ("rejected", False)


@pytest.mark.parametrize("number", ["household", "unknown"])
def test_households_cannot_be_asked(cast: Cast, number: str) -> None:
    """A household's number, or one that never was, is refused alike."""
    public_id = cast.other_home.public_id if number == "household" else "org_000000000000"
    assert not queries.can_be_joined(public_id)
    with pytest.raises(actions.JoinRefused):
        actions.request_membership(actor=cast.ana, customer_public_id=public_id, now=NOW)
    assert queries.places_of(user_id=cast.ana.person_id)[0].customer == cast.home
    assert len(queries.places_of(user_id=cast.ana.person_id)) == 1


def test_an_administrator_decides_about_each_member(cast: Cast) -> None:
    """Olga lets Wim in, makes him an administrator and turns him out again; each step is in the trail, without a name."""
    wim = membership(cast, "wim").pk
    for status, role in (("approved", "member"), ("approved", "administrator"), ("rejected", "member")):
        decision = {"actor": cast.olga, "membership_id": wim, "status": status, "role": role, "now": NOW}
        view, is_changed = actions.decide_membership(**decision)
        assert (view.status, view.role, view.decided_at, is_changed) == (status, role, NOW, True)
        assert actions.decide_membership(**decision) == (view, False)
    entries = AuditEntry.objects.filter(action="membership.decided", detail__user=User.objects.get(name="Wim").public_id)
    assert [(entry.detail["status_before"], entry.detail["status"]) for entry in entries.order_by("sequence")] == [
        ("pending", "approved"),
        ("approved", "approved"),
        ("approved", "rejected"),
    ]
    assert "wim@" not in str(list(entries.values())).lower()
    assert audit.verify().broken_at is None


@pytest.mark.parametrize("name", ["milo", "wim", "rosa", "chloe", "pia"])
def test_nobody_else_decides(cast: Cast, name: str) -> None:
    """Members, those who wait, strangers and staff who do not administer can neither decide nor invite; nothing changes."""
    before = list(Membership.objects.order_by("pk").values())
    viewer = getattr(cast, name)
    refusal = Forbidden if name in {"milo", "pia"} else NotFound
    with pytest.raises(refusal):
        actions.decide_membership(actor=viewer, membership_id=membership(cast, "wim").pk, status="approved", role="administrator", now=NOW)
    with pytest.raises(refusal):
        actions.invite(actor=viewer, customer_id=cast.organisation.id, role=Role.MEMBER, email="", now=NOW)
    assert list(Membership.objects.order_by("pk").values()) == before
    assert not queries.open_invitations(cast.organisation.id, now=NOW)


@pytest.mark.parametrize(("status", "role"), [("approved", "member"), ("rejected", "administrator"), ("pending", "member")])
def test_the_last_administrator_stays(cast: Cast, status: str, role: str) -> None:
    """Olga can neither step down nor be turned out while nobody else administers; with a second one she can."""
    olga = membership(cast, "olga").pk
    with pytest.raises(actions.LastAdministrator):
        actions.decide_membership(actor=cast.otto, membership_id=olga, status=status, role=role, now=NOW)
    assert cast.viewer("olga") == cast.olga
    actions.decide_membership(actor=cast.olga, membership_id=membership(cast, "milo").pk, status="approved", role="administrator", now=NOW)
    decided, _ = actions.decide_membership(actor=cast.otto, membership_id=olga, status=status, role=role, now=NOW)
    assert (decided.status, decided.role) == (status, role)


@pytest.mark.django_db(transaction=True)
def test_two_administrators_cannot_turn_each_other_out() -> None:
    """Olga and Milo, both administrators, demote each other at the same moment: one of them stays."""
    cast = make_cast()
    olga, milo = membership(cast, "olga").pk, membership(cast, "milo").pk
    actions.decide_membership(actor=cast.olga, membership_id=milo, status="approved", role="administrator", now=NOW)
    start, refused = Barrier(2), []

    def demote(actor: Viewer, membership_id: int) -> None:
        try:
            start.wait()
            actions.decide_membership(actor=actor, membership_id=membership_id, status="approved", role="member", now=NOW)
        except actions.LastAdministrator:
            refused.append(actor.name)
        finally:
            connection.close()

    threads = [Thread(target=demote, args=each) for each in ((cast.olga, milo), (cast.viewer("milo"), olga))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(refused) == 1
    assert len(queries.administrator_user_ids(customer_ids=[cast.organisation.id])[cast.organisation.id]) == 1


def test_members_are_listed_with_those_who_wait_first(cast: Cast, django_assert_num_queries: object) -> None:
    """The page of an organisation shows who waits, then who belongs, then who was turned down, in one query."""
    with django_assert_num_queries(1):  # type: ignore[operator]
        members = queries.members_of(cast.organisation.id)
    assert [(view.person.name, view.status) for view in members] == [
        ("Wim", "pending"),
        ("Olga", "approved"),
        ("Milo", "approved"),
        ("Rosa", "rejected"),
    ]
    ids = (cast.organisation.id, cast.home.id)
    with django_assert_num_queries(1):  # type: ignore[operator]
        told = queries.member_user_ids(customer_ids=ids)
    assert told == {
        cast.organisation.id: (cast.olga.person_id, cast.milo.person_id),
        cast.home.id: (cast.ana.person_id, cast.bram.person_id),
    }
    assert queries.administrator_user_ids(customer_ids=ids) == {
        cast.organisation.id: (cast.olga.person_id,),
        cast.home.id: (cast.ana.person_id,),
    }


def test_the_list_of_customers_counts_and_finds(cast: Cast, django_assert_num_queries: object) -> None:
    """The operator finds customers by a part of the name or by number, with members, waiting people and sites counted once."""
    with django_assert_num_queries(2):  # type: ignore[operator]
        page = queries.all_customers(search="river")
    row = page.items[0]
    assert (page.total, row.customer, row.members, row.waiting, row.sites) == (1, cast.organisation, 2, 1, 1)
    assert [row.customer.name for row in queries.all_customers(kind="household").items] == ["Ana's household", "Chloe's household"]
    assert queries.all_customers(search=cast.home.public_id.upper()).items[0].customer == cast.home
    small = queries.all_customers(page=99, page_size=2)
    assert (small.number, small.pages, small.total, len(small.items)) == (2, 2, 3, 1)
    assert queries.all_customers(search="nobody").items == ()


def test_a_site_needs_a_zone_a_country_and_a_name_of_its_own(cast: Cast) -> None:
    """A site whose zone or country nobody knows, whose name is taken or empty, is refused with a reason; a good one is kept."""
    facts = {"customer_id": cast.home.id, "name": "Barn", "time_zone": ZONE, "country": "be", "actor": cast.ana, "now": NOW}
    refusals: list[tuple[dict[str, str], type[Exception]]] = [
        ({"time_zone": "Mars/Olympus"}, actions.UnknownTimeZone),
        ({"time_zone": "../../etc/passwd"}, actions.UnknownTimeZone),
        ({"time_zone": "Europe"}, actions.UnknownTimeZone),
        ({"country": "XX"}, actions.UnknownCountry),
        ({"country": "GB-XYZ"}, actions.UnknownCountry),
        ({"name": "Home"}, actions.SiteNameTaken),
        ({"name": "  "}, actions.NameMissing),
    ]
    for change, refusal in refusals:
        with pytest.raises(refusal):
            actions.create_site(**{**facts, **change})
    assert queries.sites_of(cast.home.id) == [cast.home_site]
    barn = actions.create_site(**{**facts, "country": " gb-eng ", "latitude": 50.9, "longitude": 4.7})
    assert (barn.country, barn.latitude) == ("GB-ENG", 50.9)
    same = {"name": "Barn", "time_zone": ZONE, "country": "BE", "latitude": None, "longitude": None}
    assert actions.update_site(actor=cast.bram, site_id=barn.id, **same, now=NOW).country == "BE"
    with pytest.raises(actions.SiteNameTaken):
        actions.update_site(actor=cast.bram, site_id=barn.id, **{**same, "name": "Home"}, now=NOW)
    with pytest.raises(NotFound):
        actions.update_site(actor=cast.chloe, site_id=barn.id, **same, now=NOW)
    assert queries.site_ids_of([cast.home.id]) == {cast.home.id: [cast.home_site.id, barn.id]}


def test_only_staff_create_organisations(cast: Cast) -> None:
    """The operator's members create and rename customers; a customer renames only what is theirs."""
    made = actions.create_customer(actor=cast.pia, kind=CustomerKind.ORGANISATION, name="  Town   hall ", now=NOW)
    assert (made.name, made.public_id[:4]) == ("Town hall", "org_")
    with pytest.raises(NotFound):
        actions.create_customer(actor=cast.olga, kind=CustomerKind.ORGANISATION, name="Mine", now=NOW)
    assert actions.rename_customer(actor=cast.olga, customer_id=cast.organisation.id, name="Library", now=NOW).name == "Library"
    with pytest.raises(Forbidden):
        actions.rename_customer(actor=cast.milo, customer_id=cast.organisation.id, name="Milo's", now=NOW)
    with pytest.raises(NotFound):
        actions.rename_customer(actor=cast.chloe, customer_id=cast.home.id, name="Chloe's", now=NOW)


def test_a_households_name_stays_out_of_the_trail(cast: Cast) -> None:
    """An organisation's old and new name stand in the trail; a household's do not, as they must be erasable."""
    actions.rename_customer(actor=cast.olga, customer_id=cast.organisation.id, name="Library", now=NOW)
    actions.rename_customer(actor=cast.ana, customer_id=cast.home.id, name="Number 7", now=NOW)
    renamed = queries.audit_of(page_size=2).items
    assert [(entry.action, entry.detail) for entry in renamed] == [
        ("customer.renamed", {}),
        ("customer.renamed", {"from": "Riverside Library", "to": "Library"}),
    ]
    assert (renamed[0].actor.name, renamed[0].actor_role) == ("Ana", "customer")  # type: ignore[union-attr]
    assert [entry.customer for entry in queries.audit_of(customer_id=cast.organisation.id, page_size=1).items] == [
        queries.customer_views([cast.organisation.id])[cast.organisation.id]
    ]


def test_pseudonyms_lead_back_to_their_customers(cast: Cast) -> None:
    """The ledger's pseudonym of each customer is its own, and leads back to it."""
    parties = queries.party_ids([cast.home.id, cast.organisation.id, -1])
    assert parties == {cast.home.id: cast.home.party_id, cast.organisation.id: cast.organisation.party_id}
    assert queries.customers_by_party([cast.home.party_id, "pty_unknown"]) == {cast.home.party_id: cast.home}
    assert queries.customers_of(viewer_for(cast.user("ana"))) == [cast.home]
    assert queries.site_views([cast.office.id, -1]) == {cast.office.id: cast.office}
