"""The admin's side of a sheet that comes in: upload, preview, confirm. Used by every roster's admin page."""

from pathlib import PurePath

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.shortcuts import redirect
from django.urls import reverse
from import_export.admin import ImportMixin
from unfold.admin import ModelAdmin
from unfold.contrib.import_export.forms import ImportForm

from people.admin_pages import DiscreetAdmin
from people.export_admin import ExportAdmin
from people.sheets.formats import FORMATS
from people.sheets.reading import UnreadableError
from people.stale import FreshAdmin

LARGEST_UPLOAD = 5 * 1024 * 1024


class UploadForm(ImportForm):
    """The format is what the file's name says, unless somebody says otherwise."""

    def __init__(self, formats, resources, **kwargs):
        super().__init__(formats, resources, **kwargs)
        self.formats = formats
        self.fields["format"].required = False
        self.fields["format"].help_text = "Left empty, the file's name decides."

    def clean_import_file(self):
        file = self.cleaned_data["import_file"]
        if file.size > LARGEST_UPLOAD:
            raise ValidationError("The file is larger than 5 MB. Split it, or remove sheets and pictures.", code="too_large")
        return file

    def clean(self):
        cleaned = super().clean()
        if not cleaned.get("format") and "import_file" in cleaned:
            ending = PurePath(cleaned["import_file"].name).suffix.lower().lstrip(".")
            known = [kind().get_extension() for kind in self.formats]
            if ending in known:
                cleaned["format"] = str(known.index(ending))
            else:
                self.add_error("import_file", f"The name ends in “.{ending}”. Save the sheet as one of: {', '.join(known)}.")
        return cleaned


class SheetAdmin(DiscreetAdmin, FreshAdmin, ExportAdmin, ImportMixin, ModelAdmin):
    """Import with a preview, all or nothing; export of what the list shows."""

    import_form_class = UploadForm
    import_export_change_list_template = "admin/import_export/change_list_import_export.html"
    formats = FORMATS

    def add_data_read_fail_error_to_form(self, form, error):
        """import-export would show the name of the exception."""
        plain = "The file cannot be read. Open it in a spreadsheet program, save it again as CSV or XLSX, and upload that."
        form.add_error("import_file", str(error) if isinstance(error, UnreadableError) else plain)

    def get_import_data_kwargs(self, **kwargs):
        kwargs.pop("form", None)
        # For the resource: who imports. (import_data is given the user beside it.)
        kwargs.pop("request", None)
        return kwargs

    def process_result(self, result, request):
        """import-export says "finished" even where a row became invalid after the preview and all was rolled back."""
        if result.has_errors() or result.has_validation_errors():
            rows = sorted({row.number for row in [*result.error_rows, *result.invalid_rows]})
            messages.error(
                request,
                "Nothing was imported: something changed since the preview, and "
                f"{len(rows) or 'some'} of its rows can no longer be taken. "
                "Upload the sheet again to see why.",
            )
            return redirect(reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_import"))
        return super().process_result(result, request)

    def add_success_message(self, result, request):
        totals = result.totals
        messages.success(
            request, f"Imported: {totals['new']} new, {totals['update']} changed, {totals['skip']} unchanged, none refused."
        )
