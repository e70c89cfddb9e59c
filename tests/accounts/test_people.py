"""The operator's staff, one-time links, profiles, what people sign up with, and closing an account."""

from __future__ import annotations

from datetime import timedelta

import pytest
from allauth.account.models import EmailAddress
from tests.cast import NOW, Cast

from commonwatt.accounts import actions, audit, people, queries
from commonwatt.accounts.access import Forbidden, NotFound, viewer_for
from commonwatt.accounts.choices import PendingKind, Role
from commonwatt.accounts.models import AuditEntry, Invitation, Membership, OperatorMembership, SignInLink, User
from commonwatt.kernel.ids import digest_secret


@pytest.mark.django_db
def test_the_first_operator_comes_in_by_a_link_and_sets_a_password() -> None:
    """A new operator has no password; the one-time link sets one, works once, and is kept as a digest only."""
    person, token = people.create_operator(email=" Otto@Example.org ", name="Otto", role="administrator", now=NOW)
    assert token is not None
    user = User.objects.get(pk=person.id)
    assert (user.email, user.has_usable_password()) == ("otto@example.org", False)
    assert EmailAddress.objects.get(user=user).verified
    assert people.link_works(token=token, now=NOW)
    assert people.link_works(token=token, now=NOW), "asking uses nothing up"
    assert people.use_sign_in_link(token=token, new_password="a kettle of blue fish", now=NOW) == person.id
    assert User.objects.get(pk=person.id).check_password("a kettle of blue fish")
    assert not people.link_works(token=token, now=NOW)
    with pytest.raises(people.LinkRefused):
        people.use_sign_in_link(token=token, new_password="another blue kettle", now=NOW)
    assert User.objects.get(pk=person.id).check_password("a kettle of blue fish")
    assert token not in str([*SignInLink.objects.values(), *AuditEntry.objects.values()])


@pytest.mark.django_db
def test_links_end_after_a_week_and_with_their_successor() -> None:
    """A link ends after seven days; using a newer one ends the older ones too."""
    _, first = people.create_operator(email="otto@example.org", name="Otto", role="administrator", now=NOW)
    second = people.new_sign_in_link(email="otto@example.org", now=NOW)
    assert first is not None
    last = NOW + people.LINK_LIFE - timedelta(seconds=1)
    assert people.link_works(token=first, now=last)
    assert not people.link_works(token=first, now=NOW + people.LINK_LIFE)
    people.use_sign_in_link(token=second, new_password="a kettle of blue fish", now=last)
    assert not people.link_works(token=first, now=last)
    with pytest.raises(people.NotOperator, match="chloe@example"):
        people.new_sign_in_link(email="chloe@example.org", now=NOW)


def test_an_existing_account_joins_the_staff_with_its_own_password(cast: Cast) -> None:
    """Making Ana staff gives nobody a link past her password; making her staff twice is refused."""
    person, token = people.create_operator(email="ANA@example.org", name="", role=Role.MEMBER, actor=cast.otto, now=NOW)
    assert (person.id, token) == (cast.ana.person_id, None)
    assert cast.viewer("ana").is_operator
    assert not SignInLink.objects.exists()
    with pytest.raises(people.AlreadyOperator):
        people.create_operator(email="ana@example.org", name="", role=Role.ADMINISTRATOR, actor=cast.otto, now=NOW)
    assert not cast.viewer("ana").is_operator_administrator


def test_only_staff_administrators_change_the_staff(cast: Cast) -> None:
    """Pia, a member of the staff, and Olga, a customer, can neither add nor change staff; nothing changes."""
    for viewer, refusal in ((cast.pia, Forbidden), (cast.olga, NotFound)):
        with pytest.raises(refusal):
            people.create_operator(email="new@example.org", name="New", role=Role.MEMBER, actor=viewer, now=NOW)
        with pytest.raises(refusal):
            people.set_operator_role(actor=viewer, public_id=cast.user("pia").public_id, role=Role.ADMINISTRATOR, now=NOW)
    assert [(row.person.name, row.role) for row in queries.operators()] == [("Otto", "administrator"), ("Pia", "member")]
    assert not User.objects.filter(email="new@example.org").exists()


