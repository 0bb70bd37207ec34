"""The page before messages are sent again: how many, to whom for example, and which are left out. Its button is a POST."""

from collections import defaultdict

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone

from scheduling import delivery, resending, rules
from scheduling.admin.booking_forms import is_key
from scheduling.models import Notice
from scheduling.slots import Period

SAMPLES = 3
# Of those left out for one reason.
NAMED = 5


class ResendPage:
    def __init__(self, model_admin, request, keys: list[int]):
        self.model_admin, self.request, self.keys = model_admin, request, keys

    @classmethod
    def sent(cls, model_admin, request) -> "ResendPage":
        """What the page sends: the keys it spoke of. What is no key is dropped."""
        keys = [int(key) for key in request.POST.get("keys", "").split(",") if is_key(key)]
        return cls(model_admin, request, keys)

    def look(self, again: bool = False) -> HttpResponse:
        if len(self.keys) > resending.MOST:
            most = f"{resending.MOST:,}"
            messages.error(
                self.request,
                f"More than {most} are selected, and at most {most} are sent again at once. Filter, and select fewer.",
            )
            return self._back()
        plan = resending.plan(self.keys)
        shown = [*plan.ready, *(notice for notice, _ in plan.left_out)]
        context = {
            **self.model_admin.admin_site.each_context(self.request),
            "title": "Send again",
            "opts": self.model_admin.opts,
            "original": shown[0] if len(self.keys) == len(shown) == 1 else None,
            "media": self.model_admin.media,
            "plan": plan,
            "keys": ",".join(map(str, self.keys)),
            "again": again,
            "samples": [sample(notice) for notice in plan.ready[:SAMPLES]],
            "samples_title": "For example" if len(plan.ready) > SAMPLES else "",
            "back": self._back_to(),
            "left_out": by_reason(plan.left_out),
        }
        self.request.current_app = self.model_admin.admin_site.name
        return TemplateResponse(self.request, "admin/scheduling/notice/resend.html", context)

    def answer(self) -> HttpResponse:
        if not self.keys or len(self.keys) > resending.MOST:
            return self.look() if self.keys else self._back()
        try:
            done = resending.resend(self.keys, by=self.request.user, seen=self.request.POST.get("seen", ""))
        except ValidationError as refusal:
            if refusal.code == "stale":
                return self.look(again=True)
            messages.error(self.request, " ".join(refusal.messages))
            return self._back()
        messages.success(self.request, said(len(done.ready), len(done.left_out)))
        return self._back()

    def _back(self) -> HttpResponse:
        return redirect(self._back_to())

    def _back_to(self) -> str:
        if len(self.keys) == 1:
            return reverse("admin:scheduling_notice_change", args=self.keys)
        return reverse("admin:scheduling_notice_changelist")


def said(ready: int, left_out: int) -> str:
    on_their_way = f"{ready:,} message{'s are' if ready != 1 else ' is'} on the way again."
    return on_their_way + (f" {left_out:,} {'were' if left_out != 1 else 'was'} left out." if left_out else "")


def sample(notice: Notice) -> dict:
    message = delivery.compose(notice, None)
    return {"notice": notice, "when": when(notice), "subject": message.subject}


def when(notice: Notice) -> str:
    return rules.when(Period.of(notice.start_time, notice.session.minutes), timezone.get_current_timezone())


def by_reason(left_out: list[tuple[Notice, str]]) -> list[dict]:
    reasons = defaultdict(list)
    for notice, why in left_out:
        reasons[why].append(notice)
    return [
        {
            "why": why,
            "count": len(rows),
            "named": [(notice, when(notice)) for notice in rows[:NAMED]],
            "more": max(len(rows) - NAMED, 0),
        }
        for why, rows in reasons.items()
    ]
