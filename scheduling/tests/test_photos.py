"""Photos: nothing but the picture is kept, nobody but those who may sees it, and no file stays behind."""

import io
import struct
import zlib
from pathlib import Path

import pytest
from django.contrib.messages import get_messages
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image

from people import photos
from people.models import Photo

pytestmark = pytest.mark.django_db

CHANGE, REMOVE = "/profile/photo/", "/profile/photo/remove/"


@pytest.fixture(autouse=True)
def media(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    return tmp_path


def files(media: Path) -> list[Path]:
    return [path for path in media.rglob("*") if path.is_file()]


def picture(kind="PNG", mode="RGB", size=(40, 30), color=None, **more) -> bytes:
    written = io.BytesIO()
    Image.new(mode, size, color or 0).save(written, kind, **more)
    return written.getvalue()


def bomb() -> bytes:
    """A PNG of 169 megapixels in some kB."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    head = struct.pack(">IIBBBBB", 13_000, 13_000, 1, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(bytes(1626 * 13_000))) + chunk(b"IEND", b"")
    )


def zeros(size: int) -> bytes:
    return bytes(size)


def upload(client, data: bytes, name="me.png"):
    return client.post(CHANGE, {"photo": SimpleUploadedFile(name, data, "image/png")})


def browser(user) -> Client:
    client = Client()
    client.force_login(user)
    return client


SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
UNREADABLE = "This cannot be read as a JPEG, PNG or WebP. It may be damaged, or be something else under that name."
LARGE = picture("JPEG", size=(1500, 1500), color=(9, 9, 9))


@pytest.mark.parametrize(
    ("name", "data", "sentence"),
    [
        ("a.png", b"<html><script>alert(1)</script></html>", UNREADABLE),
        ("a.png", SVG, UNREADABLE),
        ("a.svg", SVG, "Choose a photo that is a JPEG, PNG or WebP."),
        ("a.gif", picture("GIF", "P"), "Choose a photo that is a JPEG, PNG or WebP."),
        ("a.png", picture("GIF", "P") + b"<script>alert(1)</script>", UNREADABLE),
        ("a.jpg", LARGE[: len(LARGE) // 2], UNREADABLE),
        ("a.png", picture(size=(300, 300))[:60], UNREADABLE),
        ("a.webp", picture("WEBP", size=(300, 300))[:-20], UNREADABLE),
        ("a.html", picture(), "Choose a photo that is a JPEG, PNG or WebP."),
        ("a.png", bomb(), "The photo has more than 25 megapixels. Save it smaller, and choose that."),
        (
            "a.png",
            picture(mode="1", size=(5001, 5000)),
            "The photo has more than 25 megapixels. Save it smaller, and choose that.",
        ),
        ("a.png", zeros(5 * 1024 * 1024 + 1), "The photo is larger than 5 MB. Save it smaller, and choose that."),
        ("a.png", b"", "The file is empty. Choose another one."),
    ],
)
def test_what_is_no_fair_picture_is_refused_in_a_sentence(maya, media, name, data, sentence):
    answer = upload(browser(maya.user), data, name)
    assert answer.context["form"].errors["photo"] == [sentence]
    assert sentence in answer.content.decode()
    assert not Photo.objects.exists()
    assert files(media) == []


def test_a_form_without_a_file_asks_for_one(maya):
    answer = browser(maya.user).post(CHANGE)
    assert answer.context["form"].errors == {"photo": ["This field is required."]}


def test_200_mb_are_refused_before_they_are_read(maya):
    class Unread(io.BytesIO):
        def read(self, *args):
            pytest.fail("The body was read.")

    answer = browser(maya.user).generic("POST", CHANGE, content_type="multipart/form-data; boundary=x")
    assert answer.status_code == 200
    huge = {"CONTENT_LENGTH": str(200 * 1024 * 1024), "wsgi.input": Unread()}
    answer = browser(maya.user).post(CHANGE, **huge)
    assert answer.status_code == 413
    assert "photos and sheets may have up to 5 MB" in answer.content.decode()


@pytest.mark.parametrize(
    ("kind", "mode"),
    [("JPEG", "RGB"), ("JPEG", "CMYK"), ("JPEG", "L"), ("PNG", "RGBA"), ("PNG", "P"), ("PNG", "I;16"), ("WEBP", "RGBA")],
)
def test_every_kind_becomes_a_square_webp(maya, media, kind, mode):
    assert upload(browser(maya.user), picture(kind, mode), f"Me.{kind}").url == "/profile/"
    [kept] = files(media)
    with Image.open(kept) as image:
        assert (image.format, image.size) == ("WEBP", (512, 512))


def test_it_stands_upright_and_says_nothing_else(maya, media):
    exif = Image.Exif()
    # Lay on its side; taken there, by her.
    exif[0x0112], exif[0x013B] = 6, "Maya-Lopez"
    exif.get_ifd(0x8825).update({1: "N", 2: (52.0, 31.0, 12.0)})
    lying = Image.new("RGB", (200, 200), "red")
    lying.paste("blue", (0, 0, 100, 200))
    written = io.BytesIO()
    lying.save(written, "JPEG", exif=exif, comment=b"secret-comment", icc_profile=b"secret-profile")
    data = written.getvalue() + b"<script>alert(1)</script>"
    assert b"Maya-Lopez" in data
    upload(browser(maya.user), data, "maya.jpg")
    [kept] = files(media)
    for gone in (b"Maya", b"secret", b"script", b"Exif", b"EXIF", b"ICCP"):
        assert gone not in kept.read_bytes()
    assert "maya" not in kept.name.lower()
    with Image.open(kept) as image:
        top, bottom = image.convert("RGB").getpixel((256, 100)), image.convert("RGB").getpixel((256, 400))
    assert (top[2] > 200, bottom[0] > 200) == (True, True)


def test_the_old_file_goes_with_the_new_one_and_all_with_the_person(maya, media, django_capture_on_commit_callbacks):
    hers = browser(maya.user)
    upload(hers, picture())
    [first] = files(media)
    with django_capture_on_commit_callbacks() as later:
        upload(hers, picture(color=(1, 2, 3)))
    # Until it is safe, both are there.
    assert len(files(media)) == 2
    for callback in later:
        callback()
    [second] = files(media)
    assert second != first
    with django_capture_on_commit_callbacks(execute=True):
        maya.user.delete()
    assert files(media) == []


def test_a_photo_that_cannot_be_kept_leaves_no_file(maya, media):
    user = maya.user
    type(user).objects.filter(pk=user.pk).delete()
    with pytest.raises(type(user).DoesNotExist):
        photos.put(user, b"RIFF")
    assert files(media) == []


def test_removing_asks_first(maya, media, django_capture_on_commit_callbacks):
    hers = browser(maya.user)
    assert hers.get(REMOVE).status_code == 404
    upload(hers, picture())
    assert b"cannot be brought back" in hers.get(REMOVE).content
    assert Photo.objects.count() == 1
    with django_capture_on_commit_callbacks(execute=True):
        answer = hers.post(REMOVE)
    assert [str(said) for said in get_messages(answer.wsgi_request)][-1] == "Your photo is removed."
    assert (Photo.objects.count(), files(media)) == (0, [])


def test_what_is_served_says_what_it_is_and_stays_with_its_reader(maya, zoe):
    upload(browser(maya.user), picture())
    page = browser(zoe.user)
    address = Photo.objects.get().address
    answer = page.get(address)
    assert answer.content.startswith(b"RIFF")
    headers = {
        name: answer[name] for name in ("Content-Type", "X-Content-Type-Options", "Cache-Control", "Content-Disposition")
    }
    assert headers == {
        "Content-Type": "image/webp",
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "private, max-age=3600",
        "Content-Disposition": 'inline; filename="photo.webp"',
    }
    assert answer["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert page.get(address, headers={"If-None-Match": answer["ETag"]}).status_code == 304
    upload(browser(maya.user), picture(color=(1, 2, 3)))
    assert Photo.objects.get().address != address
    assert page.get(address, headers={"If-None-Match": answer["ETag"]}).status_code == 200
    anonymous = Client().get(address)
    assert (anonymous.status_code, anonymous.url.split("?")[0]) == (302, "/accounts/login/")


def test_a_mentee_is_seen_by_their_mentors_and_staff_only(session, alex, bo, maya, omar, zoe, cora, media):
    for person in (alex, bo, maya):
        photos.put(person.user, drawn())

    def sees(reader, person) -> bool:
        return {200: True, 404: False}[browser(reader).get(f"/people/{person.pk}/photo/").status_code]

    readers = {"alex": alex.user, "maya": maya.user, "omar": omar.user, "zoe": zoe.user, "cora": cora}
    assert session.mentor == maya
    assert session.mentee == alex
    assert {name for name, reader in readers.items() if sees(reader, alex)} == {"alex", "maya", "cora"}
    assert {name for name, reader in readers.items() if sees(reader, maya)} == set(readers)
    assert {name for name, reader in readers.items() if sees(reader, bo)} == {"cora"}
    maya.user.is_active = False
    maya.user.save()
    del readers["maya"]
    assert {name for name, reader in readers.items() if sees(reader, maya)} == {"cora"}


def drawn() -> bytes:
    return photos.drawn_anew(SimpleUploadedFile("a.png", picture()))


def test_no_photo_no_person_no_file_is_404(maya, omar, media):
    hers = browser(maya.user)
    assert hers.get(f"/people/{omar.pk}/photo/").status_code == 404
    assert hers.get("/people/999999999999999999/photo/").status_code == 404
    photos.put(maya.user, drawn())
    for file in files(media):
        file.unlink()
    assert hers.get(f"/people/{maya.pk}/photo/").status_code == 404


def test_it_is_shown_where_people_are_and_initials_where_there_is_none(session, maya, alex):
    hers, pages = browser(alex.user), [f"/mentors/{maya.pk}/", "/mentors/", f"/sessions/{session.pk}/"]
    for page in pages:
        assert ">ML</span>" in hers.get(page).content.decode()
    photos.put(maya.user, drawn())
    address = Photo.objects.get().address
    for page in pages:
        assert f'src="{address}"' in hers.get(page).content.decode()
    assert address in browser(maya.user).get("/profile/").content.decode()
    assert ">A" in hers.get("/profile/").content.decode()


def test_a_photo_changes_nothing_for_an_open_profile(maya):
    from project.tests.page import form_in

    hers = browser(maya.user)
    older = form_in(hers.get("/profile/"))
    upload(hers, picture())
    assert hers.post("/profile/", older | {"about_me": ["Python"]}).url == "/profile/"
    maya.refresh_from_db()
    assert maya.about_me == "Python"
    assert Photo.objects.count() == 1


def test_staff_remove_a_photo_and_readers_of_the_admin_do_not(maya, cora, person, media, django_capture_on_commit_callbacks):
    photos.put(maya.user, drawn())
    at = f"/admin/people/mentor/{maya.pk}/"
    desk = browser(cora)
    assert Photo.objects.get().address in desk.get(f"{at}change/").content.decode()
    assert browser(person("Rita Reader", is_staff=True)).post(
        f"{at}remove_photo/", {"_form_submitted": "True"}
    ).status_code in (302, 403)
    assert Photo.objects.count() == 1
    with django_capture_on_commit_callbacks(execute=True):
        desk.post(f"{at}remove_photo/", {"_form_submitted": "True"})
    assert (Photo.objects.count(), files(media)) == (0, [])
