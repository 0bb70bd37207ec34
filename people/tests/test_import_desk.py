"""The import desk, from the upload to the undo: what is shown, what is written, what is taken back, and who may."""

import io
import json
import logging
from datetime import timedelta

import openpyxl
import pytest
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from people import changes, tasks
from people.imports import kinds, work
from people.models import Change, ChangeSet, Import, ImportRow, Invitation, Mentee, Mentor, Skill, Team, User
from project.demo import sheets
from project.tests.page import form_in

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def private_files(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path


@pytest.fixture
def desk(client, cora):
    client.force_login(cora)
    return client


def page(name: str, *keys) -> str:
    return reverse(f"admin:people_import_{name}", args=keys)


def upload(desk, kind: str, data: bytes | str, name: str = "sheet.csv"):
    data = data.encode() if isinstance(data, str) else data
    return desk.post(page("upload"), {"kind": kind, "file": SimpleUploadedFile(name, data)})


def look(desk, kind: str, data: bytes | str, **mapping) -> Import:
    """Uploaded, its columns taken as guessed but for those named here (by header), and looked through."""
    answer = upload(desk, kind, data)
    assert answer.status_code == 302, answer.context["form"].errors
    found = Import.objects.latest("made_at")
    guessed = {f"column-{place}": column for place, column in enumerate(found.mapping)}
    guessed |= {f"column-{found.headers.index(header)}": column for header, column in mapping.items()}
    answer = desk.post(page("columns", found.pk), guessed)
    assert answer.status_code == 302, answer.context["form"].errors
    found.refresh_from_db()
    return found


def apply(desk, found: Import, **ticks):
    answer = desk.post(page("apply", found.pk), ticks, follow=True)
    found.refresh_from_db()
    return answer


def counts(found: Import) -> dict:
    return {name: count for name, count in found.counts.items() if count and name != "unknown"}


def problems(found: Import) -> list:
    return [(row.numbers, row.problems) for row in found.rows.filter(outcome="refused")]


def said(answer) -> list[str]:
    return [str(message) for message in answer.context["messages"]]


# ---- from the upload to the undo ----------------------------------------------------------------------------------------


def test_a_roster_goes_in_and_out_again(desk, cora, caplog):
    caplog.set_level(logging.INFO)
    found = look(desk, "mentors", (sheets.FOLDER / "mentors.csv").read_bytes())
    assert (found.state, counts(found), Mentor.objects.count()) == ("looked", {"new": 5}, 0)
    shown = desk.get(page("sheet", found.pk))
    assert shown.context["rows"][0]["changes"][:2] == [
        ("E-mail address", "", "sarah.chen@example.com"),
        ("First name", "", "Dr. Sarah"),
    ]
    assert shown.context["unused"] == ["display_name", "created_at", "calendar_id"]
    stored = found.file.name
    assert default_storage.exists(stored)

    apply(desk, found)
    assert (found.state, Mentor.objects.count(), found.rows.count(), default_storage.exists(stored)) == ("done", 5, 0, False)
    sarah = Mentor.objects.with_email("sarah.chen@example.com")
    assert (sarah.user.history.get().history_user, sarah.history.get().history_user) == (cora, cora)
    assert found.change_set.sentence == "Imported mentors: 5 new, 0 changed"
    result = desk.get(page("sheet", found.pk)).content.decode()
    assert "5 new, 0 changed, 0 unchanged, 0 refused" in result
    told = "\n".join(record.getMessage() for record in caplog.records)
    assert f"user {cora.pk} imported mentors: 0 refused, 5 new, 0 changed, 0 unchanged" in told
    assert not [word for word in ("sarah", "example.com", "Chen") if word in told]

    assert said(desk.post(page("undo", found.pk), follow=True)) == ["The import is undone."]
    assert list(User.objects.values_list("email", flat=True)) == [cora.email]


def test_a_changed_row_is_shown_cell_by_cell_and_put_back_cell_by_cell(desk, maya, cora):
    maya.skills.add(Skill.objects.create(name="SQL"))
    Skill.objects.create(name="UI/UX")
    sheet = 'email,name,bio,skills,notifications\nMAYA@example.org,Maja Lopez,"Ask, me",SQL; UI/UX,N\n'
    found = look(desk, "mentors", sheet)
    row = found.rows.get()
    assert (row.outcome, sorted(map(tuple, row.changes))) == (
        "changed",
        [
            ("about_me", "", "Ask, me"),
            ("first_name", "Maya", "Maja"),
            ("opt_in_notifications", "Y", "N"),
            ("skills", "SQL", "SQL, UI/UX"),
        ],
    )
    apply(desk, found)
    maya = Mentor.objects.get()
    assert (maya.about_me, sorted(map(str, maya.skills.all())), maya.user.first_name) == ("Ask, me", ["SQL", "UI/UX"], "Maja")
    assert not maya.user.notification_settings.session_requested
    told = desk.get(reverse("admin:people_changeset_change", args=[found.change_set_id])).context["page"].object_list[0]
    assert {("First name", "Maya", "Maja"), ("About me", "–", "Ask, me"), ("Skills", "SQL", "SQL, UI/UX")} <= {
        (difference.label, difference.old, difference.new) for difference in told["differences"]
    }
    again = look(desk, "mentors", sheet)
    assert counts(again) == {"unchanged": 1}
    assert said(apply(desk, again)) == ["Nothing in this sheet differs from what is here."]
    desk.post(page("undo", found.pk))
    maya = Mentor.objects.get()
    assert (maya.about_me, sorted(map(str, maya.skills.all())), maya.user.first_name) == ("", ["SQL"], "Maya")
    assert maya.user.notification_settings.session_requested


def test_what_was_changed_or_used_since_stays_and_says_why(desk, window):
    found = look(desk, "mentors", "email,name,skills\nana@example.org,Ana,\nbo@example.org,Bo,\ncy@example.org,Cy,\n")
    apply(desk, found)
    ana, bo, _cy = Mentor.objects.order_by("user__email")
    window(ana)
    bo.user.last_name = "Changed"
    bo.user.save()
    answer = desk.post(page("undo", found.pk), follow=True)
    assert said(answer) == ["Undone, but for 2 rows that have changed since or are in use: see below."]
    why = dict(Change.objects.exclude(refused="").values_list("key", "refused"))
    assert why[ana.pk] == "1 window hang on this person now: they stay."
    assert why[bo.pk].startswith("It was changed since, by")
    assert list(Mentor.objects.order_by("pk")) == [ana, bo]


# ---- columns ------------------------------------------------------------------------------------------------------------


def test_whom_the_sheet_brought_is_invited_and_nobody_else(desk, maya, person):
    person("Old Hand", mentor=True)
    found = look(desk, "mentors", "email,name,bio\nana@example.org,Ana,\nmaya@example.org,Maya Lopez,Ask me\n")
    result = apply(desk, found)
    address = f"{page('invite')}?of={found.pk}"
    assert address in result.content.decode()
    shown = desk.get(address)
    assert [user.email for user, _label, _invitation in shown.context["people"]] == ["ana@example.org", maya.user.email]
    assert desk.get(page("invite")).context["ready"] == 3
    answer = desk.post(page("invite"), form_in(shown, "invite"), follow=True)
    assert said(answer) == ["2 invitations are on their way."]
    assert len(answer.context["people"]) == Invitation.objects.count() == 2
    assert desk.get(f"{page('invite')}?of=nothing").context["ready"] == 1


def test_columns_are_chosen_and_remembered_for_the_next_file_with_these_headers(desk):
    odd = "Wer,Adresse,Wohin\nAna García,ana@example.org,4\n"
    Team.objects.create(number=4)
    answer = upload(desk, "mentees", odd)
    found = Import.objects.get()
    assert found.mapping == ["", "email", ""], "by what is in it"
    refused = desk.post(answer.url, {"column-0": "name", "column-1": ""})
    assert refused.context["form"].non_field_errors() == ["Say which column is “email”: without it no row can be read."]
    twice = desk.post(answer.url, {"column-0": "name", "column-1": "email", "column-2": "email"})
    assert twice.context["form"].errors == {"column-2": ["“Adresse” is this already: choose one of the two."]}
    desk.post(answer.url, {"column-0": "name", "column-1": "email", "column-2": "team_number"})
    found.refresh_from_db()
    assert counts(found) == {"new": 1}
    work.drop(found)
    assert (found.state, found.headers, bool(found.file)) == ("gone", [], False)
    upload(desk, "mentees", odd.replace("Ana García,ana@", "Bo,bo@"))
    assert Import.objects.latest("made_at").mapping == ["name", "email", "team_number"]


XLSX = io.BytesIO()
book = openpyxl.Workbook()
book.active.append(["Mentors of the autumn"])
book.active.append([None, "Full Name", "Contact_Email", "Tech Stack", "Phone"])
book.active.append([0, "José Núñez", "JOSE@example.org", "['Resume Help', 'Job Searching']", "+34911234567"])
book.create_sheet("Other")
book.save(XLSX)


@pytest.mark.parametrize(
    ("data", "read_as"),
    [
        ("﻿name,E-mail address,areas_of_expertise\nJosé Núñez,jose@example.org,\"Resume Help, Job Searching\"\n", "Text in UTF-8, with commas between the cells"),
        ("NAME;EMAIL;Skills\r\nJosé Núñez;jose@example.org;Resume Help / Job Searching\r\n".encode("cp1252"), "Text in Windows-1252, with semicolons between the cells"),
        ("Full name\tmail\tskills\nJosé Núñez\tjose@example.org\t[\"Resume Help\", \"Job Searching\"]\n".encode("utf-16"), "Text in UTF-16, with tabs between the cells"),
        ("Full name\tmail\tskills\nJosé Núñez\tjose@example.org\tJob Searching|Resume Help\n".encode("utf-16-le"), "Text in UTF-16, with tabs between the cells"),
        ("sep=;\nUnnamed: 0;name;email;skill\n0;José Núñez;jose@example.org;Resume Help\n1;José Núñez;Jose@Example.org;Job Searching\n", "Text in UTF-8, with semicolons between the cells"),
        ("first_name,surname,email,Skill 1,Skill 2,is_staff\nJosé,Núñez,jose@example.org,Resume Help,job searching,1\n", "Text in UTF-8, with commas between the cells"),
        ("name,email,phone,skills,about\n\"Núñez, José\",jose@example.org,None,\"Resume Help,Job Searching\"\n\n,,,\n", "Text in UTF-8, with commas between the cells"),
        (XLSX.getvalue(), "Excel (XLSX)"),
    ],
)  # fmt: skip
def test_the_same_person_in_every_shape(desk, data, read_as):
    for name in ("Resume Help", "Job Searching"):
        Skill.objects.create(name=name)
    found = look(desk, "mentors", data)
    assert (found.read_as, counts(found), problems(found)) == (read_as, {"new": 1}, [])
    assert ("cp1252" in found.warning) == ("Windows" in read_as)
    apply(desk, found)
    jose = Mentor.objects.get()
    assert (jose.user.first_name, jose.user.last_name, jose.user.email) == ("José", "Núñez", "jose@example.org")
    assert (sorted(map(str, jose.skills.all())), jose.user.is_staff) == (["Job Searching", "Resume Help"], False)


def test_ticks_in_columns_named_like_skills(desk):
    Skill.objects.create(name="SQL")
    found = look(desk, "mentors", "email,name,SQL,Go\nana@example.org,Ana,x,\n", SQL="skills", Go="skills")
    assert [change for change in found.rows.get().changes if change[0] == "skills"] == [["skills", "", "SQL"]]


# ---- rows that are refused ----------------------------------------------------------------------------------------------

BAD = """name,email,team,goals
Ana,ana@example.org,4,Learn
Bo,bo@example,4,
"Cy",cy@example.org,9,x
Di,di@example.org,,a,b
Ed,ed@example.org,,
Eduard,ED@example.org,,
"""


def test_refused_rows_keep_the_sheet_out_unless_they_are_left_out_and_come_back_as_a_file(desk):
    Team.objects.create(number=4)
    found = look(desk, "mentees", BAD)
    assert problems(found) == [
        ([3], [["email", "Enter a valid email address."]]),
        ([4], [["team_number", "There is no team “9”. Add it to the list first, or correct the cell."]]),
        ([5], [["", "The row has 5 cells, but the headers are 4: put quotation marks around a cell that has commas or semicolons in it."]]),
        ([6], [["name", "Row 7 is the same one (ed@example.org), but says “Eduard” here. Keep one of them."]]),
        ([7], [["name", "Row 6 is the same one (ed@example.org), but says “Ed” here. Keep one of them."]]),
    ]  # fmt: skip
    assert said(apply(desk, found)) == ["5 rows are refused, so nothing is imported. Correct them, or leave them out."]
    assert (Mentee.objects.count(), found.state) == (0, "looked")
    apply(desk, found, good="1")
    assert ([str(mentee) for mentee in Mentee.objects.all()], found.state) == (["Ana"], "done")
    text = desk.get(page("refused", found.pk)).content.decode("utf-8-sig").splitlines()
    assert text[0] == "name,email,team,goals,Why it was refused"
    assert text[1] == "Bo,bo@example,4,,Row 3: Enter a valid email address."
    assert len(text) == 6
    corrected = "\n".join([*text[:2], text[2].replace(",9,", ",4,")]).replace("bo@example,", "bo@example.org,")
    found.mapping = ["first_name", *found.mapping[1:]]
    found.save()
    again = look(desk, "mentees", corrected)
    assert again.mapping == ["first_name", "email", "team_number", "goals", ""], "mapped as the sheet that it was"
    assert counts(again) == {"new": 2}
    work.forget_old(timezone.now() + timedelta(days=2))
    assert (desk.get(page("refused", found.pk)).status_code, ImportRow.objects.count()) == (404, 0)


def test_unknown_skills_come_in_and_cells_are_emptied_only_where_that_is_ticked(desk, maya):
    maya.about_me = "Ask me"
    maya.save()
    found = look(desk, "mentors", "email,name,bio,skills\nmaya@example.org,Maya Lopez,,Go / Rust\nana@example.org,Ana,,Rust\n")
    assert (counts(found), found.counts["unknown"]) == ({"refused": 2}, {"Go": 1, "Rust": 2})
    desk.post(page("look", found.pk), {"make": ["Rust", "Go", "Zig"]})
    found.refresh_from_db()
    assert counts(found) == {"refused": 2}, "a name that no row has is no choice"
    desk.post(page("look", found.pk), {"make": ["Rust", "Go"]})
    found.refresh_from_db()
    assert (counts(found), Skill.objects.count()) == ({"changed": 1, "new": 1, "emptied": 1}, 0)
    assert found.rows.get(outcome="changed").emptied == [["about_me", "Ask me"]]
    assert desk.get(page("sheet", found.pk) + "?show=emptied").context["rows"][0]["emptied"] == [("About me", "Ask me")]
    desk.post(page("look", found.pk), {"make": ["Rust", "Go"], "clear": "on"})
    found.refresh_from_db()
    assert ["about_me", "Ask me", ""] in found.rows.get(outcome="changed").changes
    apply(desk, found)
    maya = Mentor.objects.get(pk=maya.pk)
    assert (maya.about_me, sorted(map(str, Skill.objects.all()))) == ("", ["Go", "Rust"])
    desk.post(page("undo", found.pk))
    assert (Mentor.objects.get().about_me, Skill.objects.count()) == ("Ask me", 0)


def test_what_changed_since_the_preview_is_not_written_over(desk, maya):
    found = look(desk, "mentors", "email,name\nmaya@example.org,Maja Lopez\n")
    User.objects.filter(pk=maya.pk).update(first_name="Mayra")
    apply(desk, found)
    assert (found.state, found.problem) == (
        "looked",
        "Row 2 changed since it was looked at: what is here is not what it was. Nothing is imported. Look at it again, and apply it then.",
    )
    assert (User.objects.get(pk=maya.pk).first_name, ChangeSet.objects.count()) == ("Mayra", 0)


# ---- large sheets -------------------------------------------------------------------------------------------------------


@pytest.fixture
def large(monkeypatch):
    """Three rows are many, and are done two at a time, by a worker that stands here. The keys it was given."""
    kind = kinds.get("mentees")
    monkeypatch.setitem(kinds._kinds, "mentees", kinds.Kind(**(kind.__dict__ | {"at_once": 2, "together": 2})))
    queued = []
    monkeypatch.setattr(work, "async_task", lambda task, *args: queued.append((task, *args)))
    monkeypatch.setattr(tasks, "async_task", lambda task, *args: queued.append((task, *args)))
    return queued


FIVE = "email,name\n" + "".join(f"p{number}@example.org,P {number}\n" for number in range(5))


def test_a_large_sheet_is_the_workers_and_its_page_says_how_far_it_is(desk, large):
    found = look(desk, "mentees", FIVE)
    assert (found.state, large) == ("looking", [("people.tasks.go_on_with_import", str(found.pk))])
    assert desk.get(page("sheet", found.pk)).context["percent"] == 1
    # One part, and no time for another.
    assert work.go_on(found.pk, turn=-1)
    found.refresh_from_db()
    assert (found.state, found.done) == ("looking", 2)
    assert "2 of 5 rows" in desk.get(page("sheet", found.pk)).content.decode()
    assert tasks.go_on_with_import(str(found.pk)) == "done"
    found.refresh_from_db()
    assert (found.state, counts(found)) == ("looked", {"new": 5})
    assert desk.get(page("sheet", found.pk), headers={"HX-Request": "true"})["HX-Refresh"] == "true"
    apply(desk, found)
    assert (found.state, Mentee.objects.count()) == ("applying", 0)
    tasks.go_on_with_import(str(found.pk))
    assert (Import.objects.get().state, Mentee.objects.count(), Change.objects.count()) == ("done", 5, 5)
    assert tasks.go_on_with_import(str(found.pk)) == "done", "late, and harmless"


def test_no_part_holds_others_up_for_longer_than_the_first(desk, large):
    """Who books while the worker writes waits for one part: so many rows in so many statements, however long the sheet."""
    assert max(kind.together for kind in kinds._kinds.values()) <= 250
    found = look(desk, "mentees", "email,name\n" + "".join(f"p{at}@example.org,P{at}\n" for at in range(8)))
    tasks.go_on_with_import(str(found.pk))
    apply(desk, found)
    written, statements = [], []
    while Import.objects.get(pk=found.pk).state == "applying":
        before = Mentee.objects.count()
        with CaptureQueriesContext(connection) as queries:
            work.go_on(found.pk, turn=-1)
        written.append(Mentee.objects.count() - before)
        statements.append(sum(query["sql"].startswith(("INSERT", "UPDATE", "DELETE")) for query in queries))
    assert written[:4] == [2, 2, 2, 2]
    # The first begins the set of changes.
    assert statements[1] == statements[2] == statements[3] < statements[0] + 1


def test_where_a_later_part_refuses_all_is_taken_back(desk, large, person):
    found = look(desk, "mentees", FIVE)
    tasks.go_on_with_import(str(found.pk))
    apply(desk, found)
    work.go_on(found.pk, turn=-1)
    assert Mentee.objects.count() == 2
    person("P Four", email="p4@example.org", mentee=True)
    tasks.go_on_with_import(str(found.pk))
    found.refresh_from_db()
    assert (found.state, ChangeSet.objects.count()) == ("looked", 0)
    assert found.problem.startswith("Row 6 changed since it was looked at")
    assert [str(mentee) for mentee in Mentee.objects.all()] == ["P Four"]


@pytest.mark.expects_logged_errors
def test_a_worker_that_stumbles_says_so_on_the_page_and_names_nobody(desk, large, monkeypatch, no_logged_errors):
    found = look(desk, "mentees", FIVE)
    monkeypatch.setattr(work, "outcomes", lambda *args: 1 / 0)
    assert tasks.go_on_with_import(str(found.pk)) == "given up"
    found.refresh_from_db()
    assert (found.state, bool(found.file)) == ("failed", False)
    assert "Something went wrong" in desk.get(page("sheet", found.pk)).content.decode()
    assert [record.getMessage() for record in no_logged_errors] == [f"import {found.pk}: ZeroDivisionError"]


# ---- who may, and for how long ------------------------------------------------------------------------------------------


def test_what_is_on_its_way_is_its_uploaders_alone(client, desk, person, cora):
    found = look(desk, "mentors", "email,name\nana@example.org,Ana\n")
    other = person("Rae Coordinator", is_staff=True)
    other.groups.set(cora.groups.all())
    client.force_login(other)
    for name in ("sheet", "columns", "refused"):
        assert client.get(page(name, found.pk)).status_code == 404
    for name in ("look", "apply", "drop", "undo"):
        assert client.post(page(name, found.pk)).status_code == 404
    assert client.get(page("upload")).context["recent"] == []
    client.force_login(cora)
    apply(client, found)
    client.force_login(other)
    assert client.get(page("sheet", found.pk)).status_code == 200
    assert [one for one, _label in client.get(page("upload")).context["recent"]] == [found]


def test_a_kind_needs_its_permission(client, person):
    from django.contrib.auth.models import Permission

    helper = person("Hal Helper", is_staff=True)
    helper.user_permissions.add(Permission.objects.get(codename="import_skill"))
    client.force_login(helper)
    assert client.get(page("upload")).context["form"].fields["kind"].choices == [("skills", "Skills")]
    answer = upload(client, "mentors", "email,name\nana@example.org,Ana\n")
    assert list(answer.context["form"].errors) == ["kind"]
    assert apply(client, look(client, "skills", "Skill\nGo\ngo\n\nRust\n")).status_code == 200
    assert sorted(map(str, Skill.objects.all())) == ["Go", "Rust"]


def test_a_sheet_that_nobody_applies_is_gone_after_a_day(desk):
    found = look(desk, "mentors", "email,name\nana@example.org,Ana\n")
    stored = found.file.name
    work.forget_old(timezone.now() + timedelta(hours=23))
    assert default_storage.exists(stored)
    assert tasks.forget_imports() == "0 forgotten"
    work.forget_old(timezone.now() + timedelta(hours=25))
    found.refresh_from_db()
    assert (found.state, found.rows.count(), found.name, default_storage.exists(stored)) == ("gone", 0, "", False)
    assert "ana@example.org" not in json.dumps(list(Import.objects.values()), default=str)


def test_who_is_erased_is_in_no_waiting_sheet(desk, cora, alex):
    from people import privacy

    found = look(desk, "mentees", "email,name,goals\nalex@example.org,Alex Johnson,Learn\n")
    for keeper in privacy.keepers():
        keeper.empty(alex.user)
    found.refresh_from_db()
    assert (bool(found.file), found.rows.count()) == (False, 0)


def test_lists_ask_as_often_for_three_rows_as_for_one(desk):
    asked = {}
    for number in (1, 3):
        rows = "".join(f"q{number}{row}@example.org,Q {row}\n" for row in range(number))
        found = look(desk, "mentees", f"email,name\n{rows}")
        with CaptureQueriesContext(connection) as queries:
            desk.get(page("sheet", found.pk))
        with CaptureQueriesContext(connection) as desk_queries:
            desk.get(page("upload"))
        asked[number] = len(queries), len(desk_queries)
        apply(desk, found)
    assert asked[1] == asked[3]


def test_a_set_too_large_for_a_page_is_undone_by_the_worker(desk, large, monkeypatch):
    found = look(desk, "mentees", FIVE)
    tasks.go_on_with_import(str(found.pk))
    apply(desk, found)
    tasks.go_on_with_import(str(found.pk))
    monkeypatch.setattr(changes, "MOST", 10)
    desk.post(page("undo", found.pk))
    found.refresh_from_db()
    assert (found.state, Mentee.objects.count()) == ("taking_back", 5)
    tasks.go_on_with_import(str(found.pk))
    found.refresh_from_db()
    assert (found.state, Mentee.objects.count(), found.problem) == ("done", 0, "")
    assert "Undone" in desk.get(page("sheet", found.pk)).content.decode()


# ---- files of other programs --------------------------------------------------------------------------------------------

FORM = (
    "Timestamp,What is your full name?,What is your email address? (Only for the program; never for advertising),"
    "Which skills can you help with? (choose all),Emergency contact phone,Phone number (with country code)\n"
    '11/24/2026 14:03:22,José Núñez,José <JOSE@example.org>,"Resume Help\nJob Searching",+34 600,0034 911 234 567\n'
)
GERMAN = "Vorname;Nachname;E-Mail-Adresse;Telefonnummer;Fähigkeiten\nJosé;Núñez;mailto:jose@example.org;+34 911 23 45 67;Resume Help / Job Searching\n"


@pytest.mark.parametrize(
    "data", [FORM, GERMAN.encode("cp1252"), FORM.replace("José <JOSE@example.org>", "\u200bjose@example.org")]
)
def test_headers_of_forms_and_other_languages_are_guessed_and_addresses_found(desk, data):
    for name in ("Resume Help", "Job Searching"):
        Skill.objects.create(name=name)
    found = look(desk, "mentors", data)
    assert (counts(found), problems(found)) == ({"new": 1}, [])
    assert "Emergency contact phone" not in dict(zip(found.headers, found.mapping, strict=True)) or not found.mapping[4]
    apply(desk, found)
    jose = Mentor.objects.get()
    assert (str(jose.user), jose.user.email, str(jose.user.phone_number), jose.skills.count()) == (
        "José Núñez",
        "jose@example.org",
        "+34911234567",
        2,
    )
    both = look(desk, "mentors", "Email,Name\nJosé <JOSE@example.org>,José Núñez\nmailto:jose@example.org,José Núñez\n")
    assert counts(both) == {"unchanged": 1}, "however it is written, one person"


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        ("A B,a@example.org,4.915e+11,", "“4.915e+11” is a number that a spreadsheet program has shortened"),
        ("A B,a@example.org,4915112345678,", "“4915112345678” is not a phone number we know. Write it with its country"),
        ("A B,a@example.org; b@example.org,,", "There are several addresses in this cell: leave one."),
        ("A B,a@example.org,,#REF!", "“#REF!” is the error of a formula. Write the value itself."),
        ("Total,2,,", "Enter a valid email address."),
    ],
)
def test_what_would_be_guessed_is_refused_in_words(desk, row, sentence):
    found = look(desk, "mentors", f"Name,Email,Phone,About\n{row}\n\n,,,\n")
    [(numbers, [[_column, said]])] = problems(found)
    assert (numbers, said[: len(sentence)]) == ([2], sentence)


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        ('Name,Email,About\nAna,ana@x.org,"She said\nBo,bo@x.org,x\n', "The file cannot be read as CSV (unexpected end of data), from row 2 on."),
        ('Name,Email\nBo,b@x.org\n"Ana "Annie" Ruiz",ana@x.org\n', "The file cannot be read as CSV (',' expected after '\"'), from row 3 on."),
        ('[{"name": "Ana",\n"email": "ana@x.org"}]\n', "The file is JSON, not a sheet."),
        ("Name,Email," + "c," * 300 + "c\nAna,ana@x.org\n", "Row 1 has 303 columns, and 200 are the most."),
    ],
)  # fmt: skip
def test_a_file_that_would_lose_rows_is_refused(desk, data, sentence):
    [said] = upload(desk, "mentors", data).context["form"].errors["file"]
    assert said.startswith(sentence)
    assert Import.objects.count() == 0


