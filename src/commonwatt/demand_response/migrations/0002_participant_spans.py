"""No site is called by two events at once: held by the database, whatever the code above forgets."""

from __future__ import annotations

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

# A range of one number stands for the site, so that PostgreSQL needs no extension to index it beside the span.
_POSTGRES = """
    ALTER TABLE demand_response_participant ADD CONSTRAINT participant_spans_do_not_overlap
    EXCLUDE USING gist (int8range(site_id, site_id, '[]') WITH =, tstzrange(from_at, until_at) WITH &&)
"""
# Empty spans (an event cancelled before its start) overlap nothing, as in PostgreSQL.
_SQLITE = """
    CREATE TRIGGER participant_spans_do_not_overlap_{verb} BEFORE {verb} ON demand_response_participant
    WHEN NEW.from_at < NEW.until_at AND EXISTS (
        SELECT 1 FROM demand_response_participant other
        WHERE other.site_id = NEW.site_id AND other.id IS NOT NEW.id
        AND other.from_at < other.until_at AND other.from_at < NEW.until_at AND NEW.from_at < other.until_at
    )
    BEGIN SELECT RAISE(ABORT, 'participant_spans_do_not_overlap'); END
"""


def hold_apart(apps: StateApps, editor: BaseDatabaseSchemaEditor) -> None:
    """Add the constraint."""
    if editor.connection.vendor == "postgresql":
        editor.execute(_POSTGRES)
        return
    for verb in ("insert", "update"):
        editor.execute(_SQLITE.format(verb=verb))


def let_go(apps: StateApps, editor: BaseDatabaseSchemaEditor) -> None:
    """Take the constraint away."""
    if editor.connection.vendor == "postgresql":
        editor.execute("ALTER TABLE demand_response_participant DROP CONSTRAINT participant_spans_do_not_overlap")
        return
    for verb in ("insert", "update"):
        editor.execute(f"DROP TRIGGER participant_spans_do_not_overlap_{verb}")


class Migration(migrations.Migration):
    dependencies = [("demand_response", "0001_initial")]
    operations = [migrations.RunPython(hold_apart, let_go)]
