"""The page on which mentors keep notes on a session, for themselves."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db import transaction
from django.http import Http404
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from people.views import sent
from scheduling import booking
from scheduling.forms import NoteForm
from scheduling.models import Session, SessionNote

PER_PAGE = 25


@require_safe
@login_required
def notes(request):
    """All of the reader's own, also those on sessions that they handed on."""
    mine = SessionNote.objects.visible_to(request.user).select_related("session__mentee__user")
    return render(request, "scheduling/notes.html", {"page": Paginator(mine, PER_PAGE).get_page(request.GET.get("page"))})


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def note(request, pk: int):
    """Written by the session's mentor; one written before the session was handed on is still its writer's."""
    with transaction.atomic():
        if request.method == "POST" and hasattr(request.user, "mentor"):
            # Two tabs: the second waits, and is told.
            booking.lock(request.user.mentor)
        row = note_or_404(request, pk)
        form = NoteForm(sent(request), instance=row)
        form.by = request.user
        if form.is_bound and form.is_valid():
            kept = form.save()
            messages.success(request, _("Your notes are saved.") if kept else _("Your notes are deleted."))
            return redirect("session", pk) if row.session.mentor_id == request.user.pk else redirect("notes")
    return render(request, "scheduling/note.html", {"form": form, "session": row.session})


def note_or_404(request, pk: int) -> SessionNote:
    """The reader's note on this session, or an empty one where they may write one: also after they gave up being a mentor."""
    if not hasattr(request.user, "mentor"):
        raise Http404
    mine = SessionNote.objects.visible_to(request.user).filter(session=pk).select_related("session__mentee__user").first()
    if mine:
        return mine
    session = Session.objects.filter(pk=pk, mentor=request.user.pk).select_related("mentee__user").first()
    if session is None:
        raise Http404
    return SessionNote(session=session, mentor=request.user.mentor)
