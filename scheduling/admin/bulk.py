"""The page before a verb is done to many sessions: how many, who is told, what is left out and why. Its button is a POST."""

from collections import defaultdict

from django import forms
from django.contrib import messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from people.models import NotificationSettings, User
from scheduling import booking, rules
from scheduling.admin.booking_forms import ForWhomField, ReasonField, is_key
from scheduling.booking import MOST, VERBS, Verb
from scheduling.models import Program, Session
from scheduling.notices import SWITCH
from scheduling.words import CANCELED

# Of the people who are told.
NAMED = 12


class BulkForm(forms.Form):
    """What is said to all of them. ``sessions``: the keys and versions that the page spoke of: "12.3,14.1"."""

    sessions = forms.CharField(widget=forms.HiddenInput)
    # The list it came from: to go back to.
    query = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args, verb: Verb, **kwargs):
        super().__init__(*args, **kwargs)
        if verb.told:
            initial = verb.parties[0] if len(verb.parties) == 1 else ""
            self.fields["on_behalf_of"] = ForWhomField(*verb.parties, initial=initial)
        if verb.to == CANCELED:
            self.fields["reason"] = ReasonField(
                label=gettext_lazy("Why?"),
                required=True,
                help_text=gettext_lazy("Everybody who is in these sessions can read it."),
                error_messages={"required": gettext_lazy("Write why: so many people want to know.")},
            )

    def clean_sessions(self) -> dict[int, int]:
        pairs = [part.partition(".")[::2] for part in self.cleaned_data["sessions"].split(",")]
        seen = {int(key): int(version) for key, version in pairs if is_key(key) and is_key(version)}
        if not seen or len(seen) > MOST:
            raise ValidationError(_("Select sessions in the list."), code="none")
        return seen


class BulkPage:
    def __init__(self, model_admin, request, name: str):
        if name not in booking.IN_BULK:
            raise Http404
        self.model_admin, self.request, self.verb = model_admin, request, VERBS[name]

    def look(self, sessions) -> HttpResponse:
        """At what was selected in the list; one that has left its tab or filter since is not left out without a word."""
        if self.request.POST.get("select_across") != "1":
            keys = [key for key in self.request.POST.getlist(ACTION_CHECKBOX_NAME) if is_key(key)]
            sessions = Session.objects.visible_to(self.request.user).filter(pk__in=keys[: MOST + 1])
        seen = dict(sessions.order_by("start_time", "pk").values_list("pk", "version")[: MOST + 1])
        if len(seen) > MOST:
            said = _(
                "More than %(most)s sessions are selected, and at most so many are changed at once. Filter, and select fewer."
            )
            messages.error(self.request, said % {"most": MOST})
            return redirect(self._list(self.request.GET.urlencode()))
        initial = {"sessions": ",".join(f"{key}.{version}" for key, version in seen.items())}
        initial["query"] = self.request.GET.urlencode()
        return self._page(BulkForm(verb=self.verb, initial=initial), list(seen), initial["query"])

    def answer(self) -> HttpResponse:
        form = BulkForm(self.request.POST, verb=self.verb)
        query = self.request.POST.get("query", "")
        if not form.is_valid():
            if "sessions" in form.errors:
                messages.error(self.request, " ".join(form.errors["sessions"]))
                return redirect(self._list(query))
            return self._page(form, list(form.cleaned_data["sessions"]), query)
        said = {name: form.cleaned_data[name] for name in ("reason", "on_behalf_of") if name in form.cleaned_data}
        try:
            outcome = booking.all_of(self.verb.name, form.cleaned_data["sessions"], by=self.request.user, **said)
        except ValidationError as refusal:
            messages.error(self.request, " ".join(refusal.messages))
            return redirect(self._list(query))
        return self._render("bulk_done", {"outcome": outcome, "refused": by_reason(outcome.refused), "wait": _wait()}, query)

    def _page(self, form: BulkForm, keys: list[int], query: str) -> HttpResponse:
        program, by = Program.current(), self.request.user
        ready, refused = [], []
        for session in Session.objects.filter(pk__in=keys).with_people().order_by("start_time", "pk"):
            no = booking.refusal(session, self.verb, by, program=program)
            ready.append(session) if no is None else refused.append((session, no.messages))
        more = {
            "form": form,
            "ready": ready,
            "refused": by_reason(refused),
            "told": told(ready, self.verb, by),
            "wait": _wait(),
            "button": self._button(len(ready)),
        }
        return self._render("bulk", more, query)

    def _button(self, count: int) -> str:
        said = {
            "confirm": ngettext("Confirm %d session", "Confirm %d sessions", count),
            "cancel": ngettext("Cancel %d session", "Cancel %d sessions", count),
            "complete": ngettext("%d session took place", "%d sessions took place", count),
            "mark_no_show": ngettext("Mark %d session as a no-show", "Mark %d sessions as no-shows", count),
        }
        return said[self.verb.name] % count

    def _render(self, name: str, more: dict, query: str) -> HttpResponse:
        site = self.model_admin.admin_site
        context = {
            **site.each_context(self.request),
            "title": {
                "confirm": _("Confirm sessions"),
                "cancel": _("Cancel sessions"),
                "complete": _("They took place"),
                "mark_no_show": _("Mark as no-shows"),
            }[self.verb.name],
            "opts": self.model_admin.opts,
            "verb": self.verb,
            "back": self._list(query),
            "media": self.model_admin.media,
            **more,
        }
        self.request.current_app = site.name
        return TemplateResponse(self.request, f"admin/scheduling/session/{name}.html", context)

    def _list(self, query: str) -> str:
        return reverse("admin:scheduling_session_changelist") + (f"?{query}" if query else "")


def told(sessions: list[Session], verb: Verb, by: User) -> dict | None:
    """Who gets a message: how many messages, to how many people, some of them by name, and how many want none."""
    if not verb.told:
        return None
    messages_of: dict[User, int] = defaultdict(int)
    for session in sessions:
        for person in session.people:
            messages_of[person] += person != by and person.is_active
    wanted = {person for person, count in messages_of.items() if count}
    off = NotificationSettings.objects.filter(user__in=[person.pk for person in wanted], **{SWITCH[verb.told]: False})
    silent = set(off.values_list("user_id", flat=True))
    names = sorted(str(person) for person in wanted if person.pk not in silent)
    return {
        "messages": sum(count for person, count in messages_of.items() if person.pk not in silent),
        "people": len(names),
        "names": names[:NAMED],
        "more": max(len(names) - NAMED, 0),
        "silent": len(silent),
    }


def by_reason(refused: list[tuple[Session, list[str]]]) -> list[tuple[str, list[str]]]:
    """Each reason with the sessions that it is about."""
    zone, reasons = timezone.get_current_timezone(), defaultdict(list)
    for session, sentences in refused:
        named = _("%(mentor)s and %(mentee)s, %(when)s") % {
            "mentor": session.mentor,
            "mentee": session.mentee,
            "when": rules.when(session.period, zone),
        }
        reasons[" ".join(sentences)].append(named)
    return list(reasons.items())


def _wait() -> int:
    return Program.current().undo_minutes
