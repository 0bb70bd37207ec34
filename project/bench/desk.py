"""The desk: its first page, and the palette that finds anything.

The floor of the first page is its bare SQL: one hand-written statement for what needs somebody, and one for each part of the
week. It is asked nothing else: nobody's permissions, no words, no page. The palette has no floor: it answers while somebody
types, or it does not.
"""

from collections.abc import Callable, Iterator
from datetime import timedelta
from statistics import median
from time import perf_counter

from django.db import connection
from django.utils import timezone

from people.models import User
from project import dashboard, palette, week
from project.bench import Row, compared, in_turn
from project.bench.places import Places
from project.groups import COORDINATORS
from scheduling import needs, reports
from scheduling.models import Availability, Session
from scheduling.needs import Scope

RUNS = 9
# Milliseconds in which an answer comes at once.
AT_ONCE = 100
TERMS = {"a name that many have": "mar", "an address": "marco.abara", "no hit": "xyzzy"}


def rows(places: Places) -> Iterator[Row]:
    now = timezone.now()
    same(now)
    what = f"the first page, the database's time, {places.past:,} past sessions; its bare SQL"
    yield compared(what, asked(RUNS, ours=lambda: first_page(now), floor=lambda: bare(now)), 3)
    user = staff()
    for what, term in TERMS.items():
        seconds = in_turn(RUNS, ours=lambda term=term: palette.find_sessions(user, keys(user, term)))["ours"]
        spent = 1000 * median(seconds)
        people = places.scale.mentors + places.scale.mentees
        yield Row(
            f"the palette, {what}, among {people:,} people and {places.past:,} sessions",
            f"{spent:.1f} ms",
            goal=f"at most {AT_ONCE} ms",
            met=spent <= AT_ONCE,
            runs={"ours": seconds},
        )


def staff() -> User:
    return User.objects.filter(is_staff=True, groups__name=COORDINATORS)[0]


def keys(user: User, term: str) -> list[int]:
    return [person["pk"] for person in palette.find_people(user, term)]


def asked(runs: int, **jobs: Callable[[], object]) -> dict[str, list[float]]:
    """The seconds that the database takes for each job, so many times in turn, after once that does not count."""
    seconds: dict[str, list[float]] = {name: [] for name in jobs}
    for run in range(runs + 1):
        for name, job in jobs.items():
            spent: list[float] = []
            with connection.execute_wrapper(timing(spent)):
                job()
            if run:
                seconds[name].append(sum(spent))
    return seconds


def timing(spent: list[float]):
    def wrapped(execute, sql, params, many, context):
        begun = perf_counter()
        try:
            return execute(sql, params, many, context)
        finally:
            spent.append(perf_counter() - begun)

    return wrapped


# ---- ours -------------------------------------------------------------------------------------------------------------


def first_page(now) -> tuple[list[int], dict]:
    """All that is asked of the database about the program, with what Python makes of it."""
    tiles = [tile for tile in dashboard.tiles(staff(), Scope(), now) if "needs=" in tile.link]
    dashboard.count(tiles, now)
    return [tile.number for tile in tiles], week.week(Scope(), now)


# ---- the floor --------------------------------------------------------------------------------------------------------

