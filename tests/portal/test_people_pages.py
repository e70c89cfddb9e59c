"""The people and places of a customer, as its members, its administrators and the operator see them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from django.core import mail
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from tests.cast import NOW, Cast, join, sign_in
from tests.portal.world import World

from commonwatt.accounts import actions, queries
from commonwatt.accounts.models import Membership
from commonwatt.kernel.clock import TimeLapse
from commonwatt.metering.queries import meters_of
from commonwatt.outbox.models import Entry
from commonwatt.portal.context import SignIn, use_sign_ins
from commonwatt.portal.middleware import use_clock
from commonwatt.portal.trail import ACTS

SOURCE = Path(__file__).resolve().parents[2] / "src" / "commonwatt"


@pytest.fixture(autouse=True)
def _forget_attempts() -> None:
    cache.clear()


def people_page(cast: Cast, name: str, customer: str = "organisation") -> Any:
    """The page of a customer as somebody sees it."""
    client = sign_in(Client(), cast.user(name))
    return client.get(reverse("portal:organisation_members", args=[getattr(cast, customer).public_id]))


def decide(cast: Cast, who: str, about: str, standing: str) -> Any:
    """Somebody decides about a member of the organisation."""
    number = Membership.objects.get(user_id=getattr(cast, about).person_id, customer_id=cast.organisation.id).public_id
    client = sign_in(Client(), cast.user(who))
    address = reverse("portal:organisation_member_decide", args=[cast.organisation.public_id, number])
    return client.post(address, {"standing": standing}, follow=True)


def texts(response: Any) -> list[str]:
    """The messages that a page shows."""
    return [str(message) for message in response.context["messages"]]


def test_an_administrator_sees_who_waits_and_decides(cast: Cast) -> None:
    """Olga finds Wim waiting, lets him in, and he sees the library; the news of it goes to him."""
    page = people_page(cast, "olga")
    assert [member.person.name for member in page.context["waiting"]] == ["Wim"]
    assert [member.person.name for member in page.context["members"]] == ["Olga", "Milo", "Rosa"]
    assert texts(decide(cast, "olga", "wim", "member")) == ["Wim: Member."]
    assert people_page(cast, "wim").status_code == 200
    entry = Entry.objects.get(kind="membership.decided")
    assert entry.payload == {"customer_id": cast.organisation.id, "user_id": cast.wim.person_id, "status": "approved", "role": "member"}
    decide(cast, "olga", "wim", "member")
    assert Entry.objects.filter(kind="membership.decided").count() == 1, "deciding the same again is no news"


def test_a_member_sees_who_belongs_and_no_forms(cast: Cast) -> None:
    """Milo sees who belongs, but not who waits or was turned down, nor any form to decide, invite or rename."""
    page = people_page(cast, "milo")
    assert [member.person.name for member in page.context["members"]] == ["Olga", "Milo"]
    html = page.content.decode()
    assert "Wim" not in html
    assert "Rosa" not in html
    assert reverse("portal:organisation_invite", args=[cast.organisation.public_id]) not in html
    assert "standing" not in html
    assert reverse("portal:organisation_rename", args=[cast.organisation.public_id]) not in html


def test_somebody_must_administer(cast: Cast) -> None:
    """Olga cannot step down while she administers alone, and is told what to do."""
    answer = decide(cast, "olga", "olga", "member")
    assert texts(answer) == ["Somebody must administer. Make another member an administrator first."]
    assert cast.viewer("olga") == cast.olga
    decide(cast, "olga", "milo", "administrator")
    assert texts(decide(cast, "milo", "olga", "rejected")) == ["Olga: Turned down."]
    assert people_page(cast, "olga").status_code == 404


def test_a_standing_that_does_not_exist_is_refused(cast: Cast) -> None:
    """A form with a made-up standing changes nothing; a membership of another customer does not exist here."""
    assert texts(decide(cast, "olga", "wim", "owner")) == ["Choose where the member stands."]
    bram = Membership.objects.get(user_id=cast.bram.person_id).public_id
    olga = sign_in(Client(), cast.user("olga"))
    address = reverse("portal:organisation_member_decide", args=[cast.organisation.public_id, bram])
    assert olga.post(address, {"standing": "rejected"}).status_code == 404
    assert cast.viewer("bram") == cast.bram
    assert cast.viewer("wim") == cast.wim


def test_an_invitation_is_shown_once_and_mailed(cast: Cast) -> None:
    """Olga invites Eve by address: the code is shown, mailed to Eve alone, and works for her address alone."""
    olga = sign_in(Client(), cast.user("olga"))
    invite = reverse("portal:organisation_invite", args=[cast.organisation.public_id])
    page = olga.post(invite, {"email": "eve@example.org", "role": "member"})
    code = page.context["code"]
    assert f'<p class="code-shown">{code}</p>' in page.content.decode()
    assert "no-store" in page.headers["Cache-Control"]
    (letter,) = mail.outbox
    assert (letter.to, letter.subject) == (["eve@example.org"], "Olga invites you to Riverside Library")
    assert f"http://127.0.0.1:8000/invitation/{code}/" in letter.body
    members = reverse("portal:organisation_members", args=[cast.organisation.public_id])
    later = olga.get(members)
    assert [view.email for view in later.context["invitations"]] == ["eve@example.org"]
    assert code not in later.content.decode()
    chloe = sign_in(Client(), cast.user("chloe"))
    assert chloe.post(reverse("portal:accept_invitation", args=[code])).status_code == 400
    assert cast.viewer("chloe") == cast.chloe


def test_an_invitation_leads_in(cast: Cast) -> None:
    """Whoever is not signed in is offered both ways, with the code taken along; signed in, one click joins."""
    code = actions.invite(actor=cast.olga, customer_id=cast.organisation.id, role="member", email="", now=NOW)
    address = reverse("portal:accept_invitation", args=[code])
    page = Client().get(address).content.decode()
    assert f"{reverse('account_signup')}?code={code}" in page
    assert f"{reverse('account_login')}?next=%2Finvitation%2F{code}%2F" in page
    assert "Riverside" not in page, "a stranger does not learn whose code it is"
    chloe = sign_in(Client(), cast.user("chloe"))
    assert "Join Riverside Library?" in chloe.get(address).content.decode()
    assert cast.viewer("chloe") == cast.chloe
    joined = chloe.post(address, follow=True)
    assert texts(joined) == ["You now belong to Riverside Library."]
    assert cast.organisation.id in cast.viewer("chloe").member_of


def test_an_invitation_can_be_taken_back(cast: Cast) -> None:
    """Olga withdraws an invitation: the code is worth nothing, and withdrawing it twice finds nothing."""
    code = actions.invite(actor=cast.olga, customer_id=cast.organisation.id, role="member", email="", now=NOW)
    number = queries.open_invitations(cast.organisation.id, now=NOW)[0].public_id
    address = reverse("portal:organisation_invitation_withdraw", args=[cast.organisation.public_id, number])
    olga = sign_in(Client(), cast.user("olga"))
    assert olga.post(address).status_code == 302
    assert olga.post(address).status_code == 404
    chloe = sign_in(Client(), cast.user("chloe"))
    assert chloe.post(reverse("portal:accept_invitation", args=[code])).status_code == 400


def test_a_household_shares_itself(cast: Cast) -> None:
    """Ana invites Chloe into her household; Bram, who shares it, edits its site but decides about nobody."""
    code = actions.invite(actor=cast.ana, customer_id=cast.home.id, role="member", email="chloe@example.org", now=NOW)
    chloe = sign_in(Client(), cast.user("chloe"))
    chloe.post(reverse("portal:accept_invitation", args=[code]))
    assert cast.viewer("chloe").acts_for == {cast.other_home.id, cast.home.id}
    bram = sign_in(Client(), cast.user("bram"))
    site = {"name": "Attic", "time_zone": "Europe/Brussels", "country": "be", "latitude": "50.88", "longitude": "4.7"}
    assert bram.post(reverse("portal:site", args=[cast.home_site.public_id]), site).status_code == 302
    assert queries.site_views([cast.home_site.id])[cast.home_site.id].name == "Attic"
    number = Membership.objects.get(user_id=cast.ana.person_id).public_id
    address = reverse("portal:organisation_member_decide", args=[cast.home.public_id, number])
    assert bram.post(address, {"standing": "member"}).status_code == 403


@pytest.mark.parametrize(
    ("change", "field"),
    [({"country": "XX"}, "country"), ({"latitude": "50"}, "longitude"), ({"name": "Home"}, "name"), ({"time_zone": "x"}, "time_zone")],
)
def test_a_wrong_site_says_what_is_wrong(cast: Cast, change: dict[str, str], field: str) -> None:
    """An unknown country, half a position, a name used before or an unknown zone is pointed at; nothing is saved."""
    ana = sign_in(Client(), cast.user("ana"))
    facts = {"name": "Shed", "time_zone": "Europe/Brussels", "country": "BE", **change}
    answer = ana.post(reverse("portal:site_new", args=[cast.home.public_id]), facts)
    assert list(answer.context["form"].errors) == [field]
    assert queries.sites_of(cast.home.id) == [cast.home_site]


def test_whoever_waits_reads_where_they_stand(cast: Cast) -> None:
    """Wim reads that he waits, Rosa that she was not admitted, Chloe that she belongs; none of it names a member."""
    expected = {"wim": "Waiting for approval", "rosa": "Turned down", "chloe": "Administrator"}
    for name, words in expected.items():
        page = sign_in(Client(), cast.user(name)).get(reverse("portal:waiting")).content.decode()
        assert words in page
        assert "Olga" not in page


def test_a_code_of_a_meter_can_be_for_the_organisation(cast: Cast) -> None:
    """Olga claims a meter for the library she administers; Milo, a member, gets a household of his own."""
    world, claimed = World(cast), reverse("portal:claim")
    olga, milo = sign_in(Client(), cast.user("olga")), sign_in(Client(), cast.user("milo"))
    code, other = world.claim_code("E1"), world.claim_code("E2")
    answer = olga.post(claimed, {"code": code, "customer": cast.organisation.public_id}, follow=True)
    assert texts(answer) == ["Your meter is connected to Riverside Library."]
    assert [meter.number for meter in meters_of(cast.organisation.id, NOW)] == ["E1"]
    refused = milo.post(claimed, {"code": other, "customer": cast.organisation.public_id}, follow=True)
    assert texts(refused) == ["Your meter is connected to Milo."], "what Milo may not choose is not offered, and not heeded"
    assert [meter.number for meter in meters_of(cast.organisation.id, NOW)] == ["E1"]


def test_navigation_shows_what_one_may_open(cast: Cast) -> None:
    """Everybody's navigation leads only to pages that open for them, and the page one is on is marked."""
    for name in ("ana", "milo", "wim", "chloe", "otto", "pia"):
        client = sign_in(Client(), cast.user(name))
        page = client.get(reverse("portal:account"))
        items = page.context["nav_items"]()
        assert items
        for item in items:
            there = client.get(item.url, follow=True)
            assert there.status_code == 200, f"{name}: {item.label}"
            if there.wsgi_request.path.startswith(item.url):  # a household without a meter is led from its dashboard to the codes
                assert [each.label for each in there.context["nav_items"]() if each.active] == [item.label]
    labels = {name: {str(item.label) for item in people_of_nav(cast, name)} for name in ("ana", "wim", "otto", "pia")}
    assert "Staff" in labels["otto"]
    assert not {"Staff", "Trail"} & labels["pia"]
    assert not {"Customers", "Staff"} & labels["ana"]
    assert labels["wim"] == {"Where you stand", "Enter a code"}


