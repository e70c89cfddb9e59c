"""How an uploaded file is to be read, as a form; every field is optional where the file itself can say."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from commonwatt.portal.people_forms import zone_choices
from commonwatt.wire.csv_options import (
    BadCsvOptions,
    Columns,
    CsvOptions,
    DecimalMark,
    Encoding,
    Label,
    Repeated,
    Unit,
)

LARGEST_UPLOAD_BYTES = 256 * 1024 * 1024
_COLUMNS = {
    "meter": _("Meter"),
    "start": _("Start"),
    "start_time": _("Start: time of day, if in a column of its own"),
    "end": _("End"),
    "end_time": _("End: time of day, if in a column of its own"),
    "amount": _("Amount"),
    "length_s": _("Length in seconds"),
    "quality": _("Quality"),
    "quantity": _("Quantity"),
}
_FROM_FILE = ("", _("As the file says"))
_INTERVALS = [("", _("As the file or the meter says")), ("300", _("5 minutes")), ("900", _("15 minutes")), ("1800", _("30 minutes")),
              ("3600", _("1 hour")), ("86400", _("1 local day"))]  # fmt: skip


class UploadForm(forms.Form):
    """The file."""

    file = forms.FileField(label=_("CSV file"), help_text=_("Interval energy, one reading a line; up to 256 MB."))

    def clean_file(self) -> Any:  # Any: Django's UploadedFile, which carries no type here
        """Not too large to keep."""
        file = self.cleaned_data["file"]
        if file.size > LARGEST_UPLOAD_BYTES:
            raise forms.ValidationError(_("The file is larger than 256 MB. Use `commonwatt import-readings` on the server."), code="large")
        return file


class OptionsForm(forms.Form):
    """Zone, unit, labels, columns and marks."""

    zone = forms.ChoiceField(label=_("Time zone of stamps without an offset"), required=False,
                             choices=lambda: [("", _("None: every stamp says its offset")), *zone_choices()])  # fmt: skip
    unit = forms.ChoiceField(label=_("Unit"), required=False, choices=[_FROM_FILE, *((unit.value, unit.value) for unit in Unit)])
    label = forms.ChoiceField(
        label=_("A stamp names"),
        required=False,
        choices=[_FROM_FILE, (Label.START, _("the start of its interval")), (Label.END, _("the end of its interval"))],
    )
    interval_s = forms.ChoiceField(label=_("Length of an interval"), required=False, choices=_INTERVALS)
    repeated = forms.ChoiceField(
        label=_("A stamp of the repeated autumn hour that occurs once"),
        required=False,
        choices=[(Repeated.REFUSE, _("is refused")), (Repeated.FIRST, _("is the first pass")), (Repeated.SECOND, _("is the second pass"))],
    )
    decimal = forms.ChoiceField(
        label=_("Decimal mark"), required=False, choices=[(DecimalMark.POINT, _("point: 0.25")), (DecimalMark.COMMA, _("comma: 0,25"))]
    )
    delimiter = forms.ChoiceField(
        label=_("Fields are separated by"),
        required=False,
        choices=[_FROM_FILE, (",", _("commas")), (";", _("semicolons")), ("\\t", _("tabs")), ("|", _("bars"))],
    )
    date_format = forms.CharField(
        label=_("Form of the stamps"), max_length=40, required=False, help_text=_("Such as %d-%m-%Y %H:%M; empty for ISO 8601.")
    )
    encoding = forms.ChoiceField(
        label=_("Letters"),
        required=False,
        choices=[(Encoding.AUTO, _("found out")), (Encoding.UTF_8, "UTF-8"), (Encoding.CP1252, "Windows-1252")],
    )
    header_line = forms.IntegerField(
        label=_("Line of the header"), required=False, min_value=0, help_text=_("Empty: looked for. 0: the file has none.")
    )
    meter = forms.CharField(
        label=_("Meter of every line"), max_length=64, required=False, help_text=_("For a file without a meter column.")
    )
    create_meters = forms.BooleanField(
        label=_("Enter meters that do not exist yet"), required=False, help_text=_("Needs the length of an interval.")
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, label in _COLUMNS.items():
            self.fields[f"column_{name}"] = forms.CharField(label=label, max_length=120, required=False)
        self.options = CsvOptions()

    @property
    def column_fields(self) -> list[forms.BoundField]:
        """The fields that name columns."""
        return [self[name] for name in self.fields if name.startswith("column_")]

    @property
    def meaning_fields(self) -> list[forms.BoundField]:
        """The other fields."""
        return [self[name] for name in self.fields if not name.startswith("column_")]

    def clean(self) -> dict[str, Any]:
        """The options that the fields make together, in `options`."""
        data = dict(super().clean() or {})
        if not self.errors:
            try:
                self.options = _options(data)
            except BadCsvOptions as bad:
                for name, text in bad.problems:
                    self.add_error(name if name in self.fields else None, text)
            if data["create_meters"] and not data["interval_s"]:
                self.add_error("interval_s", _("To enter new meters, say how long their intervals are."))
        return data


def _options(data: dict[str, Any]) -> CsvOptions:
    columns = {name: data[f"column_{name}"] for name in _COLUMNS if data[f"column_{name}"]}
    return CsvOptions(
        columns=Columns(**columns),
        meter=data["meter"] or None,
        unit=Unit(data["unit"]) if data["unit"] else None,
        label=Label(data["label"]) if data["label"] else None,
        interval_s=int(data["interval_s"]) if data["interval_s"] else None,
        zone=data["zone"] or None,
        repeated=Repeated(data["repeated"] or Repeated.REFUSE),
        date_format=data["date_format"] or None,
        decimal=DecimalMark(data["decimal"] or DecimalMark.POINT),
        delimiter={"": None, "\\t": "\t"}.get(data["delimiter"], data["delimiter"]),
        encoding=Encoding(data["encoding"] or Encoding.AUTO),
        header_line=data["header_line"],
    )
