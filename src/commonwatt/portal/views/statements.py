"""What a customer was credited: the list, one statement line by line, and the same as CSV."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from commonwatt.accounts.access import access_customer
from commonwatt.accounts.values import CustomerView
from commonwatt.portal import figures
from commonwatt.portal.event_words import used_of
from commonwatt.portal.requests import PortalRequest, page_number
from commonwatt.portal.tables import column, csv_response, table
from commonwatt.settlement import queries
from commonwatt.settlement import savings as settled
from commonwatt.settlement.access import access_statement
from commonwatt.settlement.statements import DayRow, EntryRow, LineRow, MeterSection, StatementDetail, csv_rows, statement_detail


@login_required
@require_safe
def statements(request: PortalRequest) -> HttpResponse:
    """The statements of the first of the viewer's customers; from there one goes to the others."""
    if not request.viewer.customers:
        return redirect("portal:waiting")
    return redirect("portal:statements_of", request.viewer.customers[0].public_id)


@login_required
@never_cache
@require_safe
def statements_of(request: PortalRequest, public_id: str) -> HttpResponse:
    """A customer's statements, what they come to, and what is owed."""
    customer = access_customer(request.viewer, public_id, now=request.now)
    context = {
        "customer": customer,
        "others": [other for other in request.viewer.customers if other.id != customer.id],
        "page": queries.statements_of(customer.id, page_number(request)),
        "savings": settled.savings_of_customer(customer_id=customer.id, until=request.now),
        "balances": [figures.money(nanos, currency, 4) for currency, nanos in queries.balances_of(customer.id).items()],
    }
    return render(request, "portal/statements.html", context)


@login_required
@never_cache
@require_safe
def statement(request: PortalRequest, public_id: str) -> HttpResponse:
    """One statement: the rule, the days, the adjustment, every interval, what was credited and what was corrected."""
    found = access_statement(request.viewer, public_id, now=request.now)
    detail = statement_detail(found.id)
    customer = next((one for one in request.viewer.customers if one.id == detail.customer_id), None)
    context = {
        "detail": detail,
        "sections": [_section(section, detail.currency) for section in detail.meters],
        "crumbs": _crumbs(detail, customer),
        "facts": _facts(detail),
        "entries": [_entry(entry, detail.currency) for entry in ((detail.credit,) if detail.credit else ()) + detail.corrections],
        "total_text": figures.money(detail.total_nanos - detail.carried_nanos, detail.currency),
        "carry_text": _carry(detail),
        "exact_total": f"{detail.currency} {figures.exact_amount(detail.total_nanos)}",
    }
    return render(request, "portal/statement.html", context)


@login_required
@never_cache
@require_safe
def statement_csv(request: PortalRequest, public_id: str) -> HttpResponse:
    """The lines of a statement for a spreadsheet, with exact decimals."""
    found = access_statement(request.viewer, public_id, now=request.now)
    return csv_response(csv_rows(found.id), name=f"{public_id}.csv")


def _crumbs(detail: StatementDetail, customer: CustomerView | None) -> list[dict[str, str]]:
    start = [{"label": _("Statements"), "url": reverse("portal:statements_of", args=[customer.public_id])}] if customer else []
    return [*start, {"label": detail.program_name, "url": ""}]


def _facts(detail: StatementDetail) -> list[dict[str, str]]:
    price = figures.price(detail.credited_price_micros_per_kwh, detail.currency)
    return [
        {"label": _("Program"), "value": detail.program_name, "hint": _("terms version %(n)d") % {"n": detail.terms_version}},
        {"label": _("Baseline rule"), "value": detail.rule_title, "hint": ""},
        {"label": _("Price"), "value": price, "hint": detail.factor_text},
        {"label": _("If more was used"), "value": detail.negative_text, "hint": ""},
    ]


def _carry(detail: StatementDetail) -> str:
    carried = f"{detail.currency} {figures.exact_amount(detail.carried_nanos)}"
    if not detail.carried_nanos:
        return _("Comes to whole cents.")
    if detail.carried_nanos < 0:
        return _("%(amount)s is owed and deducted from the next payout.") % {"amount": carried}
    return _("%(amount)s is less than a cent and carried to the next payout.") % {"amount": carried}


def _entry(entry: EntryRow, currency: str) -> dict[str, Any]:
    shown = ("kind_text", "settlement_number", "credited_wh", "created_at", "is_correction")
    return {name: getattr(entry, name) for name in shown} | {"amount_text": f"{currency} {figures.exact_amount(entry.amount_nanos)}"}


def _day(row: DayRow) -> dict[str, str]:
    return {"label": date_format(row.day, "D j M"), "text": row.text}


def _section(section: MeterSection, currency: str) -> dict[str, Any]:
    with timezone.override(ZoneInfo(section.time_zone)):
        return {
            "meter": section,
            "subtitle": f"{section.site_name} · {section.meter_number}",
            "chart_id": f"chart-{section.meter_public_id}",
            "used": [_day(row) for row in section.used_days],
            "refused": [_day(row) for row in section.refused_days],
            "chart": {**section.chart, "amount_text": [figures.money(line.amount_nanos, currency, 4) for line in section.lines]},
            "summary": _summary(section, currency),
            "table": table(
                caption=_("Every interval of meter %(meter)s") % {"meter": section.meter_number},
                columns=[
                    column(_("Interval")),
                    column(_("Baseline"), unit="kWh"),
                    column(_("Used"), unit="kWh"),
                    column(_("Delivered"), unit="kWh"),
                    column(_("Credited"), unit="kWh"),
                    column(_("Price"), unit=f"{currency}/kWh"),
                    column(_("Amount"), unit=currency),
                    column(_("Note"), numeric=False),
                ],
                rows=[_line(line) for line in section.lines],
                footer=_footer(section),
            ),
        }


def _summary(section: MeterSection, currency: str) -> str:
    used = used_of(baseline_wh=section.baseline_wh, metered_wh=section.metered_wh)
    credited = _("Credited: %(energy)s, %(amount)s.")
    values = {"energy": figures.energy(section.credited_wh, 3), "amount": f"{currency} {figures.exact_amount(section.amount_nanos)}"}
    return f"{used} {credited % values}"


def _line(line: LineRow) -> list[str]:
    local = timezone.localtime(line.starts_at)
    return [
        f"{local:%H:%M}–{timezone.localtime(line.ends_at):%H:%M}",
        *(figures.kwh(energy) for energy in (line.baseline_wh, line.metered_wh, line.delivered_wh)),
        figures.kwh(line.credited_wh),
        figures.exact_price(line.price_micros_per_kwh),
        figures.exact_amount(line.amount_nanos),
        line.text or ("" if line.quality == "measured" else figures.quality_text(line.quality)),
    ]


def _footer(section: MeterSection) -> list[str]:
    sums = (section.baseline_wh, section.metered_wh, section.delivered_wh, section.credited_wh)
    return [_("Sum"), *(figures.kwh(energy) for energy in sums), "", figures.exact_amount(section.amount_nanos), ""]
