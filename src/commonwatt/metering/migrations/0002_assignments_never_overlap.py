"""Nobody holds a meter while somebody else does: held by the database, whoever writes.

PostgreSQL has exclusion constraints; ranges of one number stand for equality, so that no extension is needed. SQLite has triggers. A later
migration that makes Django rebuild the table on SQLite (most field changes do) drops them, and must create them again.
"""

from django.db import migrations

NAME = "assignment_spans_never_overlap"

_EXCLUDE = f"""
ALTER TABLE metering_meterassignment ADD CONSTRAINT {NAME}
EXCLUDE USING gist (int8range(meter_id, meter_id, '[]') WITH &&, tstzrange(from_at, until_at, '[)') WITH &&)
"""

# Times are texts of one form in UTC there, so that comparing them as texts compares the instants.
_TRIGGER = """
CREATE TRIGGER {name}_{event} BEFORE {when} ON metering_meterassignment
WHEN EXISTS (
    SELECT 1 FROM metering_meterassignment AS other
    WHERE other.meter_id = NEW.meter_id AND other.id IS NOT NEW.id
    AND (NEW.until_at IS NULL OR other.from_at < NEW.until_at)
    AND (other.until_at IS NULL OR NEW.from_at < other.until_at)
)
BEGIN SELECT RAISE(ABORT, '{name}'); END
"""
_EVENTS = {"insert": "INSERT", "update": "UPDATE OF meter_id, from_at, until_at"}


def hold(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(_EXCLUDE)
        return
    for event, when in _EVENTS.items():
        schema_editor.execute(_TRIGGER.format(name=NAME, event=event, when=when))


def release(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(f"ALTER TABLE metering_meterassignment DROP CONSTRAINT {NAME}")
        return
    for event in _EVENTS:
        schema_editor.execute(f"DROP TRIGGER {NAME}_{event}")


class Migration(migrations.Migration):
    dependencies = [("metering", "0001_initial")]
    operations = [migrations.RunPython(hold, release)]
