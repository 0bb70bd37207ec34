"""Programs' lives at random: whatever happens, what must never be false is not. The machine is in `life`.

`LIFE_RUNS` and `LIFE_STEPS` in the environment make it longer: `make soak` does.
"""

import logging
import os
import sys
from collections import defaultdict
from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from scheduling import booking, delivery, leaving, notices, offering
from scheduling.booking import facts, known, moves, writing
from scheduling.guard import SESSIONS, WINDOWS
from scheduling.slots import merge
from scheduling.tests.life import Cast, Life
from scheduling.tests.life.asking import Asking
from scheduling.tests.life.offering import Offering
from scheduling.tests.life.world import World

RUNS = int(os.environ.get("LIFE_RUNS", "200" if os.environ.get("CI") else "30"))
STEPS = int(os.environ.get("LIFE_STEPS", "30"))
# In so many runs all of this happens, or the machine has lost its way.
ENOUGH = 200
HAPPENS = {
    *("request", "confirm", "decline", "cancel", "reschedule", "reassign", "complete", "mark_no_show", "expire", "stale"),
    *("leave", "leave with sessions", "come back", "hours changed", "hours changed with sessions", "overlap", "mail"),
}


@pytest.fixture
def life(db, monkeypatch, caplog):
    # A line for each run of the worker would be all there is to read.
    caplog.set_level(logging.WARNING)
    monkeypatch.setattr(Life, "cast", Cast.make(), raising=False)
    Life.happened.clear()
    return Life


def live(machine, runs=RUNS, steps=STEPS, **more):
    steps = {"stateful_step_count": steps, "deadline": None, "suppress_health_check": list(HealthCheck)}
    run_state_machine_as_test(machine, settings=settings(max_examples=runs, **steps, **more))


def test_many_programs_live_and_nothing_is_ever_false(life):
    live(life)
    sys.stdout.write(f"{RUNS} lives of {STEPS} steps on {connection.vendor}: {dict(life.happened.most_common())}\n")
    # In so few lives one kind of event may be missing by chance; where two are, the machine has gone blind.
    assert RUNS < ENOUGH or len(HAPPENS - life.happened.keys()) <= 1, HAPPENS - life.happened.keys()


# ---- the controls: where something is broken, the machine finds it -----------------------------------------------------------


def nothing(*args, **kwargs):
    """In the place of something that should have been done."""


def break_promises_taken_back(monkeypatch):
    monkeypatch.setattr(notices, "take_back", nothing)


def break_reminders(monkeypatch):
    monkeypatch.setattr(notices, "remind", nothing)


def break_the_history(monkeypatch):
    monkeypatch.setattr("django.conf.settings.SIMPLE_HISTORY_ENABLED", False, raising=False)


def break_authority(monkeypatch):
    """Everybody acts for the program."""
    monkeypatch.setattr(moves, "acts_for_program", lambda user: user.is_active)


def break_leaving(monkeypatch):
    """Nobody looks what somebody leaves behind."""
    monkeypatch.setattr(leaving, "ahead", lambda user: [])


def break_the_rules(monkeypatch):
    """Nobody asks them; the guard still stands."""
    monkeypatch.setattr(writing, "insist", nothing)


def break_rules_and_guard(monkeypatch):
    """No session is in the way of another."""
    SESSIONS.remove(connection)
    monkeypatch.setattr(facts, "_taken", lambda *args: defaultdict(dict))
    monkeypatch.setattr(known.Known, "_put", nothing)
    # The machine's book would tell; here it must be the look at the database that does.
    monkeypatch.setattr(Life, "placed", lambda self, codes, *rest: not codes)


def break_expiring(monkeypatch):
    """A request is answered after its time."""
    monkeypatch.setattr(booking, "expire_unanswered", lambda: 0)


def break_time_off(monkeypatch):
    """Time off leaves the windows as they are."""
    monkeypatch.setattr(offering, "_cut", nothing)


def break_touching(monkeypatch):
    """What a change leaves without a window goes unnoticed."""
    monkeypatch.setattr(offering, "_holds", lambda windows, period: True)


def break_writing_and_guard(monkeypatch):
    """Windows are written over what a person added."""
    WINDOWS.remove(connection)
    monkeypatch.setattr(offering, "subtract", lambda periods, cuts: merge(periods))