def test_the_desk_keeps_an_administrator(cast: Cast) -> None:
    """Otto, the only administrator, can neither be taken off nor step down; after Pia is made one he can."""
    otto, pia = cast.user("otto").public_id, cast.user("pia").public_id
    for role in (Role.MEMBER, None):
        with pytest.raises(actions.LastAdministrator):
            people.set_operator_role(actor=cast.otto, public_id=otto, role=role, now=NOW)
    people.set_operator_role(actor=cast.otto, public_id=pia, role=Role.ADMINISTRATOR, now=NOW)
    people.set_operator_role(actor=cast.otto, public_id=otto, role=None, now=NOW)
    assert queries.operator_ids() == [cast.pia.person_id]
    assert not cast.viewer("otto").is_operator


def test_a_profile_takes_only_real_zones(cast: Cast) -> None:
    """Ana changes her name and zone; a zone that does not exist is refused and nothing changes."""
    people.update_profile(actor=cast.ana, name=" Ana  Peeters ", time_zone="Europe/London", language="en", now=NOW)
    with pytest.raises(actions.UnknownTimeZone, match="Mars"):
        people.update_profile(actor=cast.ana, name="X", time_zone="Mars/Olympus", language="en", now=NOW)
    user = cast.user("ana")
    assert (user.name, user.time_zone, user.language) == ("Ana Peeters", "Europe/London", "en")


def test_what_one_signed_up_with_is_handed_out_once(cast: Cast) -> None:
    """What Chloe signed up with is kept for her, replaced if she signs up anew, and handed out once."""
    chloe = cast.chloe.person_id
    join = people.Pending(PendingKind.JOIN, "", cast.organisation.public_id)
    claim = people.Pending(PendingKind.METER, digest_secret("X"), "")
    for pending in (join, claim, join):
        people.keep_pending(user_id=chloe, pending=pending, now=NOW)
    assert people.take_pending(user_id=cast.ana.person_id) is None
    assert people.take_pending(user_id=chloe) == join
    assert people.take_pending(user_id=chloe) is None


def test_closing_an_account_erases_its_person(cast: Cast) -> None:
    """After Ana closes her account nothing in these tables names her; the trail is whole, and Bram keeps the household."""
    actions.invite(actor=cast.ana, customer_id=cast.home.id, role=Role.MEMBER, email="ana@example.org", now=NOW)
    actions.decide_membership(
        actor=cast.ana,
        membership_id=Membership.objects.get(user_id=cast.bram.person_id).pk,
        status="approved",
        role="administrator",
        now=NOW,
    )
    people.close_account(actor=cast.ana, now=NOW)
    tables = [User, EmailAddress, Membership, Invitation, AuditEntry, SignInLink]
    everything = str([list(table.objects.values()) for table in tables]).lower()
    assert "ana@" not in everything
    assert "'ana'" not in everything
    user = cast.user("ana")
    assert (user.is_active, user.closed_at, user.has_usable_password()) == (False, NOW, False)
    assert viewer_for(user).is_anonymous
    assert cast.viewer("bram").administers == {cast.home.id}
    assert audit.verify().broken_at is None
    actor = queries.audit_of(page_size=1).items[0].actor
    assert actor is not None
    assert (actor.id, actor.name, actor.email, actor.label) == (cast.ana.person_id, "", "", "")


def test_the_last_to_leave_a_household_takes_its_names_along(cast: Cast) -> None:
    """When Chloe, who lives alone, closes her account, her household keeps its number and loses its names and place."""
    people.close_account(actor=cast.chloe, now=NOW)
    left = queries.customer_views([cast.other_home.id])[cast.other_home.id]
    site = queries.site_views([cast.other_site.id])[cast.other_site.id]
    assert (left.name, left.party_id) == (left.public_id, cast.other_home.party_id)
    assert (site.name, site.time_zone) == (site.public_id, cast.other_site.time_zone)


def test_nobody_closes_an_account_that_others_depend_on(cast: Cast) -> None:
    """Olga, Ana and Otto administer alone what others belong to: they must hand over first, and nothing is erased."""
    for name in ("olga", "ana", "otto"):
        with pytest.raises(actions.LastAdministrator):
            people.close_account(actor=getattr(cast, name), now=NOW)
        assert cast.viewer(name) == getattr(cast, name)
    people.close_account(actor=cast.pia, now=NOW)
    assert list(OperatorMembership.objects.values_list("user_id", flat=True)) == [cast.otto.person_id]