def people_of_nav(cast: Cast, name: str) -> list[Any]:
    """Somebody's navigation."""
    client = sign_in(Client(), cast.user(name))
    return list(client.get(reverse("portal:account")).context["nav_items"]())


def test_the_operator_finds_enters_and_renames_customers(cast: Cast) -> None:
    """Pia enters a town hall, finds it by a part of its name, and renames it; the change stands in its trail."""
    pia = sign_in(Client(), cast.user("pia"))
    answer = pia.post(reverse("portal:operator_customer_new"), {"name": "Town hall", "kind": "organisation"}, follow=True)
    assert texts(answer) == ["Town hall is entered. Next: its sites, its meters, its first administrator."]
    made = answer.context["customer"]
    found = pia.get(reverse("portal:operator_customers"), {"q": "own HA"}).context["page"]
    assert [row.customer for row in found.items] == [made]
    renamed = pia.post(reverse("portal:organisation_rename", args=[made.public_id]), {"name": "City hall"}, follow=True)
    assert renamed.redirect_chain[-1][0] == reverse("portal:operator_customer", args=[made.public_id])
    otto = sign_in(Client(), cast.user("otto"))
    lines = otto.get(reverse("portal:organisation_trail", args=[made.public_id])).context["lines"]
    assert [(line.who, line.act, line.what) for line in lines] == [
        ("Pia", "Customer renamed", "from “Town hall” to “City hall”"),
        ("Pia", "Customer created", "Town hall"),
    ]
    empty = pia.post(reverse("portal:organisation_rename", args=[made.public_id]), {"name": " "}, follow=True)
    assert texts(empty) == ["A name has 1 to 120 characters."]


