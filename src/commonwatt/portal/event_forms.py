"""What the operator enters to call an event."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.utils.translation import gettext_lazy as _

from commonwatt.demand_response.choices import TargetKind
from commonwatt.demand_response.plan import REASON_LENGTH, EventRequest, Target
from commonwatt.demand_response.views import GroupView, ProgramView


class EventForm(forms.Form):
    """A program, a window in its local time, whom it is aimed at, and why."""

    program = forms.ChoiceField(label=_("Program"))
    day = forms.DateField(label=_("Day"), widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"))
    begins = forms.TimeField(label=_("From"), widget=forms.TimeInput(attrs={"type": "time", "step": "900"}, format="%H:%M"))
    ends = forms.TimeField(label=_("Until"), widget=forms.TimeInput(attrs={"type": "time", "step": "900"}, format="%H:%M"))
    aim = forms.ChoiceField(label=_("Whom to call"), choices=TargetKind.choices, widget=forms.RadioSelect, initial=TargetKind.EVERYONE)
    groups = forms.MultipleChoiceField(label=_("Groups"), required=False, help_text=_("Only for “A group”."))
    sites = forms.MultipleChoiceField(
        label=_("Sites"), required=False, help_text=_("Only for “A site”."), widget=forms.SelectMultiple(attrs={"size": "8"})
    )
    reason = forms.CharField(label=_("Why"), max_length=REASON_LENGTH, required=False, help_text=_("Participants read this."))
    target_kw = forms.FloatField(
        label=_("Target in kW"), required=False, min_value=0, help_text=_("What you hope for; shown on the board, never priced.")
    )
    is_test = forms.BooleanField(label=_("This is a test"), required=False, help_text=_("Said to participants; nothing is credited."))

    def __init__(
        self, *args: Any, programs: list[ProgramView], groups: list[GroupView], sites: list[tuple[str, str]], **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.programs = {program.public_id: program for program in programs}
        self._choose("program", [(key, program.name) for key, program in self.programs.items()])
        self._choose("groups", [(str(group.id), group.name) for group in groups])
        self._choose("sites", sites)

    def _choose(self, name: str, choices: list[tuple[str, str]]) -> None:
        self.fields[name].choices = choices  # type: ignore[attr-defined]  # choice fields, see above

    @property
    def program_view(self) -> ProgramView:
        """The chosen program; only of a valid form."""
        return self.programs[self.cleaned_data["program"]]

    def request(self) -> EventRequest:
        """What is asked for, in UTC; only of a valid form. A window that ends before it begins ends on the next day."""
        data, zone = self.cleaned_data, ZoneInfo(self.program_view.time_zone)
        last_day = data["day"] + timedelta(days=data["ends"] <= data["begins"])
        return EventRequest(
            starts_at=_instant(data["day"], data["begins"], zone),
            ends_at=_instant(last_day, data["ends"], zone),
            targets=self._targets(),
            reason=data["reason"],
            is_test=data["is_test"],
            target_kw=data["target_kw"],
        )

    def _targets(self) -> tuple[Target, ...]:
        kind = TargetKind(self.cleaned_data["aim"])
        if kind is TargetKind.EVERYONE:
            return (Target(kind=kind),)
        chosen = self.cleaned_data["groups" if kind is TargetKind.GROUP else "sites"]
        return tuple(Target(kind=kind, id=int(key)) for key in chosen)


def _instant(day: date, clock_time: time, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, clock_time, tzinfo=zone).astimezone(UTC)


class CancelForm(forms.Form):
    """Why an event is called off."""

    reason = forms.CharField(label=_("Why"), max_length=REASON_LENGTH, help_text=_("Every participant is told."))
