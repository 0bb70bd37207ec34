"""The list of sessions: each tab, a deep page and the search, as the server answers them.

The floor is the same page of the same program with few sessions in its past: what the past costs is what is above 1x. Both are
whole answers: permissions, counts, rows, template. How long one takes by itself is told, too.
"""

from collections.abc import Iterator
from statistics import median

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext, override_settings

from people.models import User
from project.bench import Row, compared, in_turn
from project.bench.places import Places

RUNS = 5
FLAT = 1.15
AT_ONCE = 150  # milliseconds
MOST_QUERIES = 12
PAGES = {
    "ahead": "",
    "today": "?when=today",
    "this week": "?when=week",
    "waiting": "?when=waiting",
    "to report": "?when=report",
    "all": "?when=all",
    "all, searched for a common name": "?when=all&q=an",
    "searched, no hit": "?when=all&q=xyzzy",
}
DEEP = "?when=all&p=400"


def rows(places: Places) -> Iterator[Row]:
    with override_settings(ALLOWED_HOSTS=["*"], STAFF_SECOND_FACTOR=False):
        client = _clients(places)
        spent, asked = {}, {}
        for what, query in PAGES.items():
            seconds = _compared(places, client, query)
            yield compared(
                f"sessions, {what}: {places.past:,} past; {places.thin_past:,}", seconds, FLAT, f"flat: at most {FLAT:g}x"
            )
            spent[what] = 1000 * median(seconds["ours"])
            with CaptureQueriesContext(connection) as captured:
                client[places.main](query)
            asked[what] = len(captured)
        slowest, most = max(spent, key=spent.get), max(asked.values())
        yield Row(
            f"sessions, the slowest of these ({slowest}), and the most queries",
            f"{spent[slowest]:.1f} ms, {most}",
            goal=f"at most {AT_ONCE} ms, {MOST_QUERIES}",
            met=spent[slowest] <= AT_ONCE and most <= MOST_QUERIES,
        )
        if places.past > 400 * 50:
            seconds = in_turn(RUNS, ours=lambda: client[places.main](DEEP))["ours"]
            yield Row("sessions, page 400 of all", f"{1000 * median(seconds):.1f} ms", runs={"ours": seconds})


def _compared(places: Places, client: dict, query: str) -> dict[str, list[float]]:
    def move(name: str) -> None:
        places.use(places.main if name == "ours" else places.thin)
        connection.ensure_connection()

    def ask() -> None:
        client[connection.settings_dict["NAME"]](query)

    try:
        return in_turn(RUNS, before=move, ours=ask, floor=ask)
    finally:
        places.use(places.main)


def _clients(places: Places) -> dict:
    """Database -> a function that asks for the list with this query there, as somebody who is logged in."""
    found = {}
    for name in (places.thin, places.main):
        places.use(name)
        client = Client()
        client.force_login(User.objects.filter(is_staff=True).order_by("-is_superuser", "pk")[0])
        found[name] = lambda query, client=client: _asked(client, query)
    return found


def _asked(client: Client, query: str) -> None:
    answer = client.get(f"/admin/scheduling/session/{query}")
    if answer.status_code != 200:
        raise AssertionError(f"The list {query} answers {answer.status_code}.")
