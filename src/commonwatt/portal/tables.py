"""Tables as the component `table.html` takes them, and as CSV files."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from io import StringIO
from typing import Any

from django.http import HttpResponse


def column(label: str, *, unit: str = "", numeric: bool | None = None) -> dict[str, Any]:
    """One column; a column with a unit is numeric unless said otherwise."""
    return {"label": label, "unit": unit, "numeric": bool(unit) if numeric is None else numeric}


def table(
    *, caption: str, columns: Sequence[dict[str, Any]], rows: Sequence[Sequence[Any]], footer: Sequence[Any] | None = None
) -> dict[str, Any]:
    """A whole table."""
    return {"caption": caption, "columns": list(columns), "rows": [list(row) for row in rows], "footer": footer}


def csv_response(rows: Iterable[Sequence[str]], *, name: str) -> HttpResponse:
    """Rows as a CSV file to keep under this name; it is written whole, as it holds no more than a page shows."""
    text = StringIO()
    csv.writer(text).writerows(rows)
    response = HttpResponse(text.getvalue(), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
