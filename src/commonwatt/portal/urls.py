"""The pages of the portal."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from commonwatt.portal import routes_customer, routes_operator
from commonwatt.portal.views import account, entrance, operator_customers, people, public

app_name = "portal"

# For everybody
_public: list[URLPattern | URLResolver] = [
    path("", public.landing, name="landing"),
    path("help/", public.help_page, name="help"),
]

# Ways in
_entrance: list[URLPattern | URLResolver] = [
    path("home/", entrance.home, name="home"),
    path("claim/", entrance.claim, name="claim"),
    path("waiting/", entrance.waiting, name="waiting"),
    path("invitation/<str:code>/", entrance.accept_invitation, name="accept_invitation"),
    path("sign-in-link/<str:token>/", entrance.sign_in_link, name="sign_in_link"),
]

# One's own account
_account: list[URLPattern | URLResolver] = [
    path("account/", account.account, name="account"),
    path("account/messages/", account.account_notifications, name="account_notifications"),
    path("account/sessions/end/", account.account_sessions_end, name="account_sessions_end"),
    path("account/sessions/<int:session_id>/end/", account.account_session_end, name="account_session_end"),
    path("account/trail/", account.account_trail, name="account_trail"),
    path("account/close/", account.account_close, name="account_close"),
]

# The people and places of a customer
_people: list[URLPattern | URLResolver] = [
    path("people/", people.organisation, name="organisation"),
    path("people/<str:public_id>/", people.organisation_members, name="organisation_members"),
    path("people/<str:public_id>/name/", people.organisation_rename, name="organisation_rename"),
    path("people/<str:public_id>/trail/", people.organisation_trail, name="organisation_trail"),
    path("people/<str:public_id>/invitations/", people.organisation_invite, name="organisation_invite"),
    path(
        "people/<str:public_id>/invitations/<str:invitation_id>/withdraw/",
        people.organisation_invitation_withdraw,
        name="organisation_invitation_withdraw",
    ),
    path(
        "people/<str:public_id>/members/<str:membership_id>/",
        people.organisation_member_decide,
        name="organisation_member_decide",
    ),
    path("people/<str:public_id>/sites/new/", people.site_new, name="site_new"),
    path("sites/<str:public_id>/", people.site, name="site"),
]

# The operator's customers and staff
_operator_people: list[URLPattern | URLResolver] = [
    path("operator/customers/", operator_customers.operator_customers, name="operator_customers"),
    path("operator/customers/new/", operator_customers.operator_customer_new, name="operator_customer_new"),
    path("operator/customers/<str:public_id>/", operator_customers.operator_customer, name="operator_customer"),
    path("operator/staff/", operator_customers.operator_staff, name="operator_staff"),
    path("operator/staff/<str:public_id>/", operator_customers.operator_staff_role, name="operator_staff_role"),
    path("operator/trail/", operator_customers.operator_audit, name="operator_audit"),
]

urlpatterns: list[URLPattern | URLResolver] = [
    *_public,
    *_entrance,
    *_account,
    *_people,
    *_operator_people,
    # Before the customers' pages: `events/new/` is no event's number.
    *routes_operator.routes,
    *routes_customer.routes,
]