def test_the_list_of_customers_costs_the_same_however_long(cast: Cast, django_assert_num_queries: Any) -> None:
    """Forty more customers make the operator's list no slower, and it comes in pages."""
    for number in range(60):
        actions.create_customer(actor=None, kind="organisation", name=f"Hall {number:02}", now=NOW)
    otto = sign_in(Client(), cast.user("otto"))
    address = reverse("portal:operator_customers")
    # Session, person, membership (2), count, the page with its counts, unread messages.
    with django_assert_num_queries(7):
        page = otto.get(address)
    assert (len(page.context["page"].items), page.context["page"].pages) == (25, 3)
    assert "1–25 of 63" in page.content.decode()
    last = otto.get(address, {"page": "3", "kind": "organisation"})
    assert "51–61 of 61" in last.content.decode()
    for odd in ("0", "-1", "x", "99999999999", "²"):
        assert otto.get(address, {"page": odd}).status_code == 200


def test_a_customers_page_costs_the_same_however_many_belong(cast: Cast, django_assert_num_queries: Any) -> None:
    """Members, invitations, sites and meters are asked for once each."""
    world = World(cast)
    world.meter("organisation")
    for name in ("ana", "bram", "chloe"):
        join(cast.user(name), cast.organisation, "member")  # type: ignore[arg-type]
    otto = sign_in(Client(), cast.user("otto"))
    # Session, person, membership (2), customer, members, invitations, sites, meters (3), unread messages.
    with django_assert_num_queries(12):
        page = otto.get(reverse("portal:operator_customer", args=[cast.organisation.public_id]))
    assert [meter["number"] for meter in page.context["meters"]] == ["E-organisation"]


