from django.urls import include, path

from people import addresses  # noqa: F401  it knows what <key:...> is
from scheduling import (
    booking_views,
    calendar_views,
    feedback_views,
    hours_views,
    link_views,
    mentor_views,
    note_views,
    photo_views,
    role_views,
    views,
)
from scheduling.hours_kinds import KINDS

# Address -> which rows are added, changed and removed there.
ROWS = {"weekly/": "weekly_hours", "off/": "time_off", "": "window"}
HOURS = [
    path("", hours_views.windows, name="windows"),
    path("limits/", hours_views.limits, name="limits"),
    path("pause/", hours_views.pause, name="pause"),
    *(path(f"{at}add/", hours_views.edit, {"kind": KINDS[name]}, f"{name}_add") for at, name in ROWS.items()),
    *(path(f"{at}<key:pk>/", hours_views.edit, {"kind": KINDS[name]}, name) for at, name in ROWS.items()),
    *(path(f"{at}<key:pk>/delete/", hours_views.delete, {"kind": KINDS[name]}, f"{name}_delete") for at, name in ROWS.items()),
]

urlpatterns = [
    path("", views.home, name="home"),
    path("sessions/", views.sessions, name="sessions"),
    path("people/<key:pk>/photo/", photo_views.photo, name="photo"),
    path("sessions/<key:pk>.ics", calendar_views.session, name="session_calendar"),
    path("sessions/<key:pk>/", views.session, name="session"),
    path("sessions/<key:pk>/requested/", booking_views.requested, name="requested"),
    path("sessions/<key:pk>/feedback/", feedback_views.feedback, name="feedback"),
    path("sessions/<key:pk>/note/", note_views.note, name="note"),
    path("notes/", note_views.notes, name="notes"),
    path("sessions/<key:pk>/reschedule/", views.move, name="move"),
    path("sessions/<key:pk>/<str:verb>/", views.session_verb, name="session_verb"),
    # What mails lead to: no log-in, no name in the address.
    path("mail/stop/<str:token>/", link_views.stop, name="mail_stop"),
    path("mail/<str:token>/", link_views.act, name="mail_link"),
    path("profile/<str:role>/give-up/", role_views.give_up, name="role_give_up"),
    path("calendar/", calendar_views.calendar, name="calendar"),
    path("calendar/reset/", calendar_views.reset, name="calendar_reset"),
    path("calendar/<str:token>.ics", calendar_views.feed, name="calendar_feed"),
    path("mentors/", mentor_views.mentors, name="mentors"),
    path("mentors/<key:pk>/", mentor_views.mentor, name="mentor"),
    path("mentors/<key:pk>/book/", booking_views.book, name="book"),
    path("mentors/<key:pk>/book/review/", booking_views.review, name="review"),
    path("windows/", include(HOURS)),
    # For coordinators. The same names: what is reversed with a mentor's key leads here.
    path("mentors/<key:mentor>/hours/", include(HOURS)),
    path("", include("scheduling.api.urls")),
]
