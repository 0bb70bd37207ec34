"""Which passwords are refused, and which are not."""

import pytest
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError

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
