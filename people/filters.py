"""How lists of people are narrowed."""

import django_filters
from django import forms
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field

from people.models import Mentee

# As the database keeps them.
LARGEST_NUMBER = 2**31 - 1


class NumberField(forms.IntegerField):
    """A number as it stands in a row: longer ones are nobody's, and some databases cannot even look for them."""

    def __init__(self, **kwargs):
        super().__init__(**{"min_value": 0, "max_value": LARGEST_NUMBER} | kwargs)


@extend_schema_field(OpenApiTypes.INT64)
class NumberFilter(django_filters.NumberFilter):
    field_class = NumberField


class MenteeFilter(django_filters.FilterSet):
    team = NumberFilter(field_name="team__number", help_text="Only those of the team with this number.")

    class Meta:
        model = Mentee
        fields = ["team"]
