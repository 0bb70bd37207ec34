"""An import of people is undone: who goes, who stays and why, what is left of those who went, and what it costs."""

from dataclasses import replace

import pytest
from django.apps import apps
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from people import changes
from people.models import ApiToken, Change, ChangeSet, Mentee, Mentor, NotificationSettings, Skill, Team, User
from people.sheets import enrolling

pytestmark = pytest.mark.django_db

MARK = "Qzj7"


@pytest.fixture(params=["together", "one by one"])
def way(request, monkeypatch):
    """Both have to come to the same."""
    if request.param == "one by one":
        monkeypatch.setitem(changes._ways, Mentor, replace(changes._ways[Mentor], together=None))


def brought(names: list[str], by: User, model=Mentor) -> ChangeSet:
    """People as an import writes them, each with a number, switches and a skill, all of it in one set."""
    change_set = changes.begin("import", "Imported people", by=by)
    skill = Skill(name="Welding")
    roles = []
    for name in names:
        email, words = f"{name}@example.org", {"about_me": f"I am {name}"} if model is Mentor else {"goals": f"Of {name}"}
        user = User(first_name=name, last_name=MARK, email=email, phone_number="+4930901820")
        roles.append(model(user=user, external_id=name, **words))
        roles[-1].opt_in = False
        if model is Mentor:
            roles[-1].known = [skill]
    made = enrolling.write(roles, by=by)
    change_set.record_many((row, None, changes.snapshot(row, ["name"])) for row in made)
    change_set.record_many((role, None, enrolling.snapshot(role)) for role in roles)
    return change_set


def tables_with(word: str) -> set[str]:
    models = apps.get_models(include_auto_created=True)
    return {model.__name__ for model in models if word in str(list(model._base_manager.values_list()))}


@pytest.mark.parametrize("model", [Mentor, Mentee])
def test_no_table_says_who_was_made_anew(way, cora, model):
    change_set = brought(["Ana", "Bo"], cora, model)
    history = f"Historical{model.__name__}"
    assert tables_with(MARK) == {"User", "HistoricalUser", "Change"}
    assert tables_with("Ana") == {"User", "HistoricalUser", "Change", model.__name__, history}
    outcome = changes.undo(change_set, by=cora)
    assert (outcome.refused, list(User.objects.all()), Skill.objects.count()) == ([], [cora], 0)
    assert tables_with(MARK) == tables_with("Ana") == tables_with("4930901820") == set()
    assert (change_set.changes.filter(undone_at=None).count(), NotificationSettings.objects.count()) == (0, 0)


def test_who_was_changed_or_used_since_stays_and_says_why_and_the_rest_goes(way, cora):
    change_set = brought(["Ana", "Bo", "Cy", "Di", "Ed", "Flo"], cora)
    people = {user.first_name: user for user in User.objects.exclude(pk=cora.pk)}
    people["Bo"].mentor.about_me = "Changed"
    people["Bo"].mentor.save()
    for name in ("one", "two"):
        ApiToken.objects.issue(people["Cy"], name, 30)
    User.objects.filter(pk=people["Di"].pk).update(last_login=timezone.now())
    Mentee.objects.create(user=people["Ed"])
    outcome = changes.undo(change_set, by=cora)
    why = {
        str(User.objects.get(pk=row.key).first_name): said for row, said in outcome.refused if row.content_type.name == "mentor"
    }
    assert list(why) == ["Cy", "Bo"]
    assert why["Cy"] == f"2 {ApiToken._meta.verbose_name_plural} hang on this person now: they stay."
    assert why["Bo"].startswith("It was changed since, by")
    # They had an account of their own by then: only the role goes.
    assert sorted(User.objects.exclude(pk=cora.pk).values_list("first_name", flat=True)) == ["Bo", "Cy", "Di", "Ed"]
    assert sorted(mentor.user.first_name for mentor in Mentor.objects.all()) == ["Bo", "Cy"]
    assert [said for row, said in outcome.refused if row.content_type.name == "skill"] == ["2 mentors use it now: it stays."]
    # Of who stays, nothing is forgotten.
    assert not Change.objects.filter(key__in=[people["Bo"].pk, people["Cy"].pk], after={}).exists()
    assert people["Di"].history.count() == 1


def test_a_team_that_somebody_is_in_now_stays_with_them(alex, cora):
    change_set = changes.begin("import", "Imported teams", by=cora)
    used, other = Team.objects.create(number=7), Team.objects.create(number=8)
    change_set.record_many((team, None, changes.snapshot(team, ["number", "name"])) for team in (used, other))
    Mentee.objects.filter(pk=alex.pk).update(team=used)
    outcome = changes.undo(change_set, by=cora)
    assert [(row.key, said) for row, said in outcome.refused] == [(used.pk, "1 mentee use it now: it stays.")]
    alex.refresh_from_db()
    assert (alex.team, list(Team.objects.all())) == (used, [used])


@pytest.mark.parametrize(
    ("model", "people", "asked"), [(Mentor, 20, 86), (Mentor, 200, 88), (Mentee, 20, 66), (Mentee, 200, 68)]
)
def test_the_new_go_in_as_many_queries_however_many_they_are(cora, model, people, asked):
    change_set = brought([f"P{number}" for number in range(people)], cora, model)
    ContentType.objects.get_for_models(*apps.get_models())
    with CaptureQueriesContext(connection) as queries:
        changes.undo(change_set, by=cora)
    assert (User.objects.count(), len(queries)) == (1, asked)
