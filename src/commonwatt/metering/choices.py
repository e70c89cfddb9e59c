"""The closed lists of this room."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class Quantity(models.TextChoices):
    """What a channel measures. Import and export are two channels, both never negative."""

    ENERGY_IMPORT = "energy_import", _("Electricity used from the grid")
    ENERGY_EXPORT = "energy_export", _("Electricity given to the grid")


class Quality(models.IntegerChoices):
    """How far a reading can be trusted; a larger number is worse."""

    MEASURED = 0, _("Measured")
    EDITED = 1, _("Edited by hand")
    ESTIMATED = 2, _("Estimated")
    MISSING = 3, _("Missing, with a reason")
