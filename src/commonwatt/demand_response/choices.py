"""The closed lists of this domain: values for the database, words for people. Other rooms import them from here."""

from __future__ import annotations

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class NegativeIntervals(TextChoices):
    """What an interval counts in which more was used than the baseline."""

    FLOOR = "floor", _("Counts as zero")
    NET = "net", _("Is deducted within the event")


class EventStatus(TextChoices):
    """The life of an event."""

    UPCOMING = "upcoming", _("Upcoming")
    ACTIVE = "active", _("Under way")
    COMPLETED = "completed", _("Completed")
    CANCELLED = "cancelled", _("Cancelled")


class TargetKind(TextChoices):
    """Whom an event is aimed at."""

    EVERYONE = "everyone", _("Everyone enrolled")
    GROUP = "group", _("A group")
    SITE = "site", _("A site")


class Choice(TextChoices):
    """An answer to an event."""

    IN = "in", _("Taking part")
    OUT = "out", _("Not this time")


class OptSource(TextChoices):
    """Where an answer came from."""

    PERSON = "person", _("A person")
    VEN_2_0B = "2.0b", _("A device, OpenADR 2.0b")
    VEN_3 = "3.x", _("A device, OpenADR 3")
    LEFT = "left", _("Left the program")


class SignalType(TextChoices):
    """What an event asks for per interval, in OpenADR's own names."""

    SIMPLE = "SIMPLE", _("Level")
    ELECTRICITY_PRICE = "ELECTRICITY_PRICE", _("Price")
    LOAD_DISPATCH = "LOAD_DISPATCH", _("Set point")
