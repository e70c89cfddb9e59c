"""Who you are, what you may do, and the customers and sites you may see."""

from __future__ import annotations

from datetime import datetime

from django.http import HttpRequest
from ninja import Router, Schema
from pydantic import Field

from commonwatt.accounts import queries
from commonwatt.accounts.access import Right, Viewer, access_customer, access_site
from commonwatt.accounts.values import CustomerView, SiteView
from commonwatt.api.common import PageNumber, PageOf, customer_names, fill, page_of
from commonwatt.api.requests import api_request

router = Router(tags=["accounts"])


class MembershipOut(Schema):
    """What you may do for one customer."""

    customer: str
    name: str
    right: str = Field(description="view, change or manage; each includes the ones before it.")


class MeOut(Schema):
    """Who you are and what you may do."""

    name: str
    email: str
    is_operator: bool
    is_operator_administrator: bool
    customers: list[MembershipOut]
    now: datetime = Field(description="The present as this install knows it; a demo lives in a time-lapse.")


class CustomerOut(Schema):
    """An organisation or a household."""

    id: str
    kind: str
    name: str


class SiteOut(Schema):
    """A place with one connection to the grid and one civil time zone."""

    id: str
    customer: str
    name: str
    time_zone: str
    country: str
    latitude: float | None
    longitude: float | None


class CustomerDetail(CustomerOut):
    """A customer with its sites."""

    sites: list[SiteOut]


@router.get("/me", response=MeOut)
def get_me(request: HttpRequest) -> MeOut:
    """Who you are and what you may do."""
    asked = api_request(request)
    memberships = [
        MembershipOut(customer=customer.public_id, name=customer.name, right=_right(asked.viewer, customer))
        for customer in queries.customers_of(asked.viewer)
    ]
    return fill(MeOut, asked.viewer, customers=memberships, now=asked.now)


@router.get("/customers", response=PageOf[CustomerOut])
def list_customers(request: HttpRequest, page: PageNumber) -> dict[str, object]:
    """One page of the customers you belong to; of all customers for the operator."""
    viewer = api_request(request).viewer
    if viewer.is_operator:
        found = queries.all_customers(page=page)
        return page_of(found, (_customer(row.customer) for row in found.items))
    mine = [_customer(view) for view in queries.customers_of(viewer)]
    return {"items": mine if page == 1 else [], "page": page, "pages": 1, "total": len(mine)}


@router.get("/customers/{customer_id}", response=CustomerDetail)
def get_customer(request: HttpRequest, customer_id: str) -> CustomerDetail:
    """A customer with its sites."""
    asked = api_request(request)
    view = access_customer(asked.viewer, customer_id, now=asked.now)
    sites = [_site(site, view.public_id) for site in queries.sites_of(view.id)]
    return fill(CustomerDetail, view, id=view.public_id, sites=sites)


@router.get("/sites/{site_id}", response=SiteOut)
def get_site(request: HttpRequest, site_id: str) -> SiteOut:
    """A site."""
    asked = api_request(request)
    view = access_site(asked.viewer, site_id, now=asked.now)
    return _site(view, customer_names([view.customer_id])[view.customer_id])


def _right(viewer: Viewer, customer: CustomerView) -> str:
    return (viewer.right_in(customer.id) or Right.VIEW).name.lower()


def _customer(view: CustomerView) -> CustomerOut:
    return fill(CustomerOut, view, id=view.public_id)


def _site(view: SiteView, customer: str) -> SiteOut:
    return fill(SiteOut, view, id=view.public_id, customer=customer)
