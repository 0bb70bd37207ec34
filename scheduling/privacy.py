"""What scheduling keeps about people: given to them, and emptied. Sessions stay as numbers: when, how long, what came of them."""

from django.db.models import Case, CharField, Exists, F, OuterRef, Q, Value, When
from django.http import QueryDict
from django.utils import timezone
from django.utils.translation import gettext

from people import changes
from people.models import User
from people.privacy import COLLEAGUE, MACHINE, OPENS, Keeper, Part, name_of
from scheduling import leaving, rules
from scheduling.models import (
    Availability,
    CalendarFeed,
    Feedback,
    MentorLimits,
    Notice,
    Remark,
    SavedView,
    Session,
    SessionNote,
    TimeOff,
    WeeklyHours,
)

BY_COLLEAGUES = {"author": COLLEAGUE, "history_user": COLLEAGUE}
STAFF_ONLY = "coordinators read it, mentors and mentees do not"
BOTH = ("mentor", "mentee")
SESSION = {
    "start_time": "start_time",
    "end_time": "end_time",
    "mentor": name_of("mentor__user"),
    "mentee": name_of("mentee__user"),
    "status": "status",
    "ending": "ending",
    "what_it_is_about": "topic",
    "meeting_link": "meeting_link",
    "reason": "reason",
    "asked_at": "created_at",
    "answer_by": "answer_by",
    "first_decided_at": "decided_at",
    "roster_key": "external_id",
}
NOT_OF_A_SESSION = {
    "availability": MACHINE,
    "version": MACHINE,
    "form_key": MACHINE,
    "set_aside": STAFF_ONLY,
    "set_aside_reason": STAFF_ONLY,
    "acted_for": "one of the two: the change says which",
}
# The filters of a list that name a person.
BY_PERSON = ("mentor__user__exact", "mentee__user__exact")
WORDS = ("topic", "meeting_link", "reason", "set_aside_reason", "external_id")


def _who(acted: str) -> Case:
    """Which of the two did something; what nobody did, time did."""
    return Case(
        When(**{acted: F("mentor_id")}, then=Value("the mentor")),
        When(**{acted: F("mentee_id")}, then=Value("the mentee")),
        When(**{f"{acted}__isnull": False}, then=Value("the program")),
        default=Value(""),
        output_field=CharField(),
    )


