"""Cells that name rows of another table: skills, teams."""

from django.core.exceptions import ValidationError

from people.models import Skill, Team
from people.sheets.cells import Cell, Text, split_names


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
    """A team by its number, as it stands alone or at the beginning of the team's name: "4", "4.0", "Team 4", "4 Elm"."""

    def clean(self, value, row=None, **kwargs):
        text = str(value).strip()
        if not text:
            return None
        word = text.lower().removeprefix("team").strip().split(" ")[0].removesuffix(".0")
        # One query a sheet would be better than one a cell, and is what `known` is for.
        team = self.known.get(int(word)) if word.isdecimal() and len(word) < 10 else None
        if team is None:
            raise ValidationError(
                f"There is no team “{value}”. Add it to the list first, or correct the cell.", code="unknown_name"
            )
        return team

    known: dict[int, Team] = {}

    def render(self, value, obj=None, **kwargs):
        return str(value.number) if value else ""
