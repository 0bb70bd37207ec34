"""What the machine draws from, and the words it thinks in."""

from datetime import UTC, date, datetime, time, timedelta

from hypothesis import strategies as st

from scheduling import booking
from scheduling.words import ACTIVE, CANCELED, COMPLETED, CONFIRMED, NO_SHOW, PENDING, REMINDERS, Kind

BEGINNING = datetime(2027, 3, 26, 6, tzinfo=UTC)  # a Friday, two days before the clocks change in Berlin
HOUR, HALF_HOUR = timedelta(hours=1), timedelta(minutes=30)

# The rules that nobody sets aside, and those that staff may.
HARD = {"same_person", "inactive", "past", "mentor_taken", "mentee_taken"}
SOFT = {
    *("paused", "length", "too_many_requests", "outside_window", "off_step", "too_soon", "too_far", "buffer"),
    *("mentor_week_full", "mentee_week_full"),
}
# What each verb leaves the session as, where it does not depend.
BECOMES = {"confirm": CONFIRMED, "complete": COMPLETED, "mark_no_show": NO_SHOW}
BECOMES |= dict.fromkeys(("decline", "cancel", "expire"), CANCELED)
PLACED = {"request", "reschedule", "reassign"}
# After these, what the session owed before is no longer true.
TAKE_BACK = {"decline", "cancel", "expire", "reschedule", "reassign"}
TOLD = {name: verb.told for name, verb in booking.VERBS.items() if verb.told}
TOLD |= {"request": Kind.REQUESTED, "expire": Kind.EXPIRED}
# The statuses in which a message says the truth; those not here always do.
TRUE_IN = {Kind.REQUESTED: (PENDING,)} | dict.fromkeys((Kind.CONFIRMED, *REMINDERS), (CONFIRMED,))
TRUE_IN |= dict.fromkeys((Kind.RESCHEDULED, Kind.REASSIGNED), ACTIVE)

some = st.integers(0, 40)
people = st.integers(0, 3)
mentors = mentees = st.integers(0, 2)
# Mostly close to now, where everybody else is.
half_hours = st.one_of(st.integers(-2, 16), st.integers(-2, 70))
lengths = st.sampled_from([30, 30, 30, 60, 45])
# One roll for each session that somebody has to decide about, in turns.
dice = st.lists(st.integers(0, 5), min_size=1, max_size=5)
seldom = st.integers(0, 3).map(lambda number: number == 0)
aside = st.sampled_from(["", "", "", "They have agreed by phone."])
endings = st.sampled_from(sorted(name for name, verb in booking.VERBS.items() if not verb.moves))
whoever = st.sampled_from(["mentor", "mentee", "staff", "staff for the mentor", "staff for the mentee", "stranger"])
what_to_do = st.sampled_from(["add", "change", "remove"])

# What is allowed comes more often than what is not, or nothing would be booked.
policies = st.fixed_dictionaries(
    {
        "minimum_notice_hours": st.sampled_from([0, 0, 0, 2]),
        "horizon_days": st.sampled_from([0, 0, 7, 2]),
        "buffer_minutes": st.sampled_from([0, 0, 0, 30]),
        "slot_step": st.sampled_from([30, 30, 30, 15, 60]),
        "session_lengths": st.sampled_from([[30, 60], [30, 60], [30, 60], [45]]),
        "mentor_week_cap": st.sampled_from([None, None, None, 4]),
        "mentee_week_cap": st.sampled_from([None, None, None, 4]),
        "open_requests_cap": st.sampled_from([None, None, None, 2]),
        "cancel_until_hours": st.sampled_from([0, 0, 0, 12]),
        "answer_hours": st.sampled_from([72, 72, 2, 12]),
        "weeks_ahead": st.sampled_from([1, 2]),
        "time_zone": st.sampled_from(["UTC", "Europe/Berlin"]),
    }
)
# None begins or ends inside of the hour that Berlin's clocks skip.
weekly_hours = st.fixed_dictionaries(
    {
        "weekday": st.sampled_from([4, 5, 6, 6, 0]),
        "begins": st.sampled_from([time(1), time(8), time(11), time(22)]),
        "ends": st.sampled_from([time(4), time(11), time(14), time(0), time(12, 30)]),
        "time_zone": st.sampled_from(["Europe/Berlin", "Europe/Berlin", "UTC", "America/New_York"]),
        "valid_from_on": st.sampled_from([date(2027, 3, 1), date(2027, 3, 29)]),
        "valid_until_on": st.sampled_from([None, None, date(2027, 4, 2)]),
        "every_weeks": st.sampled_from([1, 1, 2]),
    }
).filter(lambda hours: hours["begins"] != hours["ends"])
