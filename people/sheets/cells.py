"""What stands in a cell, and how it is read and written."""

import re

from django.core.exceptions import ValidationError
from import_export.fields import Field
from import_export.widgets import CharWidget, ManyToManyWidget

# What a spreadsheet program would take for a formula, or swallow, also where spaces or apostrophes stand before it.
FORMULA_LIKE = re.compile(r"[\s']*[=+\-@]|[\t\r\n]")
# No XML holds these, and no spreadsheet program shows them.
UNWRITABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


def guard(text: str) -> str:
    """With an apostrophe in front where a spreadsheet program would read a formula. `tidy` takes off exactly that one: what
    begins with an apostrophe of its own gets a second.
    """
    return f"'{text}" if FORMULA_LIKE.match(text) else text


def tidy(value):
    """A cell's value without the spaces around it, and without the apostrophe that `guard` put there."""
    if not isinstance(value, str):
        return value
    value = value.strip()
    return value[1:] if value[:1] == "'" and FORMULA_LIKE.match(value, 1) else value


def split_name(name: str) -> tuple[str, str]:
    """First and last name: the last word is the last name, so that "Dr. Sarah Chen" keeps her title with the first."""
    first, _, last = name.strip().rpartition(" ")
    return (first.strip(), last) if first else (last, "")


class Text(CharWidget):
    """Text, never None."""

    def __init__(self):
        super().__init__(coerce_to_string=True, allow_blank=True)


class YesNo(CharWidget):
    YES, NO = {"y", "yes", "true", "1"}, {"n", "no", "false", "0"}

    def clean(self, value, row=None, **kwargs):
        word = str(value).strip().lower()
        if word not in self.YES | self.NO:
            raise ValidationError(f"“{value}” is neither yes nor no: write Y or N.", code="not_yes_or_no")
        return word in self.YES

    def render(self, value, obj=None, **kwargs):
        return "Y" if value else "N"


class KnownNames(ManyToManyWidget):
    """Several names in one cell, with commas or semicolons between. A name that is not known is refused, not dropped."""

    def __init__(self, model):
        super().__init__(model, separator=",", field="name")

    def clean(self, value, row=None, **kwargs):
        names = [name.strip() for name in str(value or "").replace(";", ",").split(",") if name.strip()]
        known = {row.name.lower(): row for row in self.model.objects.all()}
        unknown = [name for name in names if name.lower() not in known]
        if unknown:
            kind = self.model._meta.verbose_name
            raise ValidationError(
                f"There is no {kind} “{'”, “'.join(unknown)}”. Add it to the list first, or correct the cell.",
                code="unknown_name",
            )
        return [known[name.lower()] for name in names]

    def render(self, value, obj=None, **kwargs):
        return ", ".join(row.name for row in value.all()) if value is not None and obj and obj.pk else ""


class Cell(Field):
    """A field of a sheet: the attribute it reads and writes, and how."""

    def __init__(self, attribute, column_name=None, widget=None, **kwargs):
        super().__init__(attribute=attribute, column_name=column_name or attribute, widget=widget or Text(), **kwargs)
