"""Addresses that people type for others to follow: on the web, and nowhere else."""

from django import forms
from django.core.validators import URLValidator
from django.db import models

WEB = [URLValidator(schemes=["http", "https"])]


class LinkFormField(forms.URLField):
    """Django's own takes ftp, too, and means http where nothing is typed."""

    default_validators = WEB

    def __init__(self, **kwargs):
        super().__init__(**{"assume_scheme": "https"} | kwargs)


class LinkField(models.URLField):
    default_validators = WEB

    def deconstruct(self):
        # To the database it is no other column than Django's.
        name, _path, args, kwargs = super().deconstruct()
        return name, "django.db.models.URLField", args, kwargs

    def formfield(self, **kwargs):
        return super().formfield(**{"form_class": LinkFormField, "assume_scheme": "https"} | kwargs)
