"""The rows of lists are written by the house, and say what Unfold's would."""

import re
from html import unescape

import pytest
from django.contrib import admin
from django.urls import reverse
from django.utils.html import strip_tags
from unfold.templatetags.unfold_list import results

from project.templatetags.rows import is_plain
from project.tests.test_lists import NO_LISTS, fill

pytestmark = pytest.mark.django_db

ROW = re.compile(r'<tr class="data-row.*?</tr>', re.S)
CELL = re.compile(r"<(t[dh])[^>]*>(.*?)</\1>", re.S)
LINK = re.compile(r'<a href="([^"]+)"')


def said(cells: list[str]) -> list[str]:
    return [" ".join(unescape(strip_tags(cell)).split()) for cell in cells]


def test_every_list_says_and_links_to_what_unfolds_would(client, person, window, monday):
    client.force_login(person("Root Ruiz", is_staff=True, is_superuser=True))
    fill(3, person, window, monday)
    seen = 0
    for model in admin.site._registry:
        if model._meta.label in NO_LISTS:
            continue
        page = client.get(reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist"))
        changelist = page.context["cl"]
        assert is_plain(changelist), model
        ours = [[cell for _, cell in CELL.findall(row)] for row in ROW.findall(page.content.decode())]
        theirs = [[str(cell) for cell in row] for row in results(changelist)]
        assert [said(row) for row in ours] == [said(row) for row in theirs], model
        assert [LINK.findall("".join(row)) for row in ours] == [LINK.findall("".join(row)) for row in theirs], model
        seen += len(ours)
    assert seen > 60


def test_a_list_to_choose_from_in_a_popup_is_unfolds(client, person):
    client.force_login(person("Root Ruiz", is_staff=True, is_superuser=True))
    page = client.get(reverse("admin:people_user_changelist"), {"_popup": 1})
    assert not is_plain(page.context["cl"])
    assert "data-popup-opener" in page.content.decode()
