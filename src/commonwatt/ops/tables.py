"""Whether the database's tables are those of this version."""

from __future__ import annotations

from django.core.management import call_command
from django.db import connection
from django.db.migrations.autodetector import MigrationAutodetector
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.state import ProjectState


def unapplied_migrations() -> list[str]:
    """The migrations that the database lacks, in the order in which they would be applied; asks nothing of a database twice."""
    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    return [f"{migration.app_label}.{migration.name}" for migration, _backwards in plan]


def apply_migrations() -> list[str]:
    """Bring the tables up to date and return what was applied."""
    missing = unapplied_migrations()
    if missing:
        call_command("migrate", verbosity=0, interactive=False)
    return missing


def models_without_migration() -> list[str]:
    """Labels of our apps whose models have changed since their last migration."""
    from django.apps import apps

    loader = MigrationExecutor(connection).loader
    changes = MigrationAutodetector(loader.project_state(), ProjectState.from_apps(apps)).changes(graph=loader.graph)
    return sorted(label for label in changes if apps.get_app_config(label).name.startswith("commonwatt."))