NEEDS = """
SELECT
(SELECT count(*) FROM (SELECT 1 FROM scheduling_session WHERE status = 'Pending' AND start_time > %(now)s
  AND (answer_by <= %(tomorrow)s OR answer_by IS NULL AND created_at <= %(yesterday)s) LIMIT 1001) a),
(SELECT count(*) FROM (SELECT 1 FROM scheduling_session s
  JOIN people_user m ON m.id = s.mentor_id JOIN people_user n ON n.id = s.mentee_id
  WHERE s.status IN ('Pending', 'Confirmed') AND s.start_time > %(now)s AND (NOT m.is_active OR NOT n.is_active
    OR {text} NOT LIKE '%%outside_window%%' AND (
      NOT EXISTS (SELECT 1 FROM scheduling_availability w WHERE w.mentor_id = s.mentor_id AND w.start_time <= s.start_time
        AND w.start_time > {day_before} AND w.end_time > s.start_time)
      OR EXISTS (SELECT 1 FROM scheduling_availability w WHERE w.mentor_id = s.mentor_id AND w.start_time < s.end_time
        AND w.start_time > {day_before} AND w.end_time > s.start_time AND w.end_time < s.end_time
        AND NOT EXISTS (SELECT 1 FROM scheduling_availability x WHERE x.mentor_id = w.mentor_id AND x.start_time = w.end_time))
  )) LIMIT 1001) b),
(SELECT count(*) FROM (SELECT 1 FROM scheduling_session WHERE status = 'Confirmed' AND end_time <= %(now)s LIMIT 1001) c),
(SELECT count(*) FROM (SELECT 1 FROM scheduling_notice WHERE state IN ('pending', 'sending') AND due_at < %(late)s
  OR state IN ('failed', 'uncertain', 'expired') AND start_time > %(now)s LIMIT 1001) d),
(SELECT count(*) FROM (SELECT 1 FROM people_mentor r JOIN people_user u ON u.id = r.user_id AND u.is_active
  WHERE NOT EXISTS (SELECT 1 FROM scheduling_availability w WHERE w.mentor_id = r.user_id AND w.end_time > %(now)s
    AND w.start_time > %(yesterday)s AND w.start_time < %(fortnight)s)
  AND NOT EXISTS (SELECT 1 FROM scheduling_mentorlimits l WHERE l.mentor_id = r.user_id AND l.paused_until_on > %(today)s)
  LIMIT 1001) e),
(SELECT count(*) FROM (SELECT 1 FROM people_mentee r JOIN people_user u ON u.id = r.user_id AND u.is_active
  WHERE NOT EXISTS (SELECT 1 FROM scheduling_session s WHERE s.mentee_id = r.user_id AND s.status <> 'Canceled'
    AND s.start_time >= %(month)s AND s.start_time < %(next_month)s) LIMIT 1001) f)
"""
SESSIONS = """
SELECT CASE {steps} END, status, count(*), sum({end} - {start}), count(*) FILTER (WHERE end_time <= %(now)s)
FROM scheduling_session WHERE start_time >= %(mark0)s AND start_time < %(mark11)s GROUP BY 1, 2
"""
OFFERED = """
SELECT start_time >= %(mark4)s, sum({end} - {start}) FROM scheduling_availability
WHERE start_time >= %(mark0)s AND start_time < %(mark11)s GROUP BY 1
"""
DECIDED = """
SELECT decided_at >= %(mark4)s, count(*), count(*) FILTER (WHERE ending NOT IN ('declined', 'expired'))
FROM scheduling_session WHERE decided_at >= %(mark0)s AND decided_at < %(mark11)s GROUP BY 1
"""
ANSWERS = """
SELECT now, took FROM (SELECT now, took, count(*) OVER (PARTITION BY now) AS number,
    row_number() OVER (PARTITION BY now ORDER BY took) AS place
  FROM (SELECT decided_at >= %(mark4)s AS now, {decided} - {created} AS took FROM scheduling_session
    WHERE decided_at >= %(mark0)s AND decided_at < %(mark11)s AND ending <> 'expired' AND decided_at > created_at) a) b
WHERE place = (number + 1) / 2
"""


def bare(now) -> tuple[list[int], list]:
    """The statements, in turn, as somebody would write them who knows the indexes."""
    postgresql = connection.vendor == "postgresql"
    seconds = "extract(epoch FROM {})::bigint" if postgresql else "CAST(strftime('%%s', {}) AS INTEGER)"
    columns = {"start": "start_time", "end": "end_time", "decided": "decided_at", "created": "created_at"}
    words = {name: seconds.format(column) for name, column in columns.items()}
    words["steps"] = " ".join(f"WHEN start_time < %(mark{at})s THEN {at - 1}" for at in range(1, 12))
    words["text"] = "s.set_aside::text" if postgresql else "s.set_aside"
    words["day_before"] = "s.start_time - interval '1 day'" if postgresql else "datetime(s.start_time, '-1 day')"
    four, seven = reports.weeks(now, timezone.get_current_timezone())
    month = needs.this_month(now)
    moments = {f"mark{at}": period.start for at, period in enumerate([*four, *seven])} | {"mark11": seven[-1].end}
    moments |= {"now": now, "tomorrow": now + timedelta(days=1), "yesterday": now - timedelta(days=1)}
    moments |= {"late": now - timedelta(minutes=2), "fortnight": now + timedelta(days=14)}
    moments |= {"month": month.start, "next_month": month.end}
    known = {name: connection.ops.adapt_datetimefield_value(moment) for name, moment in moments.items()}
    known["today"] = str(timezone.localdate(now))
    found = []
    with connection.cursor() as cursor:
        for statement in (NEEDS, SESSIONS, OFFERED, DECIDED, ANSWERS):
            cursor.execute(statement.format(**words), known)
            found.append(cursor.fetchall())
    return list(found[0][0]), found[1:]


def same(now) -> None:
    """Raises AssertionError where the two do not answer the same: then there is nothing to compare."""
    numbers, told = first_page(now)
    floor, (sessions, offered, decided, answers) = bare(now)
    by_day, by_week = told["breakdowns"]
    ours = [sum(row["cells"][-1][0] for row in part["rows"]) for part in (by_week, by_day)]
    theirs = [sum(row[2] for row in sessions), sum(row[2] for row in sessions if row[0] > 3)]
    this = reports.week(Session.objects, Availability.objects, now, timezone.get_current_timezone())
    figures = {False: this.usual, True: this.this}
    parts = (
        (numbers, floor),
        (ours, theirs),
        *((figures[bool(at)].offered_seconds, int(seconds)) for at, seconds in offered),
        *(((figures[bool(at)].decided, figures[bool(at)].agreed), tuple(counted)) for at, *counted in decided),
        *((figures[bool(at)].answer_seconds, took) for at, took in answers),
    )
    for mine, other in parts:
        if mine != other:
            raise AssertionError(f"Ours says {mine}, and the floor {other}.")
