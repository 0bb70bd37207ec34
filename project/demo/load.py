"""Fill an empty database with the demo program, once, and know the logins again the next time."""

import json
import os
import secrets
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from django.contrib.auth.models import Group
from django.db import transaction
from django.utils import timezone

from people.accounts import mark_verified
from people.models import User
from project.demo import seed, sheets
from project.groups import COORDINATORS
from scheduling.models import Program

# Role -> the address to log in with. The mentor and the mentee are people of the real sheets.
LOGINS = {
    "coordinator": "coordinator@example.org",
    "mentor": "emily.davis@example.com",
    "mentee": "alex.johnson@university.edu",
}


def load(progress: Callable[[int, int], None]) -> None:
    """All or nothing. Raises ValueError where the database has people already."""
    if User.objects.exists():
        raise ValueError("The database already has people in it: the demo program is only loaded into an empty one.")
    with transaction.atomic():
        program = Program.current()
        program.name, program.time_zone = "Demo mentoring program", "America/New_York"
        # The real program's sheets have sessions of all four lengths.
        program.session_lengths = [15, 30, 45, 60]
        program.save()
        coordinator = User.objects.create_user(
            email=LOGINS["coordinator"], first_name="Cora", last_name="Diaz", is_staff=True, time_zone="America/New_York"
        )
        coordinator.groups.add(Group.objects.get(name=COORDINATORS))
        sheets.load(by=coordinator)
        for done, of in seed.sow():
            progress(done, of)
        _have_been_here()


def _have_been_here() -> None:
    """Four of five have logged in these days; the others can be invited."""
    people = list(User.objects.filter(is_staff=False).order_by("pk"))
    for number, user in enumerate(people):
        if number % 5:
            user.last_login = timezone.now() - timedelta(hours=7 * (number % 30) + 1)
    User.objects.bulk_update(people, ["last_login"])


def loaded() -> bool:
    """Is the demo program in the database?"""
    return User.objects.with_email(LOGINS["coordinator"]) is not None


def logins(folder: Path) -> dict[str, tuple[str, str]]:
    """Role -> (e-mail, password). The passwords are made on the first run and kept in the data folder, readable by its owner."""
    file = folder / "demo_logins.json"
    if not file.exists():
        passwords = {role: secrets.token_urlsafe(9) for role in LOGINS}
        with open(os.open(file, os.O_WRONLY | os.O_CREAT, 0o600), "w") as out:
            json.dump(passwords, out)
    passwords = json.loads(file.read_text())
    for role, email in LOGINS.items():
        user = User.objects.with_email(email)
        if not user.check_password(passwords[role]):
            user.set_password(passwords[role])
            user.save()
        mark_verified(user)
    return {role: (email, passwords[role]) for role, email in LOGINS.items()}
