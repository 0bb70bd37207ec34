"""Skills that mentors miss in the list: they suggest them, staff take them in or decline."""

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from people.models import Mentor, Skill, SkillSuggestion, User

State = SkillSuggestion.State
SETTLES = "people.settle_skillsuggestion"
MOST_WAITING = 5


def suggest(mentor: Mentor, name: str) -> None:
    """A mentor misses a skill. Raises ValidationError for what is in the list, or waits for an answer already."""
    name = " ".join(name.split())
    if known := Skill.objects.filter(name__iexact=name).first():
        raise ValidationError(_("“%(skill)s” is in the list: choose it on your profile.") % {"skill": known}, code="known")
    try:
        with transaction.atomic():
            # Of two pages at once, the second counts what the first one wrote.
            Mentor.objects.select_for_update(no_key=True).get(pk=mentor.pk)
            if mentor.skill_suggestions.filter(state=State.ASKED).count() >= MOST_WAITING:
                raise ValidationError(
                    _("%(count)s of yours wait for an answer already. Take one back first.") % {"count": MOST_WAITING},
                    code="too_many",
                )
            SkillSuggestion.objects.create(mentor=mentor, name=name)
    except IntegrityError:
        raise ValidationError(_("You have suggested this already."), code="already") from None


def take_back(suggestion: SkillSuggestion) -> None:
    """The mentor's own. What is settled meanwhile stays settled."""
    SkillSuggestion.objects.filter(pk=suggestion.pk, state=State.ASKED).delete()


def accept(suggestion: SkillSuggestion, *, by: User) -> Skill:
    """Into the list, and to every mentor who waits for it. Raises ValidationError."""
    with transaction.atomic():
        _settle(suggestion, State.ACCEPTED, by)
        skill = Skill.objects.filter(name__iexact=suggestion.name).first() or Skill.objects.create(name=suggestion.name)
        others = SkillSuggestion.objects.filter(name__iexact=suggestion.name, state=State.ASKED)
        skill.mentors.add(suggestion.mentor_id, *others.values_list("mentor_id", flat=True))
        others.update(state=State.ACCEPTED, settled_by=by)
    return skill


def decline(suggestion: SkillSuggestion, *, by: User) -> None:
    """It stays out of the list. Raises ValidationError."""
    _settle(suggestion, State.DECLINED, by)


def _settle(suggestion: SkillSuggestion, state: str, by: User) -> None:
    if not (by.is_active and by.is_staff and by.has_perm(SETTLES)):
        raise ValidationError(_("Only the program's coordinators settle what mentors suggest."), code="not_yours")
    if not SkillSuggestion.objects.filter(pk=suggestion.pk, state=State.ASKED).update(state=state, settled_by=by):
        raise ValidationError(_("This suggestion is settled already, or taken back."), code="already")
