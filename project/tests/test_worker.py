"""The worker's cluster is killed in every way, and tasks run again. Real processes, on a real database and queue."""

import os
import re
import shutil
import signal
import sys
import time
from datetime import timedelta

import pytest
import redis
from django.core.cache import cache
from django.utils import timezone
from django_q.conf import Conf
from django_q.models import Schedule
from django_q.tasks import async_task

from project import health
from project.tests.maillog import logging_server
from project.tests.workers import PATIENCE, QUICK, Ran, alive, freeze, kill, quick_worker, started, until
from project.worker import Timing
from scheduling.models import Notice, Session
from scheduling.tasks import SCHEDULES

pytestmark = pytest.mark.django_db(transaction=True)
KILLED = "it ended by itself (code -9)"
# What exactly a kill breaks is a matter of luck: the queue's lock, or the one that the heart waits for.
HUNG = "it is deaf or silent"


@pytest.fixture(autouse=True)
def nothing_heard():
    """What a worker said is no other test's: nobody else empties the cache."""
    cache.delete(health.WELL_KEY)
    yield
    cache.delete(health.WELL_KEY)


@pytest.fixture
def ran(tmp_path):
    return Ran(tmp_path)


@pytest.fixture
def log(tmp_path):
    return tmp_path / "worker.log"


@pytest.fixture
def redis_queue(monkeypatch):
    """The tasks of this test go to a database of Redis that is empty. What a worker needs to find it."""
    for number in range(15, 0, -1):
        url = f"redis://127.0.0.1:6379/{number}"
        server = redis.from_url(url)
        try:
            mine = server.dbsize() == 0 and server.set("tests", os.getpid(), nx=True, ex=600)
        except redis.ConnectionError:
            server.close()
            pytest.skip("no Redis at 127.0.0.1:6379: the worker was tested on the database's queue only")
        if mine:
            break
        server.close()
    else:
        pytest.skip("no empty database in the Redis at 127.0.0.1:6379")
    monkeypatch.setattr(Conf, "ORM", None)
    monkeypatch.setattr(Conf, "REDIS", url)
    yield {"REDIS_URL": url}
    server.flushdb()
    server.close()


def killed_and_back(worker, ran, kill_whom, count: int) -> None:
    """Kill some of the cluster, and see a task run in the next one."""
    until(lambda: worker.cluster().status == Conf.IDLE, "idle workers")
    time.sleep(0.3)  # until both wait for a task
    kill_whom(worker.cluster())
    while not worker.restarted(count, 4 * QUICK.patience):
        # It happened at a moment when it harms nobody: in the middle of a pulse.
        kill_whom(worker.cluster())
    ran.soon(f"after kill {count}")


def restarts(*reasons: str) -> list[str]:
    """What the supervisor says of a life with these restarts, none of which was long after the other."""
    said, pause = ["cluster started"], 0.0
    for why in reasons:
        said += [f"cluster is restarted in {pause:g} s: {why}", "cluster started"]
        pause = min(max(2 * pause, QUICK.pause), QUICK.longest_pause)
    return [*said, "cluster stopped"]


def test_tasks_run_again_whatever_was_killed(ran, log):
    with quick_worker(log) as worker:
        # Who is busy is not deaf: both are for longer than the supervisor waits, and a third task waits for them.
        first = worker.cluster().pid
        for _ in range(2):
            async_task("time.sleep", 1.5 * QUICK.patience)
        assert ran.soon("third") > QUICK.patience
        assert worker.cluster().pid == first

        killed_and_back(worker, ran, lambda cluster: kill(*cluster.workers), 1)
        killed_and_back(worker, ran, lambda cluster: kill(cluster.monitor), 2)
        killed_and_back(worker, ran, lambda cluster: freeze(cluster.sentinel), 3)

        # A cluster looks at its schedules after half a minute for the first time; what is due by then runs at once.
        scheduled = ran.folder / "scheduled"
        Schedule.objects.create(
            func="os.mkdir",
            args=repr(str(scheduled)),
            schedule_type=Schedule.ONCE,
            next_run=timezone.now() - timedelta(minutes=1),
        )
        killed_and_back(worker, ran, lambda cluster: kill(cluster.pid), 4)
        until(scheduled.exists, "the scheduled task", patience=15)

        killed_and_back(worker, ran, lambda cluster: kill(*alive(cluster.pid)), 5)
        last = worker.cluster().pid
        assert (worker.stop(), alive(last)) == (0, [])
    assert worker.said() == restarts(HUNG, HUNG, HUNG, KILLED, KILLED)
    assert "@" not in worker.log


def test_tasks_run_again_with_redis_as_broker(ran, log, redis_queue):
    ran.again = 5
    with quick_worker(log, **redis_queue) as worker:
        ran.soon("first")
        killed_and_back(worker, ran, lambda cluster: kill(*cluster.workers), 1)
        killed_and_back(worker, ran, lambda cluster: kill(*alive(cluster.pid)), 2)
        assert worker.stop() == 0
    assert worker.said() == restarts(HUNG, KILLED)


def test_a_cluster_that_nobody_watches_stays_deaf(ran, log):
    """The control: this is what the worker is for. It beats on, takes the task, and does not run it."""
    with started([sys.executable, "manage.py", "qcluster"], log) as cluster:
        ran.soon("first")
        until(lambda: cluster.cluster().status == Conf.IDLE, "idle workers")
        time.sleep(0.3)  # until both wait for a task
        kill(*cluster.cluster().workers)
        until(lambda: cluster.cluster().reincarnations >= 2, "new workers in the place of the dead")
        ran.queue("never")
        with pytest.raises(pytest.fail.Exception):
            until(lambda: ran.has("never"), "it", patience=QUICK.pulse + 2 * QUICK.patience)
        assert (cluster.cluster().task_q_size, len(cluster.cluster().workers)) == (1, 2)
        os.killpg(cluster.process.pid, signal.SIGKILL)


