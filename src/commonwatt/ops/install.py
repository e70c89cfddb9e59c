"""Start a process of this install: its settings, its log, Django, its clock."""

from __future__ import annotations

import os
from dataclasses import dataclass

from commonwatt.kernel.clock import Clock
from commonwatt.ops import logs, present
from commonwatt.ops.settings import Settings, load


@dataclass(frozen=True, slots=True)
class Install:
    """What every command works with."""

    settings: Settings
    clock: Clock


def start() -> Install:
    """Read the settings and set Django up; raises one of `settings.UNUSABLE` where they cannot be used."""
    settings = load()
    logs.set_up(settings)
    os.environ["DJANGO_SETTINGS_MODULE"] = "commonwatt.ops.django_settings"
    import django

    django.setup()
    return Install(settings, present.clock(settings))
