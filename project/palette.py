"""Find anything: people by name or e-mail, sessions by either party, pages of the menu. Ten at most, what one may see only.

In the place of unfold's own search: that keeps its answers for five minutes, so that somebody would be shown what they may
not see any more, and not be shown what was booked just now; and it reads every row that fits.
"""

from time import perf_counter

from django.contrib import admin
from django.core.paginator import Paginator
from django.db.models import Case, Q, Value, When
from django.http import HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from unfold.dataclasses import SearchResult

from people.models import User
from scheduling import rules
from scheduling.models import Session

MOST = 10
# So many places are people's, if there are sessions, too.
PEOPLE, PAGES = 5, 3
LONGEST = 100
ROLES = ("mentor", "mentee")


def search(request) -> HttpResponse:
    """A part of a page, for htmx."""
    began, term = perf_counter(), request.GET.get("s", "").strip()[:LONGEST]
    if not term:
        return HttpResponse()
    found = Paginator(find(request, term), MOST)
    context = {
        "page_obj": found,
        "results": found.page(1),
        "page_counter": 0,
        "execution_time": perf_counter() - began,
        "command_show_history": False,
    }
    return TemplateResponse(request, "unfold/helpers/command_results.html", context, headers={"HX-Trigger": "search"})


def find(request, term: str) -> list[SearchResult]:
    """People first, then their sessions."""
    people = find_people(request.user, term)
    sessions = find_sessions(request.user, [person["pk"] for person in people])
    people = people[: max(PEOPLE, MOST - len(sessions))]
    found = [person_result(person, request.user) for person in people] + [session_result(session) for session in sessions]
    return [*pages(request, term), *found][:MOST]


def find_people(user: User, term: str) -> list[dict]:
    """Those in whose name or address every word is; first those whose name begins like it."""
    roles = [role for role in ROLES if user.has_perm(f"people.view_{role}")]
    if not roles:
        return []
    may_see = Q()
    for role in roles:
        may_see |= Q(**{f"{role}__isnull": False})
    words, rows = term.split(), User.objects.filter(may_see)
    for word in words:
        named = Q(first_name__icontains=word) | Q(last_name__icontains=word)
        rows = rows.filter(named | Q(email__icontains=word) if user.sees_contact else named)
    begins = Q(first_name__istartswith=words[0]) | Q(last_name__istartswith=words[0])
    rows = rows.order_by(Case(When(begins, then=Value(0)), default=Value(1)), "first_name", "last_name", "pk")
    columns = ("pk", "first_name", "last_name", "username", "email", "is_active", "mentor__pk", "mentee__pk")
    return [row | {"roles": [role for role in roles if row[f"{role}__pk"]]} for row in rows.values(*columns)[:MOST]]


def find_sessions(user: User, keys: list[int]) -> list[Session]:
    """Of these people: what is ahead, the nearest first, then what was, the latest first. Four short walks along an index:
    one question for both parties would read all of the past.
    """
    if not keys or not user.has_perm("scheduling.view_session"):
        return []
    now, mine = timezone.now(), Session.objects.visible_to(user)
    found = {}
    for bound, order in (({"start_time__gte": now}, "start_time"), ({"start_time__lt": now}, "-start_time")):
        walks = (mine.filter(**bound, **{f"{role}__in": keys}).order_by(order, "pk") for role in ROLES)
        rows = [row for walk in walks for row in walk.values_list("start_time", "pk")[:MOST]]
        found |= {key: None for _, key in sorted(rows, reverse=order.startswith("-"))}
    first = list(found)[:MOST]
    rows = mine.with_people().in_bulk(first)
    return [rows[key] for key in first]


def pages(request, term: str) -> list[SearchResult]:
    """Of the menu, by their titles."""
    groups = admin.site.get_sidebar_list(request)
    items = [item for group in groups for item in group["items"] if item["has_permission"]]
    fits = [item for item in items if term.casefold() in str(item["title"]).casefold()]
    return [
        SearchResult(title=str(item["title"]), description=_("page"), link=str(item["link"]), icon=item["icon"])
        for item in fits[:PAGES]
    ]


def person_result(person: dict, user: User) -> SearchResult:
    told = [capfirst(_(" and ").join(_(role) for role in person["roles"]))]
    told += [person["email"]] * user.sees_contact + [_("deactivated")] * (not person["is_active"])
    return SearchResult(
        title=f"{person['first_name']} {person['last_name']}".strip() or person["username"],
        description=", ".join(told),
        link=reverse(f"admin:people_{person['roles'][0]}_change", args=[person["pk"]]),
        icon="person",
    )


def session_result(session: Session) -> SearchResult:
    when = rules.when(session.period, timezone.get_current_timezone())
    return SearchResult(
        title=_("%(mentor)s and %(mentee)s") % {"mentor": session.mentor, "mentee": session.mentee},
        description=f"{when}, {session.get_status_display()}",
        link=reverse("admin:scheduling_session_change", args=[session.pk]),
        icon="event",
    )
