"""The admin's side of a list that comes in and goes out as a sheet. What comes in, comes in through the import desk."""

from django.core.exceptions import PermissionDenied
from django.shortcuts import redirect
from django.urls import reverse
from import_export.admin import ImportMixin
from unfold.admin import ModelAdmin

from people.admin_pages import DiscreetAdmin
from people.export_admin import ExportAdmin
from people.imports import kinds
from people.sheets.formats import FORMATS
from people.stale import FreshAdmin


class SheetAdmin(DiscreetAdmin, FreshAdmin, ExportAdmin, ImportMixin, ModelAdmin):
    """A button that leads to the desk; export of what the list shows."""

    import_export_change_list_template = "admin/import_export/change_list_import_export.html"
    formats = FORMATS

    def import_action(self, request, *args, **kwargs):
        if not self.has_import_permission(request):
            raise PermissionDenied
        kind = kinds.of_resource(self.resource_classes[0])
        return redirect(f"{reverse('admin:people_import_upload')}?kind={kind.key if kind else ''}")

    # import-export's second step is not ours.
    process_import = import_action
