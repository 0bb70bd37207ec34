"""How lists on the pages are narrowed."""

import django_filters
from django import forms
from django.db.models import Count, Q
from django.utils.translation import gettext_lazy as _

from people.models import Mentor, Skill


class MentorFilter(django_filters.FilterSet):
    """Mentors by what they know, and by words from their name or what they say about themselves."""

    skill = django_filters.ModelMultipleChoiceFilter(
        queryset=Skill.objects.all(), label=_("Knows"), method="who_know", widget=forms.CheckboxSelectMultiple
    )
    words = django_filters.CharFilter(
        method="with_words", label=_("Name or words"), max_length=100, widget=forms.TextInput(attrs={"type": "search"})
    )

    class Meta:
        model = Mentor
        fields = ["skill", "words"]

    def who_know(self, mentors, name, skills):
        """Every one of the skills, however many: in one question to the database."""
        skills = list(skills)
        if not skills:
            return mentors
        known = Mentor.skills.through.objects.filter(skill__in=skills).values("mentor")
        return mentors.filter(pk__in=known.annotate(how_many=Count("pk")).filter(how_many=len(skills)).values("mentor"))

    def with_words(self, mentors, name, value):
        """Every word is somewhere: in the name or in the text."""
        for word in value.split():
            mentors = mentors.filter(
                Q(user__first_name__icontains=word) | Q(user__last_name__icontains=word) | Q(about_me__icontains=word)
            )
        return mentors
