"""The trail of what was done takes new entries only: the database itself refuses to change or delete one."""

from django.db import migrations

_SQLITE = [
    """CREATE TRIGGER audit_entry_never_changes BEFORE UPDATE ON accounts_auditentry
       BEGIN SELECT RAISE(ABORT, 'audit entries are never changed'); END""",
    """CREATE TRIGGER audit_entry_never_goes BEFORE DELETE ON accounts_auditentry
       BEGIN SELECT RAISE(ABORT, 'audit entries are never deleted'); END""",
    """CREATE TRIGGER audit_head_never_goes_back BEFORE UPDATE ON accounts_audithead WHEN NEW.sequence <> OLD.sequence + 1
       BEGIN SELECT RAISE(ABORT, 'the audit trail grows by one entry at a time'); END""",
    """CREATE TRIGGER audit_head_never_goes BEFORE DELETE ON accounts_audithead
       BEGIN SELECT RAISE(ABORT, 'the end of the audit trail is never forgotten'); END""",
]
_SQLITE_BACK = [
    "DROP TRIGGER audit_entry_never_changes",
    "DROP TRIGGER audit_entry_never_goes",
    "DROP TRIGGER audit_head_never_goes_back",
    "DROP TRIGGER audit_head_never_goes",
]
_POSTGRES = [
    """CREATE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
       BEGIN
         IF TG_TABLE_NAME = 'accounts_audithead' AND TG_OP = 'UPDATE' THEN
           IF NEW.sequence = OLD.sequence + 1 THEN RETURN NEW; END IF;
           RAISE EXCEPTION 'the audit trail grows by one entry at a time' USING ERRCODE = 'integrity_constraint_violation';
         END IF;
         RAISE EXCEPTION 'audit entries are never changed or deleted' USING ERRCODE = 'integrity_constraint_violation';
       END $$""",
    """CREATE TRIGGER audit_entry_never_changes BEFORE UPDATE OR DELETE ON accounts_auditentry
       FOR EACH ROW EXECUTE FUNCTION audit_refuse()""",
    """CREATE TRIGGER audit_head_never_goes_back BEFORE UPDATE OR DELETE ON accounts_audithead
       FOR EACH ROW EXECUTE FUNCTION audit_refuse()""",
    """CREATE TRIGGER audit_entry_never_emptied BEFORE TRUNCATE ON accounts_auditentry
       FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse()""",
    """CREATE TRIGGER audit_head_never_emptied BEFORE TRUNCATE ON accounts_audithead
       FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse()""",
]
_POSTGRES_BACK = [
    "DROP TRIGGER audit_entry_never_emptied ON accounts_auditentry",
    "DROP TRIGGER audit_head_never_emptied ON accounts_audithead",
    "DROP TRIGGER audit_entry_never_changes ON accounts_auditentry",
    "DROP TRIGGER audit_head_never_goes_back ON accounts_audithead",
    "DROP FUNCTION audit_refuse()",
]


def _forward(apps, schema_editor):
    for statement in _POSTGRES if schema_editor.connection.vendor == "postgresql" else _SQLITE:
        schema_editor.execute(statement)


def _back(apps, schema_editor):
    for statement in _POSTGRES_BACK if schema_editor.connection.vendor == "postgresql" else _SQLITE_BACK:
        schema_editor.execute(statement)


class Migration(migrations.Migration):
    dependencies = [("accounts", "0001_initial")]
    operations = [migrations.RunPython(_forward, _back)]
