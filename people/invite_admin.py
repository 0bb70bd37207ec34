"""The page that invites: whom, how many, three samples; and who has come in."""

import re
from hashlib import sha256

from django.contrib import messages
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from people import inviting
from people.models import Import, Mentee, Mentor, User

SAMPLES, PER_PAGE = 3, 50
KEY = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
ROLES = {"mentor": gettext_lazy("Mentors"), "mentee": gettext_lazy("Mentees")}
STATES = {
    inviting.NOT_INVITED: gettext_lazy("Not yet invited"),
    inviting.WAITING: gettext_lazy("On their way"),
    inviting.INVITED: gettext_lazy("Invited, not yet here"),
    inviting.ACCEPTED: gettext_lazy("Accepted"),
    inviting.FAILED: gettext_lazy("Refused by the mail server"),
}
# Whom the button may mail.
CAN_BE = (inviting.NOT_INVITED, inviting.INVITED, inviting.FAILED)


class InvitePage:
    def __init__(self, site, request):
        self.site, self.request = site, request
        self.roles = [role for role in ROLES if request.user.has_perm(f"people.change_{role}")]
        if not self.roles:
            raise PermissionDenied
        self.sheet = self._sheet()

    def answer(self) -> HttpResponse:
        return self.send() if self.request.method == "POST" else self.look()

    def look(self, keys: list[int] | None = None, again: bool = False) -> HttpResponse:
        """``keys``: those selected in a list; else all of the role and state that the address names."""
        role, state = self._asked("role", self.roles), self._asked("state", STATES) or inviting.NOT_INVITED
        found = self._people(role)
        if keys is not None:
            found = found.filter(pk__in=keys)
        counted = inviting.counts(found)
        wanted = CAN_BE if keys is not None else [state] if state in CAN_BE else []
        ready = inviting.keys_of(found, wanted)
        shown = found if keys is not None else found.filter(invited=state)
        page = Paginator(shown.select_related("invitation"), PER_PAGE).get_page(self.request.GET.get("page"))
        samples = list(User.objects.filter(pk__in=ready[:SAMPLES]).order_by("pk"))
        self.request.current_app = self.site.name
        context = {
            **self.site.each_context(self.request),
            "title": _("Invite people"),
            "roles": [(name, ROLES[name]) for name in self.roles],
            "role": role,
            "sheet": self.sheet,
            "of": str(self.sheet.pk) if self.sheet else "",
            "state": state,
            "tabs": [(name, label, counted[name]) for name, label in STATES.items()],
            "selected": keys is not None,
            "keys": ",".join(map(str, keys or ())),
            "ready": len(ready),
            "seen": seen(ready),
            "samples": [(user, subject_for(user)) for user in samples],
            "page": page,
            "people": [(user, STATES[user.invited], getattr(user, "invitation", None)) for user in page],
            "sees_contact": self.request.user.sees_contact,
            "again": again,
        }
        return TemplateResponse(self.request, "admin/people/invite.html", context)

    def send(self) -> HttpResponse:
        """Just those that were shown: where others have come or gone meanwhile, look again."""
        role, state = self._asked("role", self.roles), self._asked("state", STATES) or inviting.NOT_INVITED
        found = self._people(role)
        keys = None
        if sent := self.request.POST.get("keys", ""):
            keys = [int(key) for key in sent.split(",") if key.isdecimal() and len(key) < 10]
            found = found.filter(pk__in=keys)
        ready = inviting.keys_of(found, CAN_BE if keys is not None else [state] if state in CAN_BE else [])
        if self.request.POST.get("seen") != seen(ready):
            return self.look(keys, again=True)
        try:
            count = inviting.ask(ready, by=self.request.user)
        except ValidationError as refusal:
            messages.error(self.request, " ".join(refusal.messages))
        else:
            said = _("%(count)s invitations are on their way.") if count != 1 else _("%(count)s invitation is on its way.")
            messages.success(self.request, said % {"count": count})
        of = f"&of={self.sheet.pk}" if self.sheet else ""
        return redirect(f"{reverse('admin:people_import_invite')}?state={inviting.WAITING}{of}")

    def _people(self, role: str):
        """Of a role, or of all that this coordinator looks after; of a sheet, where the address names one."""
        found = inviting.people(role or (self.roles[0] if len(self.roles) == 1 else ""))
        if self.sheet:
            changed = self.sheet.change_set.changes.filter(
                content_type__in=ContentType.objects.get_for_models(Mentor, Mentee).values()
            )
            found = found.filter(pk__in=changed.values("key"))
        return found

    def _sheet(self) -> Import | None:
        """The import whose people are meant."""
        key = self.request.POST.get("of") or self.request.GET.get("of", "")
        if not KEY.fullmatch(key):
            return None
        return Import.objects.filter(pk=key, state=Import.State.DONE, change_set__isnull=False).first()

    def _asked(self, name: str, known) -> str:
        value = self.request.POST.get(name) or self.request.GET.get(name, "")
        return value if value in known else ""


def seen(keys: list[int]) -> str:
    return sha256(",".join(map(str, keys)).encode()).hexdigest()[:16]


def subject_for(user: User) -> str:
    return " ".join(render_to_string("emails/invitation/subject.txt", {"user": user}).split())