def test_teams_are_found_by_number_and_name_and_made_only_where_ticked(desk):
    Team.objects.create(number=4, name="Elm")
    refused = look(desk, "teams", "number,name\n4.0,Elm\n  ,  \nx,Oak\n-3,Oak\n")
    assert (counts(refused), [numbers for numbers, _said in problems(refused)]) == ({"unchanged": 1, "refused": 2}, [[4], [5]])
    assert problems(refused)[0][1] == [["number", "“x” is no number of a team. Write it like 4."]]
    rows = enumerate(["Elm", "Team Elm", "#4", "4.0", "9 Oak", "Team 9", "Birch", "4.5"])
    found = look(desk, "mentees", "name,email,team\n" + "".join(f"P,p{at}@example.org,{team}\n" for at, team in rows))
    assert (counts(found), found.counts["unknown"]) == ({"new": 4, "refused": 4}, {"Team 9": 2})
    desk.post(page("look", found.pk), {"make": ["Team 9"]})
    found.refresh_from_db()
    assert (counts(found), Team.objects.count()) == ({"new": 6, "refused": 2}, 1)
    apply(desk, found, good="1")
    assert [str(mentee.team) for mentee in Mentee.objects.order_by("user__email")] == ["4 Elm"] * 4 + ["9 Oak"] * 2
    desk.post(page("undo", found.pk))
    assert ([str(team) for team in Team.objects.all()], Mentee.objects.count()) == (["4 Elm"], 0)
