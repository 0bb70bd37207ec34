"""A zone per person: guessed at sign-up, chosen on the profile page, and never taken from a name that nobody checked."""

import re
from contextlib import closing
from zoneinfo import ZoneInfo

import pytest
from django.core import mail
from django.core.exceptions import ValidationError

from people import time_zones
from people.models import User
from people.tests.test_accounts import SIGN_UP
from project.testing import PASSWORD

pytestmark = pytest.mark.django_db

HOSTILE = ["Mars/Olympus", "../../etc/passwd", "/etc/localtime", "europe/berlin", "EST5EDT", "Europe/Berlin\0", "x" * 5_000]


def text(response) -> str:
    return " ".join(re.sub(r"<[^>]*>", " ", response.content.decode()).split()).replace(" .", ".")


def filled_in(page, **more) -> dict:
    """What a browser sends of the form on this page."""
    values = {field.html_name: field.value() for field in page.context["form"]}
    return {name: value for name, value in values.items() if value not in (None, False)} | more


@pytest.fixture
def kathmandu(person):
    return person("Asha Rai", mentee=True, time_zone="Asia/Kathmandu")


# ---- names ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", HOSTILE)
def test_a_name_is_looked_up_and_never_opened(name):
    with pytest.raises(ValidationError) as refusal:
        time_zones.validate(name)
    assert refusal.value.code == "unknown_zone"
    assert time_zones.zone(name, fallback="Asia/Kathmandu") == ZoneInfo("Asia/Kathmandu")
    assert time_zones.lost(name) == name[:60]


@pytest.mark.parametrize("name", ["", "UTC", "Europe/Berlin", "America/Argentina/Buenos_Aires"])
def test_a_zone_that_is_there_is_not_lost(name):
    assert time_zones.lost(name) == ""


@pytest.mark.parametrize("name", HOSTILE)
def test_sign_up_and_profile_refuse_a_name_that_is_no_zone(client, kathmandu, name):
    sentence = f"“{name[:60]}” is not a time zone we know. Write it like Europe/Berlin."
    page = client.post("/accounts/signup/", SIGN_UP | {"time_zone": name})
    assert page.context["form"].errors == {"time_zone": [sentence]}
    assert list(User.objects.all()) == [kathmandu]
    client.force_login(kathmandu)
    page = client.post("/profile/", filled_in(client.get("/profile/"), time_zone=name))
    assert page.context["form"].errors == {"time_zone": [sentence]}
    # Said once, and cut: no page of it.
    assert page.content.decode().count("x" * 60) == (1 if name.startswith("xx") else 0)
    assert "x" * 61 not in page.content.decode()
    kathmandu.refresh_from_db()
    assert kathmandu.time_zone == "Asia/Kathmandu"


# ---- choosing and changing --------------------------------------------------------------------------------------------------


def test_a_person_changes_their_zone_and_every_page_follows(client, kathmandu):
    client.force_login(kathmandu)
    assert "Times are in Asia/Kathmandu." in text(client.get("/"))
    page = client.post("/profile/", filled_in(client.get("/profile/"), time_zone="Pacific/Auckland"), follow=True)
    assert "Times are in Pacific/Auckland." in text(page)
    page = client.post("/profile/", filled_in(page, time_zone=""), follow=True)
    assert "Times are in UTC." in text(page)  # the program's


def test_the_profile_of_somebody_whose_zone_is_gone_says_so_and_saves(client, kathmandu):
    User.objects.filter(pk=kathmandu.pk).update(time_zone="Mars/<Olympus>")
    client.force_login(kathmandu)
    page = client.get("/profile/")
    markup = page.content.decode()
    assert "“Mars/&lt;Olympus&gt;”, which you had chosen, is not known any more. Choose again:" in markup
    assert "Mars/<Olympus>" not in markup
    [select] = re.findall(r'<select name="time_zone".*?</select>', markup, re.DOTALL)
    # A browser shows and sends the first choice where none is marked.
    assert "selected" not in select
    assert re.search(r"<option[^>]*>(.*?)</option>", select).group(1) == "The program’s time zone"

    # A mistake elsewhere: the page still says it, though what was typed is a zone.
    sent = filled_in(page, time_zone="Asia/Kathmandu", first_name="")
    page = client.post("/profile/", sent)
    assert list(page.context["form"].errors) == ["first_name"]
    assert "times are shown in UTC, the program’s zone. Choose yours on your profile page." in text(page)

    # As it came, the zone empty: the program's from now on, and nothing to say any more.
    page = client.post("/profile/", filled_in(client.get("/profile/"), time_zone=""), follow=True)
    assert [str(message) for message in page.context["messages"]] == ["Saved."]
    kathmandu.refresh_from_db()
    assert kathmandu.time_zone == ""
    assert "not known any more" not in text(page)
    assert "Times are in UTC." in text(page)


def test_a_mail_about_the_account_names_the_zone_of_its_time(client, kathmandu):
    client.force_login(kathmandu)
    new = f"{PASSWORD} and more"
    answer = client.post(
        "/accounts/password/change/", {"oldpassword": PASSWORD, "password1": new, "password2": new}, follow=True
    )
    assert answer.status_code == 200
    [message] = mail.outbox
    assert "Your password has been changed." in message.body
    assert re.search(r"^- Time: \w{3} \d{1,2} \w{3} \d{4}, \d\d:\d\d \(Asia/Kathmandu\)$", message.body, re.MULTILINE)


# ---- the browser's guess ------------------------------------------------------------------------------------------------------


def signed_up(browser, live_server, **how) -> str:
    """The zone of somebody who signed up in such a browser and left the zone as the page had it."""
    with closing(browser.new_context(**how)) as context:
        page = context.new_page()
        page.goto(f"{live_server.url}/accounts/signup/")
        for name in ("first_name", "last_name", "email", "password1"):
            page.locator(f"[name={name}]").fill(SIGN_UP[name])
        page.get_by_label("I want to be mentored").check()
        page.locator("main").get_by_role("button", name="Sign up").click()
        page.wait_for_url(f"{live_server.url}/accounts/confirm-email/")
    return User.objects.get().time_zone


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("zone", "names"),
    [
        ("America/New_York", {"America/New_York"}),
        ("Pacific/Auckland", {"Pacific/Auckland"}),
        # Browsers know some zones by their older names.
        ("Asia/Kathmandu", {"Asia/Kathmandu", "Asia/Katmandu"}),
    ],
)
def test_whoever_signs_up_gets_the_browsers_zone(browser, live_server, zone, names):
    assert signed_up(browser, live_server, timezone_id=zone) in names


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_without_javascript_it_is_the_programs_until_they_choose(browser, live_server):
    assert signed_up(browser, live_server, timezone_id="Asia/Kathmandu", java_script_enabled=False) == ""
