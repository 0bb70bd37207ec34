"""The net under all tests, shown to catch: each of these small tests must fail, and says why."""

import os
import re
import subprocess
import sys

import pytest
from django.conf import settings

BAD = """
import logging, warnings
from datetime import datetime
import pytest
from django.template.loader import render_to_string


def test_warning():
    warnings.warn("old", DeprecationWarning)


@pytest.mark.django_db
def test_naive_datetime(maya):
    from scheduling.models import Availability
    Availability.objects.create(mentor=maya, start_time=datetime(2027, 1, 1, 9), end_time=datetime(2027, 1, 1, 10))


def test_undefined_variable():
    render_to_string("emails/invitation/subject.txt", {})


def test_logged_error():
    logging.getLogger("anywhere").error("lost")


def test_somebody_elses_template_may_leave_things_out():
    render_to_string("unfold/helpers/label.html", {})
"""


@pytest.mark.once
def test_the_net_catches(tmp_path):
    (tmp_path / "test_bad.py").write_text(BAD)
    command = [sys.executable, "-m", "pytest", "-c", "pyproject.toml", "-p", "no:cacheprovider", "-rfE", str(tmp_path)]
    # A database of its own: this test's may be in use.
    env = os.environ | {"DATABASE_URL": ""}
    run = subprocess.run(command, cwd=settings.BASE_DIR, env=env, capture_output=True, text=True, timeout=120)
    failed = dict(re.findall(r"^(?:FAILED|ERROR) \S+::(\w+) - (.*)$", run.stdout, re.MULTILINE))
    assert set(failed) == {"test_warning", "test_naive_datetime", "test_undefined_variable", "test_logged_error"}, run.stdout
    assert "received a naive datetime" in run.stdout
    assert "uses the undefined variable" in run.stdout
    assert "An error was logged: lost" in run.stdout
