"""Many small counts as one question."""

from collections.abc import Iterable

from django.db.models import Expression, IntegerField, QuerySet, Subquery

from scheduling.models import Program

# More are counted by nobody: the list behind the number has them all.
MOST = 1_000


class Number(Subquery):
    """How many rows there are, at most one more than MOST."""

    template = "(SELECT COUNT(*) FROM (%(subquery)s) AS counted)"
    output_field = IntegerField()


def many(each: Iterable[QuerySet], *besides: Expression) -> list:
    """How many rows each of these has, and what else is asked beside them."""
    numbers = [Number(rows.order_by().values("pk")[: MOST + 1]) for rows in each]
    # Something has to be asked of, and the program is one row.
    asked = Program.objects.values_list(*numbers, *besides)
    return list(asked.first() or (Program.current() and asked.first()))
