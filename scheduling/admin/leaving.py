"""The pages on which sessions are given up: first what becomes of each, then what will happen, then it happens.

Two faces of one: a person leaves the program, and (`hand_over`) a mentor is ill or away.
"""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from people import changes
from people.admin_pages import page_of
from people.models import ChangeSet, Role
from scheduling import leaving, rules
from scheduling.admin.decisions import GivingUpForm, what_happens
from scheduling.admin.history import rules_set_aside
from scheduling.models import Notice, Session
from scheduling.words import CANCELED, CONFIRMED, State

# The button of the last page that leads back to the decisions.
BACK = "_back"
NAMED = 5


class GivingUpPage:
    """What the two have in common: somebody's sessions, a form with a decision for each, and the verb that does it."""

    may_keep = False

    def __init__(self, model_admin, request, role: Role):
        self.model_admin, self.request, self.role = model_admin, request, role
        self.user, self.by = role.user, request.user

    def sessions(self) -> list[Session]:
        raise NotImplementedError

    def act(self, form: GivingUpForm, **how) -> list[Session]:
        raise NotImplementedError

    def refusal(self) -> ValidationError | None:
        """Why nothing of this can be done, whatever is decided."""
        raise NotImplementedError

    # What the pages say: title, the button's first word, what else happens, and what happened.
    title: str
    first_word = ""

    def consequences(self) -> list[str]:
        raise NotImplementedError

    def done(self) -> str:
        raise NotImplementedError

    # ---- the course of it -----------------------------------------------------------------------------------------

    def answer(self) -> HttpResponse:
        if refusal := self.refusal():
            return self.back(refusal)
        form = self._form(self.request.POST if self.request.method == "POST" else None)
        if not form.is_bound:
            return self._decide(form) if form.sessions else self._confirm(self._form({}))
        if not form.is_valid() or BACK in self.request.POST:
            return self._decide(form)
        return self._confirm(form)

    def _form(self, data) -> GivingUpForm:
        return GivingUpForm(data, user=self.user, sessions=self.sessions(), by=self.by, may_keep=self.may_keep)

    def _confirm(self, form: GivingUpForm) -> HttpResponse:
        """Say what would happen; or do it, where the page has said just this."""
        form.is_valid()
        # Only the last page sends it; with no session to decide about it is empty.
        told = self.request.POST.get("told")
        try:
            left = self.act(form, only_try=told is None, told=told)
        except ValidationError as refusal:
            return self._refused(form, refusal)
        if told != leaving.digest(left):
            return self._last_page(form, left)
        messages.success(self.request, self._done(left))
        self._offer_undo()
        return redirect(self.role_page)

    def _offer_undo(self) -> None:
        done = ChangeSet.objects.filter(kind=ChangeSet.Kind.HANDOVER, about=self.user, by=self.by).first()
        if done and changes.refusal(done, self.by) is None:
            sentence = _("Nobody is told for %(minutes)s minutes: until then it can be undone unseen.")
            sentence %= {"minutes": self.request.program.undo_minutes}
            link = page_of(ChangeSet._meta, done.pk)
            messages.info(self.request, format_html('{} <a class="underline" href="{}">{}</a>', sentence, link, _("Undo it")))

    def _refused(self, form: GivingUpForm, refusal: ValidationError) -> HttpResponse:
        code = getattr(refusal, "code", None)
        if code in ("already", "not_yours", "yourself"):
            return self.back(refusal)
        if code == "undecided":
            # Booked since this request looked: the new form lists it, and asks.
            form = self._form(self.request.POST)
            form.is_valid()
        else:
            form.refuse(refusal)
        return self._decide(form)

    def back(self, refusal: ValidationError) -> HttpResponse:
        for sentence in refusal.messages:
            messages.error(self.request, sentence)
        return redirect(self.role_page)

    @property
    def role_page(self) -> str:
        return page_of(self.role._meta, self.user.pk)

    # ---- the pages ------------------------------------------------------------------------------------------------

    def _decide(self, form: GivingUpForm) -> TemplateResponse:
        form.suggest()
        return self._page("decide", {"form": form, "media": self.model_admin.media + form.media + form.all.media})

    def _last_page(self, form: GivingUpForm, would: list[Session]) -> TemplateResponse:
        zone = timezone.get_current_timezone()
        before = {session.pk: session for session in form.sessions}
        plan = [
            {
                "other": before[session.pk].other_party(self.user),
                "when": rules.when(before[session.pk].period, zone),
                "heir": session.mentor if session.status != CANCELED else None,
                "moved": rules.when(session.period, zone) if session.period != before[session.pk].period else "",
                "confirmed": session.status == CONFIRMED,
                "aside": rules_set_aside(session) if session.status != CANCELED else "",
            }
            for session in would
        ]
        more = {
            "form": form,
            "plan": plan,
            "kept": len(form.sessions) - len(would),
            "told": leaving.digest(would),
            # Not what the page before this one said.
            "again": "told" in self.request.POST,
            "button": what_happens(would, self.first_word, _("cancel"), _("hand over")),
            "consequences": [*self.consequences(), *self._mails(bool(plan))],
        }
        return self._page("confirm", more)

    def _mails(self, others: bool) -> list[str]:
        return [_("Everybody else in these sessions is told.")] if others else []

    def _page(self, name: str, more: dict) -> TemplateResponse:
        site, opts = self.model_admin.admin_site, self.model_admin.opts
        context = {
            **site.each_context(self.request),
            "title": self.title,
            "opts": opts,
            "original": self.role,
            "person": self.user,
            "media": self.model_admin.media,
            "back": self.role_page,
            "question": None,
            **self.more(),
            **more,
        }
        self.request.current_app = site.name
        return TemplateResponse(self.request, f"admin/leaving/{name}.html", context)

    def more(self) -> dict:
        """What else a page of this kind shows."""
        return {}

    def _done(self, left: list[Session]) -> str:
        canceled = sum(session.status == CANCELED for session in left)
        done = [self.done()]
        if canceled:
            done.append(_("Canceled: %(number)s.") % {"number": canceled})
        if len(left) > canceled:
            done.append(_("Handed over: %(number)s.") % {"number": len(left) - canceled})
        if told := {person for session in left for person in session.people} - {self.user}:
            done.append(_("Told: %(people)s.") % {"people": some(sorted(map(str, told)))})
        return " ".join(done)


