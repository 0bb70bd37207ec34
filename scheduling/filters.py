"""How lists on the pages are narrowed."""

import django_filters
from django import forms
from django.db.models import Q

from people.models import Mentor, Skill


class MentorFilter(django_filters.FilterSet):
    """Mentors by what they know, and by words from their name or what they say about themselves."""

    skill = django_filters.ModelChoiceFilter(
        field_name="skills", queryset=Skill.objects.all(), label="Skill", empty_label="Any skill"
    )
    words = django_filters.CharFilter(
        method="with_words", label="Name or words", max_length=100, widget=forms.TextInput(attrs={"type": "search"})
    )

    class Meta:
        model = Mentor
        fields = ["skill", "words"]

    def with_words(self, mentors, name, value):
        """Every word is somewhere: in the name or in the text."""
        for word in value.split():
            mentors = mentors.filter(
                Q(user__first_name__icontains=word) | Q(user__last_name__icontains=word) | Q(about_me__icontains=word)
            )
        return mentors
