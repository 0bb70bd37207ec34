"""The numbers in the desk's menu. Every page shows them, so each process counts once a minute, and in one question."""

from django.core.cache import caches
from django.utils import timezone
from django.utils.formats import number_format

from people.models import ErasureRequest, SkillSuggestion
from project.counting import MOST, many
from scheduling.needs import NEEDS, Scope

SECONDS = 60
KEY = "project.badges"


def numbers() -> dict[str, int]:
    """Not from the shared cache, which is a table: looking there would be a question on every page."""
    memory = caches["memory"]
    known = memory.get(KEY)
    if known is None:
        now = timezone.now()
        rows = {name: NEEDS[name].rows(Scope(), now) for name in ("answer", "sending")}
        rows |= {
            model._meta.model_name: model.objects.filter(state=model.State.ASKED) for model in (ErasureRequest, SkillSuggestion)
        }
        known = dict(zip(rows, many(rows.values()), strict=True))
        memory.set(KEY, known, SECONDS)
    return known


def shown(name: str) -> str:
    """Nothing for none."""
    number = numbers().get(name, 0)
    return f"{MOST}+" if number > MOST else number_format(number) if number else ""


# What the menu names. Whether somebody sees the item is for its permission to say.


def requests(request) -> str:
    return shown("answer")


def notices(request) -> str:
    return shown("sending")


def erasures(request) -> str:
    return shown("erasurerequest")


def suggestions(request) -> str:
    return shown("skillsuggestion")
