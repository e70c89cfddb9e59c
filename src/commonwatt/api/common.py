"""What endpoints share: pages of a list, spans of time, and the names under which others know sites and customers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any, Generic, TypeVar

from ninja import Query, Schema
from pydantic import AwareDatetime, Field

from commonwatt.accounts import queries as accounts
from commonwatt.accounts.values import Page

T = TypeVar("T")
S = TypeVar("S", bound=Schema)
PageNumber = Annotated[int, Query(1, ge=1, le=1_000_000, description="Which page, from 1.")]
From = Annotated[AwareDatetime, Query(..., alias="from", description="Start of the span, with an offset.")]
To = Annotated[AwareDatetime, Query(..., alias="to", description="End of the span (no longer part of it), with an offset.")]


class PageOf(Schema, Generic[T]):
    """One page of a list."""

    items: list[T]
    page: int = Field(description="This page, from 1.")
    pages: int
    total: int = Field(description="Items on all pages.")


def fill(schema: type[S], source: object, **more: object) -> S:
    """A schema's object with the fields of the same name from a value of the domains, and those given by name."""
    same = {name: getattr(source, name) for name in schema.model_fields if name not in more and hasattr(source, name)}
    return schema.model_validate({**same, **more})


def page_of(page: Page[Any], items: Iterable[object]) -> dict[str, object]:
    """A page with its items as they are sent. (Any: only its numbers are looked at.)"""
    return {"items": list(items), "page": page.number, "pages": page.pages, "total": page.total}


def site_names(site_ids: Iterable[int]) -> dict[int, str]:
    """Public ids of sites."""
    return {key: view.public_id for key, view in accounts.site_views(site_ids).items()}


def customer_names(customer_ids: Iterable[int]) -> dict[int, str]:
    """Public ids of customers."""
    return {key: view.public_id for key, view in accounts.customer_views(customer_ids).items()}