def test_the_staff_is_added_by_a_link_shown_once(cast: Cast) -> None:
    """Otto adds Quin: the one-time address is shown once and leads to the desk; Ana, who has an account, gets none."""
    otto = sign_in(Client(), cast.user("otto"))
    staff = reverse("portal:operator_staff")
    page = otto.post(staff, {"email": "quin@example.org", "name": "Quin", "role": "member"})
    link = page.context["link"]
    assert link.startswith("http://127.0.0.1:8000/sign-in-link/")
    assert link in page.content.decode()
    assert otto.get(staff).context["link"] is None
    quin = Client()
    quin.post(link.removeprefix("http://127.0.0.1:8000"), {"password": "a kettle of blue fish"})
    assert quin.get(reverse("portal:operator_customers")).status_code == 200
    existing = otto.post(staff, {"email": "ana@example.org", "name": "Ana", "role": "member"})
    assert existing.context["link"] is None
    assert "has an account already" in existing.content.decode()
    twice = otto.post(staff, {"email": "ana@example.org", "name": "Ana", "role": "member"})
    assert twice.context["form"].errors["email"] == ["This person works at the desk already."]


def test_the_desk_keeps_an_administrator(cast: Cast) -> None:
    """Otto cannot step down alone; once Pia administers he can, and then the staff's page is closed to him."""
    otto, pia = cast.user("otto").public_id, cast.user("pia").public_id
    client = sign_in(Client(), cast.user("otto"))
    role = "portal:operator_staff_role"
    refused = client.post(reverse(role, args=[otto]), {"role": ""}, follow=True)
    assert texts(refused) == ["Somebody must administer the desk. Make another member an administrator first."]
    client.post(reverse(role, args=[pia]), {"role": "administrator"})
    assert client.post(reverse(role, args=[otto]), {"role": "member"}).headers["Location"] == reverse("portal:home")
    assert client.get(reverse("portal:operator_staff")).status_code == 403


def test_every_act_has_words() -> None:
    """Whatever any room writes into the trail is shown in words, and no words are left over."""
    rooms = ("accounts", "metering", "demand_response", "settlement")
    sources = [path.read_text() for room in rooms for path in (SOURCE / room).glob("*.py")]
    nouns = "|".join(sorted({act.partition(".")[0] for act in ACTS}))
    written = {act for text in sources for act in re.findall(rf'"((?:{nouns})\.[a-z_]+)"', text)}
    assert written - {"settlement.readings"} == set(ACTS), "settlement.readings is a cursor's name, not an act"


def test_a_demo_says_so_on_every_page(cast: Cast, client: Client) -> None:
    """In a time-lapse every page says that time runs fast; the people whom a visitor may be are offered at the sign-in."""
    assert client.get(reverse("portal:landing")).context["demo_banner"] is None
    use_clock(TimeLapse(anchor_real=NOW, anchor_shown=NOW, rate=60.0))
    use_sign_ins([SignIn("Ana", "A household", "ana@example.org", "secret words of the demo")])
    try:
        page = client.get(reverse("account_login"))
        assert "in a time-lapse of 60 seconds a second" in page.content.decode()
        assert "A household" in page.content.decode()
    finally:
        use_sign_ins([])