def without(*parts):
    """The machine without the rules of these parts: what is broken in the others is found sooner."""
    theirs = {name for part in parts for name, value in vars(part).items() if hasattr(value, "hypothesis_stateful_rule")}
    return type("Life", (Life,), dict.fromkeys(theirs - {"the_policy_changes"}))


@pytest.mark.parametrize(
    ("broken", "machine", "found_by"),
    [
        (break_promises_taken_back, Life, "every_promise_is_in_the_notices"),
        (break_reminders, Life, "every_promise_is_in_the_notices"),
        (break_the_history, Life, "every_change_is_in_the_history"),
        (break_authority, Life, "nothing_is_confirmed_without_the_mentor_or_staff"),
        (break_leaving, without(Asking, Offering), "leave"),
        (break_the_rules, Life, "placed"),
        (break_rules_and_guard, Life, "nobody_is_in_two_places"),
        (break_expiring, without(Offering), "every_session_is_what_was_made_of_it"),
        (break_time_off, without(Asking, World), "nothing_is_offered"),
        (break_touching, without(Asking, World), "change"),
        # Whichever comes first: time off cuts windows in the same way.
        (break_writing_and_guard, without(Asking, World), "no_window_overlaps_another nothing_is_offered"),
    ],
    ids=lambda value: "" if isinstance(value, type | str) else value.__name__.removeprefix("break_"),
)
def test_what_is_broken_is_found(life, monkeypatch, broken, machine, found_by):
    broken(monkeypatch)
    with pytest.raises(AssertionError) as failure:
        live(machine, 300, 30, phases=[Phase.generate], report_multiple_bugs=False, database=None, derandomize=True)
    assert {entry.name for entry in failure.traceback} & set(found_by.split())


# ---- what the machine found --------------------------------------------------------------------------------------------------


def test_nobody_confirms_on_behalf_of_the_mentee(session, cora, alex):
    """What only the mentor may do is done for the mentor, also by a coordinator."""
    with pytest.raises(ValidationError) as refusal:
        booking.confirm(session, by=cora, on_behalf_of=alex.user)
    assert (refusal.value.code, refusal.value.message) == ("not_yours", "This session can only be confirmed by the mentor.")


def test_whoever_acted_last_is_known_though_the_clock_was_put_back(session, maya, alex, monday, time_machine):
    time_machine.move_to(monday - timedelta(hours=12), tick=False)
    booking.confirm(session, by=maya.user)
    time_machine.move_to(monday - timedelta(hours=14), tick=False)
    moved = booking.reschedule(session, monday + timedelta(hours=1), by=alex.user, version=2)
    # The same form, sent twice, is one move, and who was too slow is told of Alex.
    assert booking.reschedule(session, monday + timedelta(hours=1), by=alex.user, version=2) == moved
    with pytest.raises(ValidationError, match="Alex Johnson changed this session at 19:00: it is Pending now"):
        booking.cancel(session, by=maya.user, version=2)


def test_whoever_left_is_promised_nothing_when_a_request_expires(session, maya, alex, cora, monday, time_machine):
    """It had begun when Alex left, so nobody was asked about it."""
    time_machine.move_to(monday, tick=False)
    leaving.leave(alex.user, by=cora)
    booking.expire_unanswered()
    told = session.notices.filter(kind="expired").values_list("recipient", "state", "detail")
    assert set(told) == {
        (maya.pk, "pending", ""),
        (alex.pk, "suppressed", "The recipient no longer takes part."),
    }


def test_whoever_handed_a_session_on_is_told_though_it_was_moved_before_the_mail_went_out(
    session, maya, omar, alex, cora, monday, window, mailoutbox
):
    window(omar)
    handed = booking.reassign(session, omar, by=cora, agreed=True)
    booking.reschedule(handed, monday + timedelta(hours=1), by=omar.user)
    delivery.sweep()
    told = dict(session.notices.filter(recipient=maya.pk, kind="reassigned").values_list("kind", "state"))
    assert told == {"reassigned": "sent"}
    [mail] = [message for message in mailoutbox if message.to == ["maya@example.org"]]
    assert "handed over to Omar Haddad" in mail.body
    # What was hers, not what became of it.
    assert f"{monday:%H:%M}–" in mail.body
    assert f"{monday + timedelta(hours=1):%H:%M}–" not in mail.body
