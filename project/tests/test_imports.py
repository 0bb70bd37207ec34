"""Imports point one way. The contracts are in pyproject.toml; here they are kept, and shown to be able to break."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings

LINTER = Path(sys.executable).with_name("lint-imports")


def lint(folder) -> subprocess.CompletedProcess:
    return subprocess.run([LINTER, "--no-cache"], cwd=folder, capture_output=True, text=True, timeout=60)


@pytest.mark.once
def test_imports_point_one_way():
    linter = lint(settings.BASE_DIR)
    assert linter.returncode == 0, linter.stdout + linter.stderr
    assert "3 kept, 0 broken" in linter.stdout


@pytest.fixture
def copy_of_the_house(tmp_path):
    """The modules and the contracts, for tests that put in a wrong line."""
    shutil.copy(settings.BASE_DIR / "pyproject.toml", tmp_path)
    for package in ("people", "scheduling", "project"):
        for module in (settings.BASE_DIR / package).rglob("*.py"):
            copy = tmp_path / module.relative_to(settings.BASE_DIR)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(module, copy)
    return tmp_path


@pytest.mark.once
@pytest.mark.parametrize(
    ("module", "wrong", "complaint"),
    [
        ("people/models/user.py", "import scheduling.words", "people.models.user -> scheduling.words"),
        ("scheduling/words.py", "import project.groups", "scheduling.words -> project.groups"),
        ("scheduling/models.py", "import scheduling.booking", "scheduling.models -> scheduling.booking"),
        ("scheduling/booking/verbs.py", "import scheduling.views", "scheduling.booking.verbs -> scheduling.views"),
        ("scheduling/rules.py", "import django.utils.timezone", "scheduling.rules -> django"),
        ("scheduling/slots.py", "import people.models", "scheduling.slots -> people.models"),
        ("scheduling/helpers.py", "", "The following modules are not listed as layers:"),
    ],
)
def test_a_wrong_import_is_found(copy_of_the_house, module, wrong, complaint):
    with (copy_of_the_house / module).open("a") as file:
        file.write(f"\n{wrong}\n")
    linter = lint(copy_of_the_house)
    assert linter.returncode == 1, linter.stdout + linter.stderr
    assert complaint in linter.stdout
