"""What a page weighs on its way to a phone, from the web server as it runs in production."""

import gzip

import pytest
from django.conf import settings
from django.contrib.staticfiles.storage import staticfiles_storage
from django.http import HttpResponse, StreamingHttpResponse

from people.models import Skill
from project.static_files import TextCompressionMiddleware
from project.tests.webserver import session_of, web_server

FIRST, LATER = 150_000, 30_000


@pytest.fixture
def crowd(person, maya, alex, session, window):
    """As many mentors as stand on one page of the list, each with a few words and free times."""
    skill = Skill.objects.create(name="Public speaking")
    for number in range(25):
        mentor = person(f"Mentor{number} Sample", mentor=True).mentor
        mentor.about_me = "I have taught for years, and I like plain words. " * 6
        mentor.save()
        mentor.skills.add(skill)
        window(mentor)


@pytest.mark.once
@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_pages_are_light_on_the_first_load_and_lighter_after(browser, crowd, maya, alex):
    with web_server() as server:
        home = f"http://127.0.0.1:{server.port}"
        weighed = {}
        for user, paths in {
            None: ["/", "/accounts/login/", "/accounts/signup/"],
            alex.user: ["/", "/mentors/", f"/mentors/{maya.pk}/", "/profile/"],
            maya.user: ["/", "/windows/", "/profile/"],
        }.items():
            for first in paths:
                context = browser.new_context(viewport={"width": 360, "height": 740})
                if user:
                    context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": session_of(user), "url": home}])
                page = context.new_page()
                received = []
                line = context.new_cdp_session(page)
                line.send("Network.enable")
                line.on("Network.loadingFinished", lambda done, received=received: received.append(done["encodedDataLength"]))
                page.goto(home + first)
                at_first, received[:] = sum(received), []
                page.goto(home + first)
                weighed[f"{user or 'anybody'} {first}"] = (int(at_first), int(sum(received)))
                context.close()
    # Something was weighed at all, and the first time more than only the page.
    assert all(at_first > later > 1_000 for at_first, later in weighed.values()), weighed
    assert {page: weight for page, weight in weighed.items() if weight[0] > FIRST or weight[1] > LATER} == {}


def answered(response, **headers):
    class Request:
        META = {"HTTP_ACCEPT_ENCODING": "gzip"} | headers

    return TextCompressionMiddleware(lambda request: response)(Request())


def test_text_is_compressed_and_nothing_else():
    text = "the same words again and again " * 40
    page = answered(HttpResponse(text))
    assert (page["Content-Encoding"], gzip.decompress(page.content).decode()) == ("gzip", text)
    streamed = answered(StreamingHttpResponse([text.encode()], content_type="text/css"))
    assert gzip.decompress(b"".join(streamed)).decode() == text
    for other in (
        HttpResponse(text, content_type="image/webp"),
        HttpResponse(text, content_type="application/zip"),
        HttpResponse(text, status=206, content_type="text/css"),
    ):
        assert not answered(other).has_header("Content-Encoding")


@pytest.mark.django_db
def test_an_address_changes_with_what_is_in_the_file(client):
    address = staticfiles_storage.url("site/site.css")
    _, version = address.split("?v=")
    assert len(version) == 10
    assert address in client.get("/").content.decode()
    file = client.get(address)
    assert file["Cache-Control"] == "max-age=2592000, public"
    assert b"".join(file.streaming_content).startswith(b"/* The self-service pages")
    file.close()
    assert staticfiles_storage.url("site/none.css") == "/static/site/none.css"
