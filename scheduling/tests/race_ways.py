"""How a process of a race goes about it: each way makes one attempt, and returns a word for what it did.

`book`, and `mix` with all the ways there are, go through the doors of the house. `check_then_insert`, and `mix_unguarded`, do
the same as it is often written, past all of them: so that the tests know what there is to lose.
"""

import uuid
from datetime import timedelta

import tablib
from django.core.exceptions import ValidationError
from django.db.models import Q
from django.test import Client
from django.urls import reverse

from people.models import Mentee, Mentor, User
from scheduling import booking, offering
from scheduling.models import Availability, Session
from scheduling.resources import SessionResource
from scheduling.slots import Period

# Everybody waits here for everybody: `race` puts it there.
barrier = None


def codes(refusal: ValidationError) -> str:
    fields = getattr(refusal, "error_dict", {"": getattr(refusal, "error_list", ())})
    return " ".join(sorted({error.code or "?" for errors in fields.values() for error in errors}))


# ---- through the doors -------------------------------------------------------------------------------------------------------


def book(mentor_key, mentee_key, start, minutes) -> str:
    mentor, mentee = Mentor.objects.get(pk=mentor_key), Mentee.objects.select_related("user").get(pk=mentee_key)
    booking.request(mentor, mentee, start, minutes, by=mentee.user)
    return "booked"


def mix(way, number, mentor_key, mentee_key, start, minutes) -> str:
    """One of the ways on which sessions and windows are written, as a person would go it."""
    mentor, mentee = Mentor.objects.with_people().get(pk=mentor_key), Mentee.objects.with_people().get(pk=mentee_key)
    staff = User.objects.get(is_superuser=True)
    if way in NEW:
        return NEW[way](staff, mentor, mentee, start, minutes)
    session = some_session(mentor_key, number)
    if session is None:
        return "nothing there"
    if way == "confirm":
        booking.confirm(session, by=session.mentor.user)
    elif way == "cancel":
        booking.cancel(session, by=session.people[number % 2])
    elif way == "move":
        booking.reschedule(session, start, minutes, by=session.people[number % 2])
    elif way == "hand over":
        booking.reassign(session, another_mentor(session, number), by=staff, agreed=bool(number % 2))
    else:
        return edit(staff, session, start, minutes)
    return way


def some_session(mentor_key, number) -> Session | None:
    """One of those that take the mentor's time, as somebody's page shows it: the next moment it may be another's."""
    sessions = list(Session.objects.active().filter(mentor=mentor_key).with_people().order_by("pk"))
    return sessions[number % len(sessions)] if sessions else None


def another_mentor(session, number) -> Mentor:
    return Mentor.objects.with_people().exclude(pk=session.mentor_id).order_by("pk")[number % 3]


def ask(staff, mentor, mentee, start, minutes) -> str:
    booking.request(mentor, mentee, start, minutes, by=mentee.user)
    return "request"


def offer(staff, mentor, mentee, start, minutes) -> str:
    """In the evening, when nothing is offered yet."""
    period = Period.of(start + timedelta(hours=9), minutes)
    offering.make(offering.save_window(Availability(mentor=mentor, start_time=period.start, end_time=period.end)), by=staff)
    return "window"


def enter(staff, mentor, mentee, start, minutes) -> str:
    """With the form of the admin."""
    form = typed(start, minutes) | {"mentor": mentor.pk, "mentee": mentee.pk, "key": uuid.uuid4()}
    return sent(staff, reverse("admin:scheduling_session_add"), form, "enter")


def edit(staff, session, start, minutes) -> str:
    """On the page of the admin that moves a session."""
    form = typed(start, minutes) | {"version": session.version}
    return sent(staff, reverse("admin:scheduling_session_reschedule", args=[session.pk]), form, "edit")


def typed(start, minutes) -> dict:
    return {"start_time_0": f"{start:%Y-%m-%d}", "start_time_1": f"{start:%H:%M}", "minutes": minutes}


def sent(staff, address, form, way) -> str:
    """As a browser sends it. The page that comes again with a sentence is read by other tests."""
    browser = Client(SERVER_NAME="127.0.0.1")
    browser.force_login(staff)
    status = browser.post(address, form).status_code
    return {302: way, 200: "the form again"}.get(status, f"error: {status}")


def bring(staff, mentor, mentee, start, minutes) -> str:
    """In a sheet of one row."""
    row = [mentor.user.email, mentee.user.email, start.isoformat(), (start + timedelta(minutes=minutes)).isoformat()]
    result = SessionResource().import_data(tablib.Dataset(row, headers=["mentor", "mentee", "start", "end"]), user=staff)
    if broken := [*result.base_errors, *(error for bad in result.error_rows for error in bad.errors)]:
        return f"error: {broken[0].error!r}"
    return codes(result.invalid_rows[0].error) if result.invalid_rows else "import"


NEW = {"request": ask, "window": offer, "enter": enter, "import": bring}


# ---- past the doors ----------------------------------------------------------------------------------------------------------


def check_then_insert(mentor_key, mentee_key, start, minutes) -> str:
    """How double bookings are made: look, find nobody, write. No lock, no rules; everybody looks before anybody writes."""
    return mix_unguarded("request", 0, mentor_key, mentee_key, start, minutes)


def mix_unguarded(way, number, mentor_key, mentee_key, start, minutes) -> str:
    """The ways of `mix`: whoever is new inserts, whoever is there already is updated."""
    window, session = Period.of(start + timedelta(hours=9), minutes), None
    mentor, mentee, period = mentor_key, mentee_key, Period.of(start, minutes)
    if way not in NEW and (session := some_session(mentor_key, number)):
        mentee = session.mentee_id
        if way == "hand over":
            mentor, period = another_mentor(session, number).pk, session.period
    both = Q(mentor__in=[mentor, mentee]) | Q(mentee__in=[mentor, mentee])
    others = Session.objects.active().exclude(pk=session and session.pk)
    taken = mentor == mentee or others.overlapping(period).filter(both).exists()
    offered = Availability.objects.filter(mentor=mentor).overlapping(window).exists()
    barrier.wait()
    if way not in NEW and session is None:
        return "nothing there"
    if way == "confirm":
        Session.objects.filter(pk=session.pk).update(status="Confirmed", ending="")
    elif way == "cancel":
        Session.objects.filter(pk=session.pk).update(status="Canceled", ending="canceled")
    elif offered if way == "window" else taken:
        return "taken"
    elif way == "window":
        Availability.objects.bulk_create([Availability(mentor_id=mentor, start_time=window.start, end_time=window.end)])
    elif session:
        Session.objects.filter(pk=session.pk).update(mentor=mentor, start_time=period.start, end_time=period.end)
    else:
        new = {"start_time": period.start, "end_time": period.end, "created_at": start}
        Session.objects.bulk_create([Session(mentor_id=mentor, mentee_id=mentee, **new)])
    return way
