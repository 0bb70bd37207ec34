"""Finding sessions among a million: by people, and no further counted than anybody reads."""

from collections.abc import Sequence

from django.contrib import messages
from django.core.paginator import Paginator
from django.db import connection
from django.db.models import F, Q, QuerySet, Value
from django.utils.functional import cached_property
from django.utils.translation import ngettext

from people.models import User

# So many are counted, and said to be "1,000+" where there are more.
CAP = 1_000
COUNT = "SELECT COUNT(*) FROM"
# More people of one name are no search any more; and SQLite takes only so many parameters in one question.
PEOPLE_FOUND = 500
# Sessions of some people: up to so many are found by their people, more by walking along the time.
FEW = 2_000


class AtLeast(int):
    """A number where counting stopped: "1,000+"."""

    def __str__(self) -> str:
        return f"{self // CAP * CAP:,}+"


def counted(rows: QuerySet, most: int) -> int:
    """How many rows, or that there are more than ``most``."""
    found = rows.order_by().values("pk")[: most + 1].count()
    return AtLeast(most) if found > most else found


def counted_each(parts: Sequence[QuerySet], most: int) -> list[int]:
    """The same of each of these, in one question."""
    limited = [rows.order_by().values("pk")[: most + 1].query.sql_with_params() for rows in parts]
    # Django's own words, with a place for every value.
    counts = ", ".join(f"({COUNT} ({sql}) AS part_{number})" for number, (sql, _) in enumerate(limited))
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {counts}", [value for _, values in limited for value in values])
        return [AtLeast(most) if found > most else found for found in cursor.fetchone()]


class CappedPaginator(Paginator):
    """Counts a thousand rows beyond the page that is shown: deep pages can be reached, and none costs a count of all."""

    def __init__(self, rows, per_page, *, page: int, known: int | None = None, **kwargs):
        """``known``: how many there are, where the search has counted already."""
        super().__init__(rows, per_page, **kwargs)
        self.most = CAP + page * per_page
        # A deep page counts on from what was known.
        self.known = known if page == 1 or not isinstance(known, AtLeast) else None

    @cached_property
    def count(self):
        return counted(self.object_list, self.most) if self.known is None else self.known

    def page(self, number):
        """First the keys, by an index alone: to join all that a deep page skips is most of what it costs."""
        page = super().page(number)
        keys = list(page.object_list.values_list("pk", flat=True))
        page.object_list = self.object_list.filter(pk__in=keys)
        return page


def of_people(sessions: QuerySet, *, mentors=None, mentees=None) -> tuple[QuerySet, int]:
    """Of these sessions those with one of these mentors, or one of these mentees; and how many, or that there are many.

    ``mentors``, ``mentees``: keys, or a query for keys. Few are found through the people's own indexes. Where there are many
    the next ones are near on the walk along the time, and going through all of theirs, to sort them, would take far longer.
    """
    sides = {"mentor": mentors, "mentee": mentees}
    sides = {side: keys for side, keys in sides.items() if keys is not None}
    found: set[int] = set()
    for side, keys in sides.items():
        found.update(sessions.order_by().filter(**{f"{side}__in": keys}).values_list("pk", flat=True)[: FEW + 1])
        if len(found) > FEW:
            break
    else:
        return sessions.filter(pk__in=found), len(found)
    # Hidden from the database, which would take the people's indexes.
    either = Q()
    for side, keys in sides.items():
        sessions = sessions.alias(**{f"hidden_{side}": F(f"{side}_id") + Value(0)})
        either |= Q(**{f"hidden_{side}__in": keys})
    return sessions.filter(either), AtLeast(FEW)


def search(request, sessions: QuerySet, term: str) -> QuerySet:
    """The sessions of everybody who has each word of this in their name or, for who may see that, their address."""
    words = term.split()
    if not words:
        return sessions
    people = User.objects.order_by()
    for word in words:
        named = Q(first_name__icontains=word) | Q(last_name__icontains=word)
        people = people.filter(named | Q(email__icontains=word) if request.user.sees_contact else named)
    keys = list(people.values_list("pk", flat=True)[: PEOPLE_FOUND + 1])
    if len(keys) > PEOPLE_FOUND:
        said = ngettext(
            "More than %d person is called that: only their sessions are looked through. Type more of the name.",
            "More than %d people are called that: only the sessions of so many are looked through. Type more of the name.",
            PEOPLE_FOUND,
        )
        messages.warning(request, said % PEOPLE_FOUND)
    keys = keys[:PEOPLE_FOUND]
    found, request.sessions_found = of_people(sessions, mentors=keys, mentees=keys)
    return found
