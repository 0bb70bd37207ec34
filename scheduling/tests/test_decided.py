"""When a request was first decided: what the desk's answer times and rates are made of."""

from importlib import import_module

import pytest
import time_machine
from django.db import connection

from scheduling import booking
from scheduling.models import Session

pytestmark = pytest.mark.django_db


def test_the_first_decision_is_kept_and_the_history_knows_it_too(maya, omar, alex, bo, zoe, kim, window, monday, cora):
    window(maya)
    window(omar)

    def asked(mentor, mentee, hour=9):
        return booking.request(mentor, mentee, monday.replace(hour=hour), 30, by=mentee.user)

    confirmed = booking.confirm(asked(maya, alex), by=maya.user)
    first = confirmed.decided_at
    assert first > confirmed.created_at
    # Moved by the mentee it waits again, handed over it waits again: the first yes stays.
    moved = booking.reschedule(confirmed, monday.replace(hour=11), by=alex.user)
    handed = booking.reassign(moved, omar, by=cora)
    assert (handed.status, handed.decided_at) == ("Pending", first)
    declined = booking.decline(asked(maya, bo), by=maya.user)
    withdrawn = booking.cancel(asked(maya, zoe, 10), by=zoe.user)
    waiting = asked(omar, kim.mentee, 10)
    with time_machine.travel(waiting.answer_by, tick=False):
        expired = booking.expire(waiting)
    agreed = booking.reassign(asked(maya, alex, 9), omar, by=cora, agreed=True)
    wanted = {row.pk: row.decided_at for row in (handed, declined, withdrawn, expired, agreed)}
    assert [wanted[row.pk] is not None for row in (declined, withdrawn, agreed)] == [True, False, True]
    assert wanted[expired.pk] == waiting.answer_by

    def known():
        return dict(Session.objects.values_list("pk", "decided_at"))

    assert known() == wanted
    # What was there before the column was: the migration reads the history.
    Session.objects.update(decided_at=None)
    with connection.cursor() as cursor:
        cursor.execute(import_module("scheduling.migrations.0011_decided_at").FIRST_DECIDED)
    assert known() == wanted
