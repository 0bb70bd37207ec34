"""Cells that name rows of another table: skills, teams."""

import re

from django.core.exceptions import ValidationError

from people.models import Skill, Team
from people.sheets.cells import Cell, Text, split_names

# Also of a Teams sheet (people/resources.py).
NUMBERED = re.compile(
    r"(?:team|group|gruppe|no|nr|[tg])?[\s.:#_-]*(?P<number>[0-9]{1,9})(?:\.0+)?(?P<name>(?![0-9.,]).*)", re.IGNORECASE
)


class Names(Text):
    """Several names in one cell, as rows. One that is not known is refused and not dropped, unless it is to be made.

    The resource gives it ``known`` (name in small letters -> row), its set ``make`` and its counter ``unknown``.
    """

    known: dict[str, Skill] = {}
    make: set[str] = set()
    unknown = None

    def clean(self, value, row=None, **kwargs):
        names = split_names(str(value or ""), self.known)
        unknown = [name for name in names if name.lower() not in self.known]
        if self.unknown is not None:
            self.unknown.update(unknown)
        if refused := [name for name in unknown if name.lower() not in self.make]:
            raise ValidationError(
                f"There is no skill “{'”, “'.join(refused)}”. Add it to the list first, or correct the cell.",
                code="unknown_name",
            )
        for name in unknown:
            skill = Skill(name=name)
            skill.full_clean(validate_unique=False, validate_constraints=False)
            self.known[name.lower()] = skill
        return [self.known[name.lower()] for name in names]

    def render(self, value, obj=None, **kwargs):
        return ", ".join(sorted((skill.name for skill in value), key=str.lower)) if value else ""


class Skills(Cell):
    """What a mentor knows. Kept beside the mentor until all are written: a row in between has no place in the database."""

    def get_value(self, instance):
        if "known" in instance.__dict__:
            return instance.known
        return [] if instance._state.adding else list(instance.skills.all())

    def save(self, instance, row, is_m2m=False, **kwargs):
        instance.known = self.clean(row, **kwargs)


class TeamNumber(Text):
    """A team by its number, as it stands alone or at the beginning of the team's name, or by its name alone: "4", "4.0", "#4",
    "Team 4", "T4", "Group 4", "4 Elm", "Elm". One that is not known is refused, unless it has a number and is to be made.

    The resource gives it ``known`` (number -> row), its set ``make`` and its counter ``unknown``.
    """

    known: dict[int, Team] = {}
    make: set[str] = set()
    unknown = None

    def clean(self, value, row=None, **kwargs):
        text = str(value).strip()
        if not text:
            return None
        word = text.lower().removeprefix("team").strip()
        if named := [team for team in self.known.values() if team.name.lower() in (word, text.lower())]:
            if len(named) == 1:
                return named[0]
            raise ValidationError(f"There are several teams “{value}”: write the number of one.", code="several")
        found = NUMBERED.fullmatch(text)
        number = int(found["number"]) if found else None
        if number not in self.known:
            self._make(text, found, number)
        team, called = self.known[number], _name_in(found)
        if called and team.name and team.name.lower() != called.lower():
            raise ValidationError(
                f"Team {number} is called “{team.name}”, and not “{called}”: write the number alone, or the right one.",
                code="other_name",
            )
        return team

    def _make(self, text: str, found, number: int | None) -> None:
        called = f"Team {number}"
        if found and self.unknown is not None:
            self.unknown[called] += 1
        if not found or called.lower() not in self.make:
            kept = "" if found else " Teams are kept by number: add it there with one."
            raise ValidationError(
                f"There is no team “{text}”. Add it to the list first, or correct the cell.{kept}", code="unknown_name"
            )
        team = Team(number=number, name=_name_in(found))
        team.full_clean(validate_unique=False, validate_constraints=False)
        self.known[number] = team

    def render(self, value, obj=None, **kwargs):
        return str(value.number) if value else ""


def _name_in(found: re.Match) -> str:
    """The name behind a number: of "4 Elm", "4: Elm", "Team 4 (Elm)"."""
    return found["name"].strip(" :.,()-–—")
