"""What the operator enters about meters."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.utils.translation import gettext_lazy as _

from commonwatt.metering.choices import Quantity

INTERVALS = [(60, _("1 minute")), (300, _("5 minutes")), (900, _("15 minutes")), (1800, _("30 minutes")), (3600, _("1 hour"))]


class MeterForm(forms.Form):
    """A meter that the operator enters."""

    number = forms.CharField(label=_("Meter number"), max_length=64, help_text=_("As printed on the meter."))
    name = forms.CharField(label=_("Name"), max_length=120, required=False, help_text=_("What people call it; the number otherwise."))
    interval_s = forms.TypedChoiceField(label=_("Interval of a reading"), choices=INTERVALS, coerce=int, initial=900)
    quantities = forms.MultipleChoiceField(
        label=_("It measures"),
        choices=Quantity.choices,
        initial=[Quantity.ENERGY_IMPORT],
        widget=forms.CheckboxSelectMultiple,
    )
    installed_on = forms.DateField(
        label=_("Installed on"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}),
        help_text=_("Readings before this day are refused. Empty: none is."),
    )


class HolderForm(forms.Form):
    """Who holds a meter from when on, and at which site. The choices are the sites of every customer that is searched for."""

    site = forms.ChoiceField(label=_("Customer and site"))
    from_at = forms.DateTimeField(
        label=_("From"),
        input_formats=["%Y-%m-%dT%H:%M"],
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
    )

    def __init__(self, *args: Any, sites: list[tuple[str, str]], zone: ZoneInfo, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["site"].choices = sites  # type: ignore[attr-defined]  # a ChoiceField, see above
        self.fields["from_at"].help_text = _("Local time in %(zone)s. Readings from then on are theirs.") % {"zone": zone.key}


class EndForm(forms.Form):
    """When a holder's time ends."""

    until_at = forms.DateTimeField(
        label=_("Until"),
        input_formats=["%Y-%m-%dT%H:%M"],
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
    )


def in_zone(entered: datetime, zone: ZoneInfo) -> datetime:
    """What a person typed into a local field, in UTC."""
    return entered.replace(tzinfo=zone).astimezone(UTC)


class ClaimCodeForm(forms.Form):
    """Since when the person who gets a code has had the meter."""

    holds_on = forms.DateField(
        label=_("They have had the meter since"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}),
        help_text=_("As their contract says; readings from that day on become theirs. Empty: from the moment they use the code."),
    )


class MeterListForm(forms.Form):
    """A CSV of meters."""

    file = forms.FileField(label=_("CSV file"), help_text=_("Columns: number, and perhaps name and interval_minutes."))
    with_codes = forms.BooleanField(
        label=_("Make a claim code for each"), required=False, help_text=_("Shown once, on the page that follows, to print or to keep.")
    )

    def clean_file(self) -> bytes:
        """What is in it, up to a megabyte."""
        file = self.cleaned_data["file"]
        if file.size > 1_000_000:
            raise forms.ValidationError(_("The list is larger than a megabyte. Split it."), code="large")
        return bytes(file.read())
