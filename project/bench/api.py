"""The API's lists: what a program waits for.

Ours is the whole view: the key is looked up, rights and filters are asked, the rows are fetched and rendered, the ETag is made.
The floor is one SQL statement by which the database itself builds the same JSON, and nobody is asked for a key.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace

from django.db import connection
from django.db.models import Count, Q
from django.test import RequestFactory
from django.urls import resolve
from django.utils import timezone

from people.api.answers import ReadingThrottle
from people.models import ApiToken, Mentor, User
from project.bench import Row, compared, in_turn
from project.bench.places import Places
from project.bench.slots import queries

RUNS = 9
MOST_QUERIES = 12

MENTORS = """
SELECT {array}({json}one{close}) FROM (
    SELECT {object}(
        'pk', m.user_id, 'username', u.username, 'first_name', u.first_name, 'last_name', u.last_name, 'is_mentor', {true},
        'mentor_profile', {object}(
            'about_me', m.about_me,
            'skills', {json}coalesce((
                SELECT {array}(name) FROM (
                    SELECT s.name FROM people_mentor_skills k JOIN people_skill s ON s.id = k.skill_id
                    WHERE k.mentor_id = m.user_id ORDER BY s.name
                ) AS known
            ), '[]'){close},
            'availabilities', {json}coalesce((
                SELECT {array}({object}('pk', w.id, 'mentor', w.mentor_id, 'start_time', {start_time}, 'end_time', {end_time}))
                FROM (
                    SELECT * FROM scheduling_availability
                    WHERE mentor_id = m.user_id AND end_time > %(now)s ORDER BY start_time, id
                ) AS w
            ), '[]'){close}
        )
    ) AS one
    FROM people_mentor m JOIN people_user u ON u.id = m.user_id AND u.is_active AND u.mentor_ended_at IS NULL
    ORDER BY m.user_id
) AS mentors
"""
MENTEES = """
SELECT {array}({json}one{close}) FROM (
    SELECT {object}(
        'pk', m.user_id, 'username', u.username, 'first_name', u.first_name, 'last_name', u.last_name, 'is_mentee', {true},
        'mentee_profile', {object}('team_number', t.number)
    ) AS one
    FROM people_mentee m JOIN people_user u ON u.id = m.user_id AND u.is_active AND u.mentee_ended_at IS NULL
    LEFT JOIN people_team t ON t.id = m.team_id
    ORDER BY m.user_id
) AS mentees
"""
SESSIONS = """
SELECT {array}({json}one{close}) FROM (
    SELECT {object}(
        'pk', w.id, 'mentor_first_name', u.first_name, 'mentor_last_name', u.last_name, 'mentor_availability', w.availability_id,
        'mentee', w.mentee_id, 'start_time', {start_time}, 'end_time', {end_time}, 'status', w.status,
        'session_length', {minutes}
    ) AS one
    FROM scheduling_session w JOIN people_user u ON u.id = w.mentor_id
    WHERE (w.mentor_id = %(reader)s OR w.mentee_id = %(reader)s) AND w.end_time > %(now)s
    ORDER BY w.start_time, w.id
) AS sessions
"""
# How each database says it.
SQLITE = {
    "object": "json_object",
    "array": "json_group_array",
    "json": "json(",
    "close": ")",
    "true": "json('true')",
    "start_time": "strftime('%%Y-%%m-%%dT%%H:%%M:%%SZ', w.start_time)",
    "end_time": "strftime('%%Y-%%m-%%dT%%H:%%M:%%SZ', w.end_time)",
    "minutes": "(strftime('%%s', w.end_time) - strftime('%%s', w.start_time)) / 60",
}
POSTGRESQL = {
    "object": "json_build_object",
    "array": "json_agg",
    "json": "",
    "close": "",
    "true": "true",
    "start_time": """to_char(w.start_time AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')""",
    "end_time": """to_char(w.end_time AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')""",
    "minutes": "(extract(epoch FROM w.end_time - w.start_time) / 60)::int",
}


def rows(places: Places) -> Iterator[Row]:
    ReadingThrottle.THROTTLE_RATES = {"reading": "1000000/min"}
    reader = booked()
    now = connection.ops.adapt_datetimefield_value(timezone.now())
    given = {"now": now, "reader": reader.pk}
    key = ApiToken.objects.issue(reader, "bench", 30)
    for path, statement, at_most in (("/mentor/", MENTORS, 3), ("/mentee/", MENTEES, 4), ("/session/", SESSIONS, 4)):
        ask, floor = view(path, key), one_statement(statement, given)
        count, size = same(ask(), floor())
        seconds = in_turn(RUNS if size > 100 else 10 * RUNS, ours=ask, floor=floor)
        what = f"{path} whole: {count:,} rows, {size:,.0f} kB; one SQL statement"
        if path == "/session/":
            yield small(what, seconds, at_most)
        else:
            yield compared(what, seconds, at_most)
        counts = queries(view(f"{path}?limit=20", key)), queries(view(f"{path}?limit=1000", key))
        yield Row(
            f"{path} queries for 20 rows, for {min(count, 1000):,}",
            ", ".join(map(str, counts)),
            goal=f"constant, at most {MOST_QUERIES}",
            met=counts[0] == counts[1] and max(counts) <= MOST_QUERIES,
        )


def booked() -> User:
    """The mentor with the most sessions ahead."""
    ahead = Count("sessions", filter=Q(sessions__end_time__gt=timezone.now()))
    return Mentor.objects.active().annotate(ahead=ahead).latest("ahead", "pk").user


def view(path: str, key: str) -> Callable[[], bytes]:
    """What answers there: asks it, and gives what it says."""
    answers = resolve(path.partition("?")[0]).func

    def ask() -> bytes:
        answer = answers(RequestFactory(headers={"authorization": f"Token {key}", "host": "127.0.0.1"}).get(path))
        if answer.status_code != 200:
            raise AssertionError(f"{path} answers {answer.status_code}.")
        return answer.content

    return ask


def one_statement(statement: str, given: dict) -> Callable[[], bytes]:
    sql = statement.format(**(SQLITE if connection.vendor == "sqlite" else POSTGRESQL))

    def ask() -> bytes:
        # PostgreSQL's JSON as text: nobody reads it here.
        with connection.cursor() as cursor:
            cursor.execute(sql.replace("SELECT", "SELECT CAST(", 1).replace(" FROM (", " AS text) FROM (", 1), given)
            return cursor.fetchone()[0].encode()

    return ask


def same(ours: bytes, floor: bytes) -> tuple[int, float]:
    """How many rows, and how many kB. Raises AssertionError where the two do not answer the same."""
    rows = json.loads(ours)
    if rows != json.loads(floor):
        raise AssertionError("Ours and the floor's answer differ.")
    return len(rows), len(ours) / 1000


def small(what: str, seconds: dict[str, list[float]], at_most: float) -> Row:
    """A short answer may also take two milliseconds more: that is what a key, rights and filters cost, however little is read.

    The best of each: whatever else runs here takes longer than such an answer.
    """
    row = compared(what, seconds, at_most, f"at most {at_most:g}x, or 2 ms more")
    more = min(seconds["ours"]) - min(seconds["floor"])
    return replace(row, what=f"{what}; at best {1000 * more:.1f} ms more", met=row.met or more <= 0.002)
