"""Senders that are killed: nothing is lost, and what comes twice came twice for a reason that can be counted.

What arrived is counted by the mail server, in a process of its own and by Message-ID; our own table is what is on trial.
`KILLS` and `KILLED_NOTICES` in the environment make it longer: `make soak` does.
"""

import contextlib
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta

import pytest
from django.conf import settings
from django.db import connection
from django.utils import timezone

from project.tests.maillog import LoggingServer, logging_server
from scheduling.models import Notice, Session
from scheduling.tests.sender import POINTS
from scheduling.tests.test_race import database_url

pytestmark = pytest.mark.django_db(transaction=True)
SENDERS = 3
KILLS = int(os.environ.get("KILLS", "24"))
NOTICES = int(os.environ.get("KILLED_NOTICES", "300"))
# Longer than a lease: what a dead sender held is free for the next round.
ROUND = 150


@pytest.fixture
def server(tmp_path):
    with logging_server(tmp_path / "taken.log") as server:
        yield server


@pytest.fixture
def owed(maya, alex, monday):
    """A function that makes so many notices, two of a session: both are told that it is confirmed."""

    def owe(count: int) -> None:
        now = timezone.now()
        starts = [monday + timedelta(hours=number) for number in range(count // 2)]
        half = timedelta(minutes=30)
        sessions = Session.objects.bulk_create(
            Session(mentor=maya, mentee=alex, start_time=start, end_time=start + half, created_at=now, status="Confirmed")
            for start in starts
        )
        Notice.objects.bulk_create(
            Notice(
                session=session,
                recipient=user,
                kind="confirmed",
                start_time=session.start_time,
                due_at=now,
                expires_at=session.start_time,
            )
            for session in sessions
            for user in (maya.user, alex.user)
        )

    return owe


def start(server: LoggingServer, how: str, seconds: int = 0, *death, group: int = 0) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-m", "scheduling.tests.sender", how, str(seconds), *map(str, death)],
        cwd=settings.BASE_DIR,
        env=os.environ
        | {
            "DATABASE_URL": database_url(),
            "SECRET_KEY": settings.SECRET_KEY,
            "EMAIL_URL": f"smtp://127.0.0.1:{server.port}",
        },
        stderr=subprocess.PIPE,
        text=True,
        process_group=group,
    )


def key_of(notice: Notice) -> str:
    return f"<{notice.message_key}@127.0.0.1>"


@dataclass
class Trial:
    """Rounds of senders of whom some are killed, and what became of the messages."""

    server: LoggingServer
    dice: random.Random
    kills: Counter = field(default_factory=Counter)
    # Copies that the server had taken when their sender died before it wrote that down.
    in_the_gap: int = 0
    copies: Counter = field(default_factory=Counter)
    rounds: int = 0

    def round(self, deaths: list[tuple], all_after: int = 0) -> None:
        """Senders at work together, some of them about to die; all of them once so many more messages have arrived."""
        before = self.server.count()
        seconds = self.rounds * ROUND
        senders = []
        for death in deaths:
            # The first begins a process group; the others join it.
            senders.append(start(self.server, "house", seconds, *death, group=senders[0].pid if senders else 0))
        if all_after:
            while self.server.count() < before + all_after and senders[0].poll() is None:
                time.sleep(0.001)
            with contextlib.suppress(ProcessLookupError):
                os.killpg(senders[0].pid, signal.SIGKILL)
        self.rounds += 1
        for sender, death in zip(senders, deaths, strict=True):
            said = sender.communicate(timeout=120)[1]
            assert said == "", said
            assert sender.returncode in (0, -signal.SIGKILL)
            if sender.returncode:
                self.kills["with the others" if all_after else death[0]] += 1
        self.look()

    def look(self) -> None:
        """Everybody is dead or done: what is still being sent is what the dead have left behind."""
        taken = self.server.settled()
        for notice in Notice.objects.filter(state="sending"):
            self.in_the_gap += taken[key_of(notice)] - self.copies[key_of(notice)]
        self.copies = taken

    def deaths(self) -> list[tuple]:
        return [(self.dice.choice(POINTS), 1 + self.dice.randrange(8)) for _ in range(SENDERS)]


def lost(copies: Counter) -> list[int]:
    """Notices that neither the server has taken nor a coordinator is shown as uncertain."""
    return [row.pk for row in Notice.objects.exclude(state="uncertain") if not copies[key_of(row)]]


def extra(copies: Counter) -> int:
    return copies.total() - len(copies)


def test_three_senders_send_each_of_many_once(server, owed):
    owed(NOTICES)
    trial = Trial(server, random.Random(0))  # noqa: S311  repeatable, not secret
    trial.round([()] * SENDERS)
    assert (lost(trial.copies), extra(trial.copies)) == ([], 0)
    assert len(trial.copies) == NOTICES
    assert set(Notice.objects.values_list("state", "attempts")) == {("sent", 1)}


def test_three_who_send_as_it_is_often_written_send_many_twice(server, owed):
    """The control: with the same messages, the same server and the same count."""
    owed(NOTICES)
    senders = [start(server, "naive") for _ in range(SENDERS)]
    assert [sender.communicate(timeout=120)[1] for sender in senders] == [""] * SENDERS
    copies = server.settled()
    assert len(copies) == NOTICES
    assert extra(copies) > 10


def test_killed_senders_lose_nothing_and_send_no_more_twice_than_were_killed_in_the_gap(server, owed):
    owed(NOTICES)
    trial = Trial(server, random.Random(20261124))  # noqa: S311  repeatable, not secret
    # They do not die of having nothing to do: a round takes at most some ten messages for each sender.
    while trial.kills.total() < KILLS:
        assert trial.rounds < KILLS, trial.kills
        if trial.rounds % 3 == 2:
            trial.round([()] * SENDERS, all_after=trial.dice.randrange(1, 20))
        else:
            trial.round(trial.deaths())
    # Those who live bring it to an end, once for each lease that the dead have left.
    for _ in range(3):
        trial.round([()] * SENDERS)
    sys.stdout.write(
        f"{NOTICES} notices on {connection.vendor}, killed: {dict(trial.kills)}; {trial.in_the_gap} in the gap,"
        f" {extra(trial.copies)} extra copies, {Notice.objects.filter(state='uncertain').count()} uncertain\n"
    )
    assert not Notice.objects.filter(state__in=["pending", "sending"]).exists()
    assert lost(trial.copies) == []
    assert extra(trial.copies) <= trial.in_the_gap
    # Some did die there, and whoever has waited for that place sees more than the gap allows.
    assert trial.in_the_gap >= 1
    assert trial.kills.keys() == {*POINTS, "with the others"}


def test_a_copy_is_only_sent_again_if_its_sender_died_in_the_gap(server, owed):
    """The control of the count: with every sender dying just there, each death shows as one copy more."""
    owed(12)
    trial = Trial(server, random.Random(1))  # noqa: S311
    trial.round([("given", 1)] * SENDERS)
    assert (trial.in_the_gap, extra(trial.copies)) == (SENDERS, 0)
    trial.round([()] * SENDERS)
    assert (lost(trial.copies), extra(trial.copies), trial.in_the_gap) == ([], SENDERS, SENDERS)
