"""Free slots: who is free this week?

The floors are what somebody would write who needs to answer this one question only: one SQL statement, or two queries and a
loop. They know the policy that the program has, and nothing of windows that touch, of which there are none.
"""

import json
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, time, timedelta

from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from people.models import Mentor
from project.bench import Row, compared, in_turn
from project.bench.places import Places
from scheduling import booking
from scheduling.models import Program
from scheduling.slots import Period

SKILL, MINUTES, FIRST = "SQL", 30, 50
SLOT = timedelta(minutes=MINUTES)
RUNS = 9
# How much longer a question may take among a hundred times as many past sessions and still be called flat.
FLAT = 1.2
MOST_QUERIES = 12


def rows(places: Places) -> Iterator[Row]:
    week = Period(timezone.now(), timezone.now() + timedelta(days=7))
    same(first(week), one_statement(week))
    same(everybody(week), two_queries(week))
    slots = sum(map(len, everybody(week).values()))

    yield compared(
        f"first {FIRST} mentors with {SKILL} free this week; one SQL statement",
        in_turn(RUNS, ours=lambda: first(week), floor=lambda: one_statement(week)),
        3,
    )
    yield compared(
        f"all mentors free this week, {slots:,} slots; two queries and a loop",
        in_turn(RUNS, ours=lambda: everybody(week), floor=lambda: two_queries(week)),
        1.5,
    )
    # One whose weeks are counted, like some of all.
    one = Mentor.objects.filter(limits__week_cap__isnull=False) or Mentor.objects.all()
    one = Mentor.objects.filter(pk=one[0].pk)
    counts = queries(lambda: everybody(week, one)), queries(lambda: everybody(week)), queries(lambda: first(week))
    yield Row(
        f"queries for one mentor, for all, for the first {FIRST}",
        ", ".join(map(str, counts)),
        goal=f"constant, at most {MOST_QUERIES}",
        met=counts[0] == counts[1] and max(counts) <= MOST_QUERIES,
    )
    for what, ask in ((f"first {FIRST}", first), ("all mentors", everybody)):
        yield flat(places, f"{what}: {places.past:,} past sessions; {places.thin_past:,}", lambda ask=ask: ask(week))


def flat(places: Places, what: str, ask) -> Row:
    """The same question in the database with the long past, and in the one with the short."""

    def move(name: str) -> None:
        places.use(places.main if name == "ours" else places.thin)
        ask()

    try:
        return compared(what, in_turn(RUNS, before=move, ours=ask, floor=ask), FLAT, f"flat: at most {FLAT:g}x")
    finally:
        places.use(places.main)


# ---- ours -------------------------------------------------------------------------------------------------------------


def first(week: Period) -> dict:
    """As the list of mentors shows them: of those who know something, in the order of their names."""
    knowing = Mentor.objects.active().filter(skills__name=SKILL).order_by("user__first_name", "user__last_name", "pk")
    return {key: list(slots) for key, slots in booking.free(knowing, MINUTES, week, first=FIRST)}


def everybody(week: Period, mentors=None) -> dict:
    mentors = Mentor.objects.all() if mentors is None else mentors
    return {key: list(slots) for key, slots in booking.free(mentors, MINUTES, week)}


# ---- the floors -------------------------------------------------------------------------------------------------------

