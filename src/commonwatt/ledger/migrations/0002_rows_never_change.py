"""Accounts and transfers are written once: the database itself refuses to change or remove them, and to mix currencies."""

from django.db import migrations

TABLES = {"ledger_account": "account", "ledger_transfer": "transfer"}

# A replacing insert deletes without firing the delete trigger in SQLite, so the insert itself is refused where a row stands.
SQLITE = """
CREATE TRIGGER {name}_never_changes BEFORE UPDATE ON {table}
BEGIN SELECT RAISE(ABORT, '{name}_never_changes: book a correction instead'); END;

CREATE TRIGGER {name}_never_goes BEFORE DELETE ON {table}
BEGIN SELECT RAISE(ABORT, '{name}_never_goes: book a correction instead'); END;

CREATE TRIGGER {name}_is_never_replaced BEFORE INSERT ON {table}
WHEN EXISTS (SELECT 1 FROM {table} WHERE id = NEW.id OR {key} = NEW.{key})
BEGIN SELECT RAISE(ABORT, '{name}_is_never_replaced: this {key} is taken'); END;
"""
SQLITE_TRANSFER = """
CREATE TRIGGER transfer_currencies_agree BEFORE INSERT ON ledger_transfer
WHEN EXISTS (SELECT 1 FROM ledger_account WHERE id IN (NEW.debit_id, NEW.credit_id) AND currency <> NEW.currency)
BEGIN SELECT RAISE(ABORT, 'transfer_currencies_agree: both accounts must be in the currency of the transfer'); END;

CREATE TRIGGER transfer_amount_is_whole BEFORE INSERT ON ledger_transfer
WHEN typeof(NEW.amount_nanos) <> 'integer'
BEGIN SELECT RAISE(ABORT, 'transfer_amount_is_whole: amounts are whole nanos'); END;
"""
SQLITE_NAMES = (
    *(f"{name}_{rule}" for name in TABLES.values() for rule in ("never_changes", "never_goes", "is_never_replaced")),
    "transfer_currencies_agree",
    "transfer_amount_is_whole",
)

POSTGRES_FUNCTIONS = """
CREATE FUNCTION ledger_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION USING ERRCODE = 'restrict_violation', CONSTRAINT = TG_NAME, TABLE = TG_TABLE_NAME,
        MESSAGE = TG_NAME || ': book a correction instead';
END $$;

CREATE FUNCTION ledger_currencies_agree() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM ledger_account WHERE id IN (NEW.debit_id, NEW.credit_id) AND currency <> NEW.currency) THEN
        RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME, TABLE = TG_TABLE_NAME,
            MESSAGE = TG_NAME || ': both accounts must be in the currency of the transfer';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER transfer_currencies_agree BEFORE INSERT ON ledger_transfer
FOR EACH ROW EXECUTE FUNCTION ledger_currencies_agree();
"""
POSTGRES = """
CREATE TRIGGER {name}_never_changes BEFORE UPDATE ON {table} FOR EACH ROW EXECUTE FUNCTION ledger_refuse();
CREATE TRIGGER {name}_never_goes BEFORE DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION ledger_refuse();
CREATE TRIGGER {name}_is_never_emptied BEFORE TRUNCATE ON {table} FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse();
"""


def guard(apps, schema_editor):
    """Put the triggers in place, in the words of each database."""
    keys = {"account": "code", "transfer": "reference"}
    if schema_editor.connection.vendor == "sqlite":
        with schema_editor.connection.cursor() as cursor:
            for table, name in TABLES.items():
                _each(cursor, SQLITE.format(table=table, name=name, key=keys[name]))
            _each(cursor, SQLITE_TRANSFER)
    else:
        schema_editor.execute(POSTGRES_FUNCTIONS)
        for table, name in TABLES.items():
            schema_editor.execute(POSTGRES.format(table=table, name=name))


def unguard(apps, schema_editor):
    """Take the triggers away."""
    if schema_editor.connection.vendor == "sqlite":
        for name in SQLITE_NAMES:
            schema_editor.execute(f"DROP TRIGGER {name}")
    else:
        schema_editor.execute("DROP FUNCTION ledger_refuse CASCADE")
        schema_editor.execute("DROP FUNCTION ledger_currencies_agree CASCADE")


def _each(cursor, statements):
    # SQLite takes one statement at a time; a blank line parts them here.
    for statement in statements.strip().split("\n\n"):
        cursor.execute(statement)


class Migration(migrations.Migration):
    dependencies = [("ledger", "0001_initial")]
    operations = [migrations.RunPython(guard, unguard)]
