"""What the operator enters about programs, their terms, and groups of sites."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from commonwatt.baseline.programs import RULES
from commonwatt.baseline.rules import rule_from_dict
from commonwatt.demand_response.choices import NegativeIntervals
from commonwatt.demand_response.programs import TermsDraft
from commonwatt.demand_response.views import TermsView
from commonwatt.portal.people_forms import zone_choices

_MICROS = 1_000_000


def rule_choices() -> list[tuple[str, str]]:
    """The baseline rules, by key, each under its title."""
    return [(key, rule.title) for key, rule in RULES.items()]


class ProgramForm(forms.Form):
    """What a program is called, and where."""

    name = forms.CharField(label=_("Name"), max_length=120)
    description = forms.CharField(
        label=_("Description"), required=False, widget=forms.Textarea(attrs={"rows": 3}), help_text=_("What a customer reads first.")
    )
    currency = forms.CharField(label=_("Currency"), min_length=3, max_length=3, help_text=_("Three letters, such as EUR."))
    time_zone = forms.ChoiceField(label=_("Time zone"), choices=zone_choices, help_text=_("In which its events are entered and shown."))

    def clean_currency(self) -> str:
        """In capitals."""
        return str(self.cleaned_data["currency"]).upper()


class EditForm(forms.Form):
    """What may change without new terms."""

    name = forms.CharField(label=_("Name"), max_length=120)
    description = forms.CharField(label=_("Description"), required=False, widget=forms.Textarea(attrs={"rows": 3}))
    is_open = forms.BooleanField(label=_("Open for enrolment"), required=False)


class TermsForm(forms.Form):
    """One version of a program's rules."""

    price = forms.DecimalField(
        label=_("Price per kWh"), min_value=Decimal(0), max_digits=12, decimal_places=6, help_text=_("In the program's currency.")
    )
    credit_factor = forms.DecimalField(
        label=_("Credit factor"),
        min_value=Decimal(0),
        max_value=Decimal(10),
        max_digits=8,
        decimal_places=6,
        initial=1,
        help_text=_("Multiplies the price; 1 pays it in full."),
    )
    rule = forms.ChoiceField(label=_("Baseline rule"), choices=rule_choices, help_text=_("Its words are shown beside."))
    negative_intervals = forms.ChoiceField(label=_("An interval in which more was used"), choices=NegativeIntervals.choices)
    notice_minutes = forms.IntegerField(label=_("Notice, in minutes"), min_value=0, initial=60)
    shortest_minutes = forms.IntegerField(label=_("Shortest event, in minutes"), min_value=15, initial=60)
    longest_minutes = forms.IntegerField(label=_("Longest event, in minutes"), min_value=15, max_value=1380, initial=240)
    events_per_day = forms.IntegerField(label=_("Events a day, at most"), min_value=1, initial=1)
    events_per_year = forms.IntegerField(label=_("Events a year, at most"), min_value=1, initial=40)
    data_wait_minutes = forms.IntegerField(
        label=_("Wait for readings, in minutes"), min_value=0, initial=60, help_text=_("After the end, before it is settled.")
    )
    coverage_days = forms.IntegerField(label=_("Readings are looked at over so many days"), min_value=1, max_value=90, initial=15)
    coverage_percent = forms.IntegerField(
        label=_("and so many percent of them are needed to take part"), min_value=0, max_value=100, initial=80
    )
    responding_percent = forms.DecimalField(
        label=_("A site has responded from so many percent of its baseline on"), min_value=Decimal(0), max_value=Decimal(100), initial=5
    )
    consent_text = forms.CharField(
        label=_("What a participant agrees to"),
        widget=forms.Textarea(attrs={"rows": 6}),
        help_text=_("Shown word for word, and kept with every consent."),
    )

    def draft(self) -> TermsDraft:
        """The terms; only of a valid form."""
        data = self.cleaned_data
        same = ("notice_minutes", "shortest_minutes", "longest_minutes", "events_per_day", "events_per_year", "data_wait_minutes")
        return TermsDraft(
            **{name: data[name] for name in (*same, "coverage_days", "coverage_percent", "consent_text")},
            baseline_rule=RULES[data["rule"]],
            price_micros_per_kwh=int(data["price"] * _MICROS),
            credit_factor_ppm=int(data["credit_factor"] * _MICROS),
            negative_intervals=NegativeIntervals(data["negative_intervals"]),
            responding_share_ppm=int(data["responding_percent"] * _MICROS / 100),
        )


def terms_initial(terms: TermsView) -> dict[str, Any]:
    """The fields as the terms in force have them."""
    same = (
        "notice_minutes", "shortest_minutes", "longest_minutes", "events_per_day", "events_per_year", "data_wait_minutes",
        "coverage_days", "coverage_percent", "consent_text", "negative_intervals",
    )  # fmt: skip
    return {name: getattr(terms, name) for name in same} | {
        "price": Decimal(terms.price_micros_per_kwh) / _MICROS,
        "credit_factor": Decimal(terms.credit_factor_ppm) / _MICROS,
        "rule": rule_from_dict(dict(terms.baseline_rule)).key,
        "responding_percent": Decimal(terms.responding_share_ppm) * 100 / _MICROS,
    }


class GroupForm(forms.Form):
    """A named set of sites."""

    name = forms.CharField(label=_("Name"), max_length=120)
    sites = forms.MultipleChoiceField(label=_("Sites"), widget=forms.CheckboxSelectMultiple)

    def __init__(self, *args: Any, sites: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["sites"].choices = sites  # type: ignore[attr-defined]  # a ChoiceField, see above
