"""What people enter about themselves, each other and their places."""

from __future__ import annotations

from functools import cache
from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.conf import settings
from django.contrib.auth import password_validation
from django.utils.translation import gettext_lazy as _

from commonwatt.accounts.actions import UnknownCountry, require_country
from commonwatt.accounts.choices import CustomerKind, Role, Standing
from commonwatt.accounts.values import CustomerView

OWN_HOUSEHOLD = "own"
_AREAS = ("Africa", "America", "Antarctica", "Arctic", "Asia", "Atlantic", "Australia", "Europe", "Indian", "Pacific")


@cache
def time_zones() -> tuple[str, ...]:
    """The civil time zones that a person may choose, by name; the database also knows technical ones and old spellings."""
    return ("UTC", *sorted(name for name in available_timezones() if name.split("/")[0] in _AREAS and "/" in name))


def zone_choices() -> list[tuple[str, str]]:
    """The zones as choices, each under its own name."""
    return [(name, name.replace("_", " ")) for name in time_zones()]


class ProfileForm(forms.Form):
    """How a person is called, and how times and texts are shown to them."""

    name = forms.CharField(label=_("Name"), max_length=120, widget=forms.TextInput(attrs={"autocomplete": "name"}))
    time_zone = forms.ChoiceField(
        label=_("Time zone"),
        required=False,
        choices=lambda: [("", _("The operator's own")), *zone_choices()],
        help_text=_("For times that belong to no site. Readings and events always show in their site's own time."),
    )
    language = forms.ChoiceField(label=_("Language"), required=False, choices=lambda: [("", _("As my browser asks")), *settings.LANGUAGES])


class MailForm(forms.Form):
    """Whether messages are also sent by mail."""

    mail = forms.BooleanField(
        label=_("Send me my messages by e-mail as well"),
        required=False,
        help_text=_("Events, credits and decisions about you. Messages about your sign-in are always sent."),
    )


class CodeForm(forms.Form):
    """A code, and for whom it is to be used."""

    code = forms.CharField(
        label=_("Code"),
        max_length=64,
        help_text=_("The claim code of your meter or your invitation (like 7K3M-9Q2X-4T8V-WZ5R), or your organisation's number (org_…)."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "characters", "spellcheck": "false", "class": "code"}),
    )
    customer = forms.ChoiceField(label=_("A claimed meter is for"))

    def __init__(self, *args: Any, places: list[CustomerView], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [(place.public_id, place.name) for place in places]
        if all(place.is_organisation for place in places):
            choices.append((OWN_HOUSEHOLD, str(_("My own household"))))
        self.fields["customer"].choices = choices  # type: ignore[attr-defined]  # a ChoiceField, see above
        if len(choices) == 1:
            del self.fields["customer"]


class NameForm(forms.Form):
    """The name of a customer."""

    name = forms.CharField(label=_("Name"), max_length=120)


class CustomerForm(NameForm):
    """A customer that the operator enters."""

    kind = forms.ChoiceField(label=_("Kind"), choices=CustomerKind.choices, widget=forms.RadioSelect, initial=CustomerKind.ORGANISATION)


class SiteForm(forms.Form):
    """A place with one connection to the grid."""

    name = forms.CharField(label=_("Name"), max_length=120, help_text=_("What the people there call it."))
    time_zone = forms.ChoiceField(label=_("Time zone"), choices=zone_choices)
    country = forms.CharField(
        label=_("Country"), max_length=8, help_text=_("Whose public holidays count, such as BE, or GB-ENG for a part of one.")
    )
    latitude = forms.FloatField(label=_("Latitude"), required=False, min_value=-90, max_value=90)
    longitude = forms.FloatField(label=_("Longitude"), required=False, min_value=-180, max_value=180)

    def clean_country(self) -> str:
        """A code whose holidays are known, in capitals."""
        code = str(self.cleaned_data["country"]).strip().upper()
        try:
            require_country(code)
        except UnknownCountry as error:
            raise forms.ValidationError(_("We know no public holidays of “%(code)s”."), params={"code": code}, code="unknown") from error
        return code

    def clean(self) -> dict[str, Any]:
        """Both coordinates or neither."""
        cleaned = dict(super().clean() or {})
        if (cleaned.get("latitude") is None) != (cleaned.get("longitude") is None) and not self.errors:
            self.add_error("longitude", _("A position needs both numbers, or neither."))
        return cleaned


class InviteForm(forms.Form):
    """Whom to invite, and as what."""

    email = forms.EmailField(
        label=_("E-mail address"),
        required=False,
        help_text=_("Only this address can then use the code, and we send it there. Leave it empty to hand the code over yourself."),
        widget=forms.EmailInput(attrs={"autocomplete": "off"}),
    )
    role = forms.ChoiceField(label=_("As"), choices=Role.choices, initial=Role.MEMBER)


class StaffForm(forms.Form):
    """Who joins the operator's desk."""

    email = forms.EmailField(label=_("E-mail address"), widget=forms.EmailInput(attrs={"autocomplete": "off"}))
    name = forms.CharField(label=_("Name"), max_length=120)
    role = forms.ChoiceField(label=_("As"), choices=Role.choices, initial=Role.MEMBER)


class StandingForm(forms.Form):
    """Where a member is to stand."""

    standing = forms.TypedChoiceField(choices=Standing.choices, coerce=Standing)


class RoleForm(forms.Form):
    """What a member of the staff may do; nothing takes them off the desk."""

    role = forms.ChoiceField(choices=[*Role.choices, ("", _("No longer staff"))], required=False)


class NewPasswordForm(forms.Form):
    """The password chosen at the first sign-in."""

    password = forms.CharField(
        label=_("New password"),
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text=_("Ten characters or more; a few words are easier to remember than signs."),
    )

    def clean_password(self) -> str:
        """A password that passes the same checks as any other."""
        password = str(self.cleaned_data["password"])
        password_validation.validate_password(password)
        return password