class LeavingPage(GivingUpPage):
    """Somebody leaves the program."""

    first_word = "Deactivate"

    @property
    def title(self) -> str:
        return _("Deactivate %(person)s") % {"person": self.user}

    def refusal(self):
        return leaving.refusal(self.user, self.by)

    def sessions(self):
        return leaving.ahead(self.user)

    def act(self, form, **how):
        return leaving.leave(self.user, by=self.by, **form.said, **how)

    def consequences(self):
        person = {"person": self.user}
        said = [
            _(
                "%(person)s is logged out, cannot log in, and nobody can book with them. Nothing is deleted, and you can bring"
                " them back."
            )
            % person
        ]
        mentor = self.user.mentor if self.user.is_mentor else None
        if windows := mentor.availabilities.ahead().count() if mentor else 0:
            closes = ngettext("%(number)s window ahead closes.", "%(number)s windows ahead close.", windows)
            kept = " " + _("The weekly hours stay, for the day they come back.") if mentor.weekly_hours.exists() else ""
            said.append(closes % {"number": windows} + kept)
        return said

    def _mails(self, others):
        owed = Notice.objects.filter(recipient=self.user, state=State.PENDING).count()
        unsent = ngettext(": %(number)s that waited is not sent", ": %(number)s that waited are not sent", owed)
        unsent = unsent % {"number": owed} if owed else ""
        said = _("No mail goes to them any more%(unsent)s.") % {"unsent": unsent}
        return [" ".join([said, *super()._mails(others)])]

    def done(self):
        return _("%(person)s is deactivated.") % {"person": self.user}


def some(names: list[str]) -> str:
    """ "Alex, Bo and Cy", or the first of them "and 7 others" """
    shown, others = names[:NAMED], len(names) - NAMED
    last = f"{others} other{'s' * (others != 1)}" if others > 0 else shown.pop()
    return f"{', '.join(shown)} and {last}" if shown else last
