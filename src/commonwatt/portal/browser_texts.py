"""The sentences that the browser's modules show (frontend/src/lib/texts.ts names the same), translated with the page."""

from __future__ import annotations

from django.utils.translation import gettext as _


def browser_texts() -> dict[str, str]:
    """Every sentence by its name; `{ago}` is filled in by the browser."""
    return {
        "cancel": _("Go back"),
        "confirm": _("Continue"),
        "copied": _("Copied"),
        "copy_failed": _("Selected: copy it with your keyboard"),
        "live_closed": _("Finished: these figures no longer change"),
        "live_connecting": _("Connecting …"),
        "live_lost": _("Connection lost, trying again. Last update {ago}"),
        "live_on": _("Live, last update {ago}"),
        "now": _("now"),
        "no_reading": _("No reading"),
        "estimated": _("Estimated"),
        "metered": _("Metered"),
        "predicted": _("Predicted"),
        "predicted_range": _("Range of prediction"),
        "baseline": _("Baseline"),
        "delivered": _("Delivered"),
        "used_more": _("Used more than baseline"),
        "target": _("Target"),
        "event": _("Event"),
        "amount": _("Amount"),
        "open_details": _("Enter opens the details"),
    }
