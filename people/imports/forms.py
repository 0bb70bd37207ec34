"""What the desk asks: a file, what its columns are, and what of it is meant."""

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminFileFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldBooleanWidget,
)

from people.imports import gathering, kinds
from people.imports.models import Import
from people.sheets.reading import MOST_BYTES, UnreadableError
from people.sheets.resource import STAMP, SheetResource

# The names of our columns are long.
WIDE = {"class": "w-full"}


class UploadForm(forms.Form):
    """After `is_valid`, ``beginning`` is what the file begins with, and ``data`` all of it."""

    kind = forms.ChoiceField(label=gettext_lazy("What is in it"), widget=UnfoldAdminSelectWidget)
    file = forms.FileField(
        label=gettext_lazy("The file"),
        widget=UnfoldAdminFileFieldWidget,
        help_text=gettext_lazy("CSV, TSV, XLSX or ODS, up to 9 MB. One of its first rows names the columns, in any order."),
    )

    def __init__(self, *args, by, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["kind"].choices = [(kind.key, kind.label) for kind in kinds.open_to(by)]

    def clean(self):
        cleaned = super().clean()
        file, kind = cleaned.get("file"), kinds.get(cleaned.get("kind", ""))
        if file is None or kind is None:
            return cleaned
        try:
            # Not even read where it is far too large.
            self.data_of_file = file.read(MOST_BYTES + 1)
            self.beginning = gathering.begin(self.data_of_file, kind.resource(), kind.at_once)
        except UnreadableError as error:
            self.add_error("file", str(error))
        return cleaned


class MappingForm(forms.Form):
    """One choice for each column of the file, named column-0, column-1, ..."""

    def __init__(self, *args, work: Import, resource: type[SheetResource], **kwargs):
        super().__init__(*args, **kwargs)
        self.work, self.resource = work, resource
        choices = [("", _("Ignore")), *((name, resource.label(name)) for name in resource.columns)]
        for place, header in enumerate(work.headers):
            own = [*choices, (STAMP, _("What tells exported rows apart"))] if header == STAMP else choices
            label = header or _("(no header)")
            self.fields[f"column-{place}"] = forms.ChoiceField(
                label=label, choices=own, required=False, initial=work.mapping[place], widget=UnfoldAdminSelectWidget(WIDE)
            )

        if not work.headers_key and not any(resource.recognise(work.headers)):
            said = " · ".join(filter(None, work.headers))[:60]
            self.fields["headless"] = forms.BooleanField(
                label=_("The file has no headers: “%(row)s” is a row like those below it.") % {"row": said},
                required=False,
                widget=UnfoldBooleanWidget,
            )

    @property
    def mapping(self) -> list[str]:
        return [self.cleaned_data.get(f"column-{place}", "") for place in range(len(self.work.headers))]

    def clean(self):
        cleaned = super().clean()
        given: dict[str, str] = {}
        for place, column in enumerate(self.mapping):
            name = self.work.headers[place] or _("(no header)")
            if column and column in given and column not in self.resource.joined:
                sentence = _("“%(first)s” is this already: choose one of the two.") % {"first": given[column]}
                self.add_error(f"column-{place}", ValidationError(sentence, code="twice"))
            given.setdefault(column, name)
        for missing in self.resource.missing(self.mapping):
            self.add_error(
                None,
                ValidationError(
                    _("Say which column is %(column)s: without it no row can be read.") % {"column": missing},
                    code="missing_column",
                ),
            )
        return cleaned


class TicksForm(forms.Form):
    """What is not done unless it is ticked."""

    clear = forms.BooleanField(required=False, widget=UnfoldBooleanWidget)
    dates = forms.ChoiceField(required=False, choices=[("", ""), ("day", ""), ("month", "")])
    make = forms.MultipleChoiceField(required=False, widget=UnfoldAdminCheckboxSelectMultipleWidget)

    def __init__(self, *args, work: Import, **kwargs):
        super().__init__(*args, **kwargs)
        unknown = work.counts.get("unknown", {})
        self.fields["make"].choices = [(name, f"{name} ({rows})") for name, rows in sorted(unknown.items())[:MOST_NAMES]]
        self.fields["make"].initial = work.ticked.get("make", [])
        self.fields["clear"].initial = work.ticked.get("clear", False)


# More names than this are no list: the column is mapped wrongly.
MOST_NAMES = 200