CHOSEN = """
    SELECT m.user_id, u.first_name, u.last_name, l.week_cap, coalesce(l.buffer_minutes, %(pause)s) AS pause
    FROM people_mentor m
    JOIN people_user u ON u.id = m.user_id AND u.is_active
    JOIN people_mentor_skills k ON k.mentor_id = m.user_id
    JOIN people_skill s ON s.id = k.skill_id AND s.name = %(skill)s
    LEFT JOIN scheduling_mentorlimits l ON l.mentor_id = m.user_id
    WHERE l.paused_until_on IS NULL OR l.paused_until_on <= %(today)s
"""
# Whoever writes this by hand knows that no window lasts longer than a day, no session longer than two hours, and lets the
# indexes of (mentor, start) and (mentee, start) find the rows.
POSTGRESQL = f"""
SELECT c.user_id, found.starts
FROM ({CHOSEN} ORDER BY u.first_name, u.last_name, u.id) AS c
CROSS JOIN LATERAL (
    SELECT array_agg(slot ORDER BY slot) AS starts
    FROM scheduling_availability w
    CROSS JOIN LATERAL generate_series(w.start_time, w.end_time - %(slot)s, %(slot)s) AS slot
    WHERE w.mentor_id = c.user_id AND w.start_time < %(until)s AND w.start_time > %(yesterday)s AND w.end_time > %(now)s
      AND slot > %(now)s AND slot <= %(until)s - %(slot)s
      AND NOT EXISTS (
        SELECT 1 FROM scheduling_session t
        WHERE t.mentor_id = c.user_id AND t.status IN ('Pending', 'Confirmed')
          AND t.start_time > slot - interval '6 hours'
          AND t.start_time < slot + %(slot)s + c.pause * interval '1 minute'
          AND t.end_time > slot - c.pause * interval '1 minute'
      )
      AND NOT EXISTS (
        SELECT 1 FROM scheduling_session t
        WHERE t.mentee_id = c.user_id AND t.status IN ('Pending', 'Confirmed')
          AND t.start_time > slot - interval '6 hours'
          AND t.start_time < slot + %(slot)s + c.pause * interval '1 minute'
          AND t.end_time > slot - c.pause * interval '1 minute'
      )
      AND (c.week_cap IS NULL OR c.week_cap > (
        SELECT count(*) FROM scheduling_session t
        WHERE t.mentor_id = c.user_id AND t.status <> 'Canceled'
          AND t.start_time >= CASE WHEN slot < %(next)s THEN %(monday)s ELSE %(next)s END
          AND t.start_time < CASE WHEN slot < %(next)s THEN %(next)s ELSE %(over)s END
      ))
) AS found
WHERE found.starts IS NOT NULL
LIMIT {FIRST}
"""  # noqa: S608  our own words
SQLITE = f"""
WITH RECURSIVE step(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM step WHERE n < 47)
SELECT user_id, starts FROM (
    SELECT c.user_id, (
        SELECT json_group_array(slot) FROM (
            SELECT datetime(w.start_time, (n * %(minutes)s) || ' minutes') AS slot
            FROM scheduling_availability w
            JOIN step ON n < (julianday(w.end_time) - julianday(w.start_time)) * 1440 / %(minutes)s - 0.99
            WHERE w.mentor_id = c.user_id
              AND w.start_time < %(until)s AND w.start_time > %(yesterday)s AND w.end_time > %(now)s
            ORDER BY 1
        ) WHERE slot > %(now)s AND datetime(slot, %(minutes)s || ' minutes') <= %(until)s
          AND NOT EXISTS (
            SELECT 1 FROM scheduling_session t
            WHERE t.mentor_id = c.user_id AND +t.status IN ('Pending', 'Confirmed')
              AND t.start_time > datetime(slot, '-6 hours')
              AND t.start_time < datetime(slot, (%(minutes)s + c.pause) || ' minutes')
              AND t.end_time > datetime(slot, -c.pause || ' minutes')
          )
          AND NOT EXISTS (
            SELECT 1 FROM scheduling_session t
            WHERE t.mentee_id = c.user_id AND +t.status IN ('Pending', 'Confirmed')
              AND t.start_time > datetime(slot, '-6 hours')
              AND t.start_time < datetime(slot, (%(minutes)s + c.pause) || ' minutes')
              AND t.end_time > datetime(slot, -c.pause || ' minutes')
          )
          AND (c.week_cap IS NULL OR c.week_cap > (
            SELECT count(*) FROM scheduling_session t
            WHERE t.mentor_id = c.user_id AND +t.status <> 'Canceled'
              AND t.start_time >= CASE WHEN slot < %(next)s THEN %(monday)s ELSE %(next)s END
              AND t.start_time < CASE WHEN slot < %(next)s THEN %(next)s ELSE %(over)s END
          ))
    ) AS starts
    -- The limits that limit nothing keep SQLite from working out the starts of everybody, and those it keeps twice.
    FROM ({CHOSEN} ORDER BY u.first_name, u.last_name, u.id LIMIT -1) AS c
    LIMIT -1
) WHERE starts <> '[]'
LIMIT {FIRST}
"""  # noqa: S608


def one_statement(week: Period) -> dict:
    """One hand-written SQL statement for the first mentors; the starts as the database gives them."""
    with _cursor() as cursor:
        cursor.execute(SQLITE if connection.vendor == "sqlite" else POSTGRESQL, _known(week))
        return dict(cursor.fetchall())