def test_in_real_life_tasks_run_again_within_a_minute():
    """All waits of the slowest way, one after the other, and five seconds for the new cluster to start."""
    assert Timing().longest + 5 < 60


def test_who_dies_at_once_is_started_again_after_longer_and_longer_pauses(log):
    # Of the processes that it starts itself, each ends at once.
    with quick_worker(log, before=f"import sys; sys.executable = {shutil.which('false')!r}; ") as worker:
        assert worker.restarted(5, PATIENCE)
        worker.stop()
    pauses = re.findall(r"is restarted in (\S+) s: it ended by itself \(code 1\)", worker.log)
    assert pauses[:5] == ["0", "0.1", "0.2", "0.4", "0.5"]


def test_of_a_worker_that_is_killed_no_cluster_is_left_and_another_goes_on(ran, log, tmp_path):
    """Not even a deaf one, which cannot stop as it should."""
    with quick_worker(log) as first:
        ran.soon("first")
        cluster = first.cluster()
        assert len(alive(cluster.pid)) == 6  # main, sentinel, two workers, monitor, pusher
        freeze(first.process.pid)
        kill(*cluster.workers)
        until(lambda: first.cluster().reincarnations, "a new worker in the place of a dead one")
        first.process.kill()
        first.process.wait(PATIENCE)
        with quick_worker(tmp_path / "second.log") as second:
            until(lambda: not alive(cluster.pid), "the end of the orphans", patience=15)
            ran.soon("second")
            assert second.said() == ["cluster started"]


def test_the_command_tells_healthz_and_stops_at_once(log):
    assert health.cluster_silent() == "No worker has been heard of ever. Is `manage.py worker` running?"
    with started([sys.executable, "manage.py", "worker"], log) as worker:
        until(lambda: not health.cluster_silent(), "the first good news")
        worker.process.send_signal(signal.SIGINT)
        assert worker.process.wait(PATIENCE) == 0
    assert worker.said() == ["cluster started", "cluster stopped"]


def test_worker_and_cron_together_send_nothing_twice(ran, log, session, maya, alex, tmp_path):
    """300 notices; the worker's sweeps and `manage.py send_due` at once."""
    now = timezone.now()
    starts = [session.start_time + number * timedelta(hours=1) for number in range(1, 300)]
    half_an_hour = timedelta(minutes=30)
    others = [Session(mentor=maya, mentee=alex, start_time=at, end_time=at + half_an_hour, created_at=now) for at in starts]
    Notice.objects.bulk_create(
        Notice(
            session=other,
            recipient=maya.user,
            kind="requested",
            start_time=other.start_time,
            due_at=now,
            expires_at=other.start_time,
        )
        for other in Session.objects.bulk_create(others)
    )
    with logging_server(tmp_path / "taken") as mail:
        env = {"EMAIL_URL": f"smtp://127.0.0.1:{mail.port}"}
        with quick_worker(log, **env):
            ran.soon("first")
            with started([sys.executable, "manage.py", "send_due"], tmp_path / "cron.log", **env) as cron:
                for _ in range(4):
                    async_task("scheduling.tasks.send_due")
                assert cron.process.wait(PATIENCE) == 0
            until(lambda: not Notice.objects.unsent().exists(), "the last notice")
        copies = mail.settled()
    assert (len(copies), set(copies.values())) == (300, {1})
    assert set(Notice.objects.values_list("state", "attempts")) == {("sent", 1)}
    by_cron = int(re.search(r"^(\d+) sent$", cron.log, re.MULTILINE).group(1))
    assert 0 < by_cron < 300, "One of the two had no part in it."


def test_migrate_installs_the_schedules():
    fields = ("func", "schedule_type", "minutes")
    installed = {row.pop("name"): row for row in Schedule.objects.values("name", *fields)}
    assert installed == {name: {"minutes": None} | schedule for name, schedule in SCHEDULES.items()}


def test_a_worker_stops_though_it_is_in_the_middle_of_a_question_that_nobody_answers(log):
    """The database says nothing any more: nobody waits for it."""
    silent = "from project import worker; import time; worker.Cluster.complaint = lambda cluster: time.sleep(600) or ''; "
    with quick_worker(log, before="import django; django.setup(); " + silent) as worker:
        until(lambda: "cluster" in worker.log, "the start")
        time.sleep(1)
        began = time.monotonic()
        assert worker.stop() == 0
        assert time.monotonic() - began < 30
    assert worker.said() == ["cluster started", "cluster stopped"]


def test_a_stop_that_comes_to_nothing_in_others_code_is_not_forgotten(log):
    """Code of others may swallow whatever is raised in it: it is asked between two steps, and not by an exception alone."""
    swallows = "from project import worker; worker.Cluster.complaint = lambda cluster: swallow(); "
    function = """
import time
def swallow():
    try:
        time.sleep(0.5)
    except BaseException:
        pass
    return ""
"""
    with quick_worker(log, before=f"import django; django.setup(); exec({function!r}); " + swallows) as worker:
        until(lambda: "cluster" in worker.log, "the start")
        time.sleep(1)
        assert worker.stop() == 0
    assert worker.said() == ["cluster started", "cluster stopped"]
