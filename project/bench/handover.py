"""The hand-over desk with 200 sessions of one mentor on one page: the page that suggests, the page that says what will happen,
and the handing over. There is no floor to divide by: what counts is that a person does not wait.
"""

import re
from collections.abc import Iterator
from datetime import timedelta
from statistics import median
from time import perf_counter

from django.conf import settings
from django.contrib.auth import get_user_model
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from people.models import Mentee, Mentor
from project.bench import Row
from project.bench.places import Places
from scheduling import booking
from scheduling.models import Session
from scheduling.words import CONFIRMED

SESSIONS, A_DAY, MINUTES, FEW = 200, 8, 30, 20
GOAL, RUNS = 2.0, 3


def rows(places: Places) -> Iterator[Row]:
    # Whoever measures has no second factor at hand.
    settings.STAFF_SECOND_FACTOR = False
    pages = {"page": [], "last page": [], "done": []}
    queries = {}
    for number in (FEW, *[min(SESSIONS, places.scale.mentees // 4)] * RUNS):
        with transaction.atomic():
            desk, url = _busy(number)
            # The menu's numbers are kept for a while: the first page asks for them.
            desk.get(url)
            with CaptureQueriesContext(connection) as counted:
                desk.get(url)
            queries[number] = len(counted)
            page, seconds = _timed(desk.get, url)
            if page.status_code != 200 or page.content.count(b"planning-row") != number:
                raise RuntimeError(f"The desk does not show {number} sessions: {page.status_code} {page.headers}")
            sent = {"all-what": "suggested"} | _without_suggestion()
            last, to_last = _timed(desk.post, url, sent)
            carried = dict(re.findall(rb'<input type="hidden" name="([^"]+)" value="([^"]*)">', last.content))
            carried = {name.decode(): value.decode() for name, value in carried.items() if name != b"csrfmiddlewaretoken"}
            done, to_done = _timed(desk.post, url, carried)
            if done.status_code != 302:
                raise RuntimeError("The sessions were not handed over.")
            if number != FEW:
                for name, took in zip(pages, (seconds, to_last, to_done), strict=True):
                    pages[name].append(took)
            transaction.set_rollback(True)
    most = max(queries)
    for name, what in (
        ("page", f"hand-over desk: {most} sessions with stand-ins on one page"),
        ("last page", f"hand-over desk: what will happen to {most} sessions, tried and taken back"),
        ("done", f"hand-over desk: {most} sessions handed over in one transaction"),
    ):
        took = median(pages[name])
        yield Row(what, f"{took:,.2f} s", goal=f"at most {GOAL:g} s", met=took <= GOAL, runs={name: pages[name]})
    yield Row(
        f"hand-over desk: queries for {FEW} sessions, for {most}",
        f"{queries[FEW]}, {queries[most]}",
        goal="the same",
        met=queries[FEW] == queries[most],
    )


def _busy(number: int) -> tuple[Client, str]:
    """A mentor with so many sessions in the weeks ahead, each with another mentee; and the desk's page about all of it."""
    user, _ = get_user_model().objects.get_or_create(
        username="bench-desk", defaults={"email": "desk@example.org", "is_staff": True, "is_superuser": True}
    )
    desk = Client(headers={"host": "127.0.0.1"})
    desk.force_login(user)
    mentor = _mentor()
    mentor.sessions.filter(start_time__gt=timezone.now()).delete()
    tomorrow = timezone.now().replace(hour=8, minute=0, second=0, microsecond=0) + timedelta(days=1)
    mentees = Mentee.objects.active().filter(user__mentor=None).order_by("-pk")[:number]
    at = [tomorrow + timedelta(days=day, hours=hour) for day in range(-(-number // A_DAY)) for hour in range(A_DAY)]
    Session.objects.filter(mentee__in=list(mentees), start_time__gt=timezone.now()).delete()
    Session.objects.bulk_create(
        Session(
            mentor=mentor,
            mentee=mentee,
            start_time=start,
            end_time=start + timedelta(minutes=MINUTES),
            status=CONFIRMED,
            created_at=timezone.now(),
        )
        for mentee, start in zip(mentees, at, strict=False)
    )
    days = {"from_on": f"{timezone.now():%Y-%m-%d}", "until_on": f"{at[-1] + timedelta(days=1):%Y-%m-%d}"}
    query = "&".join(f"{name}={value}" for name, value in ({"mentor": mentor.pk, "what": "away"} | days).items())
    return desk, f"{reverse('admin:people_mentor_hand_over')}?{query}"


def _without_suggestion() -> dict[str, str]:
    """Sessions for which nobody is free near their time are canceled."""
    mentor = _mentor()
    sessions = list(Session.objects.active().filter(mentor=mentor, start_time__gt=timezone.now()).with_people())
    return {f"session-{key}-what": "cancel" for key, found in booking.stand_ins(sessions).items() if not found}


def _mentor() -> Mentor:
    return Mentor.objects.active().filter(user__mentee=None, skills__isnull=False).order_by("pk").first()


def _timed(ask, *what):
    begun = perf_counter()
    answer = ask(*what)
    return answer, perf_counter() - begun