# The limits come with the windows; the weeks are counted for those who have a cap.
WINDOWS = """
SELECT w.mentor_id, w.start_time, w.end_time, coalesce(l.buffer_minutes, %(pause)s), l.week_cap,
    CASE WHEN l.week_cap IS NULL THEN 0 ELSE (
        SELECT count(*) FROM scheduling_session t WHERE t.mentor_id = w.mentor_id AND t.status <> 'Canceled'
        AND t.start_time >= %(monday)s AND t.start_time < %(next)s
    ) END,
    CASE WHEN l.week_cap IS NULL THEN 0 ELSE (
        SELECT count(*) FROM scheduling_session t WHERE t.mentor_id = w.mentor_id AND t.status <> 'Canceled'
        AND t.start_time >= %(next)s AND t.start_time < %(over)s
    ) END
FROM scheduling_availability w
JOIN people_user u ON u.id = w.mentor_id AND u.is_active
LEFT JOIN scheduling_mentorlimits l ON l.mentor_id = w.mentor_id
WHERE w.start_time < %(until)s AND w.start_time > %(yesterday)s AND w.end_time > %(now)s
  AND (l.paused_until_on IS NULL OR l.paused_until_on <= %(today)s)
ORDER BY w.mentor_id, w.start_time
"""
TAKEN = """
SELECT mentor_id, mentee_id, start_time, end_time FROM scheduling_session
WHERE status IN ('Pending', 'Confirmed') AND start_time < %(later)s AND start_time > %(earlier)s
"""


def two_queries(week: Period) -> dict:
    """Windows and sessions, and a loop over the steps of each window."""
    known = _known(week)
    now, until, following = known["now"], known["until"], known["next"]
    if connection.vendor == "sqlite":
        # It keeps times without their zone.
        now, until, following = map(datetime.fromisoformat, (now, until, following))
    taken, free = defaultdict(list), defaultdict(list)
    with _cursor() as cursor:
        cursor.execute(TAKEN, known)
        for mentor, mentee, start, end in cursor.fetchall():
            taken[mentor].append((start, end))
            taken[mentee].append((start, end))
        cursor.execute(WINDOWS, known)
        for mentor, start, end, pause, cap, held, held_next in cursor.fetchall():
            end, pause = min(end, until), timedelta(minutes=pause)
            if start <= now:
                start += ((now - start) // SLOT + 1) * SLOT
            busy = taken.get(mentor, ())
            while (after := start + SLOT) <= end:
                if all(after + pause <= begins or ends + pause <= start for begins, ends in busy) and (
                    cap is None or (held if start < following else held_next) < cap
                ):
                    free[mentor].append((start, after))
                start = after
    return free


@contextmanager
def _cursor() -> Iterator:
    """PostgreSQL takes our statements for dear ones and compiles them first, each time anew, for longer than they take."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET jit = off")
        yield cursor
        if connection.vendor == "postgresql":
            cursor.execute("RESET jit")


def _known(week: Period) -> dict:
    """What the statements are given, as the database has it."""
    program = Program.current()
    monday = program.policy.week_of(week.start)
    mondays = [datetime.combine(monday + timedelta(days=days), time(), program.policy.week_zone) for days in (0, 7, 14)]
    moments = dict(zip(("monday", "next", "over"), mondays, strict=True))
    moments |= {"now": week.start, "until": week.end, "earlier": week.start - timedelta(hours=6)}
    moments |= {"later": week.end + timedelta(hours=4), "yesterday": week.start - timedelta(days=1)}
    texts = {name: connection.ops.adapt_datetimefield_value(moment) for name, moment in moments.items()}
    given = {"skill": SKILL, "minutes": MINUTES, "slot": SLOT, "pause": program.buffer_minutes, "today": week.start.date()}
    return given | texts | ({"slot": None, "today": str(given["today"])} if connection.vendor == "sqlite" else {})


# ---- are they the same? -----------------------------------------------------------------------------------------------


def same(ours: dict, floor: dict) -> None:
    """Raises AssertionError where the two do not answer the same: then there is nothing to compare."""
    told = [_told(found) for found in (ours, floor)]
    if told[0] != told[1]:
        differ = [key for key in {*told[0], *told[1]} if told[0].get(key) != told[1].get(key)]
        raise AssertionError(f"Ours and the floor's answer differ for {len(differ)} mentors, such as {differ[:3]}.")


def _told(found: dict) -> dict[int, list[str]]:
    """Key -> the starts, as text."""
    listed = {key: json.loads(starts) if isinstance(starts, str) else starts for key, starts in found.items()}
    return {key: [_start(slot) for slot in starts] for key, starts in listed.items()}


def _start(slot) -> str:
    start = slot if isinstance(slot, str | datetime) else slot.start if isinstance(slot, Period) else slot[0]
    return str(start)[:16]


def queries(ask) -> int:
    with CaptureQueriesContext(connection) as captured:
        ask()
    return len(captured)