class SchedulingKeeper(Keeper):
    parts = (
        Part(
            "sessions",
            "scheduling.Session",
            BOTH,
            {"number": "id", **SESSION, "ended_by": _who("ended_by_id")},
            NOT_OF_A_SESSION,
        ),
        Part(
            "session_changes",
            "scheduling.HistoricalSession",
            BOTH,
            {
                "session": "id",
                "changed_at": "history_date",
                "change": "history_change_reason",
                "by": _who("history_user_id"),
                **SESSION,
            },
            {**NOT_OF_A_SESSION, "history_id": MACHINE, "history_type": MACHINE, "ended_by": COLLEAGUE},
        ),
        Part(
            "feedback_given",
            "scheduling.Feedback",
            ("session__mentee",),
            {"session": "session_id", "rating": "rating", "sentence": "sentence", "given_at": "created_at"},
        ),
        Part(
            "notices",
            "scheduling.Notice",
            ("recipient",),
            {
                "session": "session_id",
                "kind": "kind",
                "about_start_time": "start_time",
                "due_at": "due_at",
                "state": "state",
                "why": "detail",
                "sent_at": "sent_at",
            },
            {
                **dict.fromkeys(
                    (
                        "id",
                        "version",
                        "part_of",
                        "expires_at",
                        "not_before",
                        "attempts",
                        "unanswered",
                        "message_key",
                        "resent_at",
                    ),
                    MACHINE,
                ),
                "answer": "a mail server’s words to the program",
                "resent_by": COLLEAGUE,
            },
        ),
        Part(
            "weekly_hours",
            "scheduling.WeeklyHours",
            ("mentor",),
            {
                "weekday_from_monday_0": "weekday",
                "from": "begins",
                "to": "ends",
                "time_zone": "time_zone",
                "valid_from": "valid_from_on",
                "valid_until": "valid_until_on",
                "every_weeks": "every_weeks",
            },
            {"id": MACHINE},
        ),
        Part(
            "time_off",
            "scheduling.TimeOff",
            ("mentor",),
            {"start_time": "start_time", "end_time": "end_time", "note": "note"},
            {"id": MACHINE},
        ),
        Part(
            "windows",
            "scheduling.Availability",
            ("mentor",),
            {
                "start_time": "start_time",
                "end_time": "end_time",
                "from_weekly_hours": "from_weekly_hours",
                "instead_of_start": "instead_of_start",
                "instead_of_end": "instead_of_end",
                "roster_key": "external_id",
            },
            {"id": MACHINE},
        ),
        Part(
            "limits",
            "scheduling.MentorLimits",
            ("mentor",),
            {
                "sessions_a_week": "week_cap",
                "buffer_minutes": "buffer_minutes",
                "no_new_requests_until": "paused_until_on",
            },
        ),
        # Nobody but who wrote them reads them, also those about whom they are.
        Part(
            "session_notes",
            "scheduling.SessionNote",
            ("mentor",),
            {"session": "session_id", "text": "text", "changed_at": "changed_at"},
            {"id": MACHINE},
        ),
        Part(
            "notes_from_the_program",
            "scheduling.Remark",
            ("session__mentor", "session__mentee"),
            # What coordinators note for themselves is theirs.
            {
                "session": "session_id",
                "text": Case(When(shared=True, then=F("text")), default=Value("")),
                "shared": "shared",
                "written_at": "written_at",
                "changed_at": "changed_at",
            },
            {"id": MACHINE, "author": COLLEAGUE},
        ),
        Part(
            "notes_from_the_program_before",
            "scheduling.HistoricalRemark",
            ("session__mentor", "session__mentee"),
            {
                "session": "session_id",
                "text": Case(When(shared=True, then=F("text")), default=Value("")),
                "shared": "shared",
                "written_at": "written_at",
                "changed_at": "history_date",
                "change": "history_change_reason",
            },
            {**dict.fromkeys(("id", "changed_at", "history_id", "history_type"), MACHINE), **BY_COLLEAGUES},
        ),
        Part(
            "saved_views",
            "scheduling.SavedView",
            ("owner",),
            {"name": "name", "filters": "query", "shared": "shared"},
            {"id": MACHINE},
        ),
        Part("calendar_address", "scheduling.CalendarFeed", ("user",), {"has_one_with_number": "user_id"}, {"key": OPENS}),
    )

    def ahead(self, user):
        zone = timezone.get_current_timezone()
        return [
            gettext("%(when)s, with %(other)s") % {"when": rules.when(session.period, zone), "other": session.other_party(user)}
            for session in leaving.ahead(user)
        ]

    def leave(self, user, by):
        """By the door that everybody leaves by: sessions are canceled, the others told, windows close."""
        sessions = leaving.ahead(user)
        if user.is_active or sessions:
            leaving.leave(user, by=by, decided={session.pk: None for session in sessions})

    def empty(self, user):
        for model in (WeeklyHours, TimeOff, Availability, MentorLimits):
            changes.forget(model, list(model.objects.filter(mentor=user.pk).values_list("pk", flat=True)))
        for model in (WeeklyHours, TimeOff, MentorLimits):
            model.objects.filter(mentor=user.pk).delete()
        CalendarFeed.objects.filter(user=user).delete()
        SavedView.objects.of(user).delete()
        _forget_searches(user)
        SessionNote.objects.filter(Q(mentor=user.pk) | Q(session__mentee=user.pk)).delete()
        Availability.objects.filter(mentor=user.pk).update(external_id="")
        Notice.objects.filter(recipient=user).update(detail="", answer="")
        theirs = Q(mentor=user.pk) | Q(mentee=user.pk)
        # In these every word goes, whoever of the two wrote it: it was said to this person, or about them.
        # Of a deleted one, the history is left.
        there, ever = (rows.filter(theirs).values_list("id", flat=True) for rows in (Session.objects, Session.history))
        keys = list({*there, *ever})
        changes.forget(Session, keys)
        Feedback.objects.filter(session__in=keys).update(sentence="")
        Remark.objects.filter(Q(session__in=keys) | Q(author=user)).delete()
        _take_out_words(Session.history.filter(id__in=keys))
        _take_out_words(Session.objects.filter(pk__in=keys))
        _take_out_what_they_said_elsewhere(user)

    def forget(self, keys):
        """Words of sessions that are deleted, too. What is still there is somebody else's by now, and they can ask."""
        theirs = Session.history.filter(Q(mentor__in=keys) | Q(mentee__in=keys))
        gone = theirs.exclude(Exists(Session.objects.filter(pk=OuterRef("id")))).order_by().values("id")
        changes.forget(Session, gone)
        _take_out_words(Session.history.filter(id__in=gone))


def _forget_searches(user: User) -> None:
    """What others have saved that is about this person: filtered by them, or searched for by name or address."""
    words = {user.email.lower(), str(user).lower(), user.last_name.lower()} - {""}
    for view in SavedView.objects.all():
        asked = QueryDict(view.query)
        people = {value for name in BY_PERSON for value in asked.getlist(name)}
        if str(user.pk) in people or any(word in asked.get("q", "").lower() for word in words):
            view.delete()


def _take_out_words(sessions) -> None:
    sessions.update(**dict.fromkeys(WORDS, ""))


def _take_out_what_they_said_elsewhere(user: User) -> None:
    """Reasons that a coordinator gave in the sessions of others, and which later changes of those carried on."""
    for name in ("reason", "set_aside_reason"):
        said = Session.history.filter(history_user=user.pk, **{name: OuterRef(name)}).exclude(**{name: ""})
        carried = Session.history.filter(Exists(said.filter(id=OuterRef("id"))))
        Session.objects.filter(Exists(said.filter(id=OuterRef("pk")))).update(**{name: ""})
        keys = list(carried.values_list("history_id", flat=True))
        Session.history.filter(history_id__in=keys).update(**{name: ""})
