"""What a person was told: the inbox."""

from __future__ import annotations

from django.contrib import messages as notes
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from commonwatt.notify import actions, queries
from commonwatt.notify.access import access_message
from commonwatt.portal.requests import PortalRequest, page_number


@login_required
@never_cache
@require_safe
def messages(request: PortalRequest) -> HttpResponse:
    """Everything the person was told, newest first."""
    person = request.viewer.person_id
    context = {
        "page": queries.inbox(person, page_number(request)),
        "unread": queries.unread_count(person),
        "mail": queries.wants_mail(person),
    }
    return render(request, "portal/messages.html", context)


@login_required
@require_POST
def message_open(request: PortalRequest, public_id: str) -> HttpResponse:
    """Note that a message was seen, and go where it leads."""
    message = access_message(request.viewer, public_id, now=request.now)
    actions.mark_read(actor=request.viewer, public_id=public_id, now=request.now)
    # Only ever a path of ours: the room that wrote the message put it there.
    return redirect(message.address if message.address.startswith("/") and not message.address.startswith("//") else "portal:messages")


@login_required
@require_POST
def messages_read(request: PortalRequest) -> HttpResponse:
    """Note that everything was seen."""
    count = actions.mark_all_read(actor=request.viewer, now=request.now)
    notes.success(
        request,
        ngettext("%(n)d message marked as read.", "%(n)d messages marked as read.", count) % {"n": count}
        if count
        else _("Nothing was unread."),
    )
    return redirect("portal:messages")
