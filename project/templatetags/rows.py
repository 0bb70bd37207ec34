"""The rows of the admin's lists.

Unfold writes the looks of a cell into each cell, and works out the heads of the columns anew for each row: most of a list's weight
and half of its time. Here the looks are in `site/admin.css`, and what all rows have in common is worked out once.
"""

from collections.abc import Iterator

from django.contrib.admin.utils import lookup_field
from django.core.exceptions import ObjectDoesNotExist
from django.template import Library
from unfold.templatetags.unfold_list import result_headers
from unfold.utils import display_for_field, display_for_header, display_for_label, display_for_value

register = Library()
ACTION_CHECKBOX = "action_checkbox"


@register.filter
def is_plain(changelist) -> bool:
    """Does the list only show rows? In popups, and where rows are edited, sorted by hand or unfolded, they are Unfold's."""
    admin = changelist.model_admin
    more = (
        changelist.formset,
        changelist.is_popup,
        *(getattr(admin, name, None) for name in ("list_sections", "ordering_field")),
    )
    return not any(more) and not getattr(admin, "actions_row", ())


@register.inclusion_tag("admin/rows.html", takes_context=True)
def rows(context, changelist) -> dict:
    heads = list(result_headers(changelist))
    return {
        "cl": changelist,
        "result_headers": heads,
        "num_sorted_fields": sum(head["sortable"] and head["sorted"] for head in heads),
        "has_boxes": ACTION_CHECKBOX in changelist.list_display,
        "rows": list(_rows(changelist, [head["text"] for head in heads])),
        "needed": context.get("needed"),
        "has_add_permission": changelist.model_admin.has_add_permission(context["request"]),
    }


def _rows(changelist, titles: list[str]) -> Iterator[tuple]:
    """Each row's key, and its cells: name, title, what is shown, the address it leads to."""
    columns = [column for column in zip(changelist.list_display, titles, strict=True) if column[0] != ACTION_CHECKBOX]
    linked, labels = changelist.list_display_links or (), {}
    kept = changelist.preserved_filters and f"?{changelist.preserved_filters}"
    for row in changelist.result_list:
        address = f"{changelist.url_for_result(row)}{kept}"
        cells = [(name, title, _shown(changelist.model_admin, name, row, labels)) for name, title in columns]
        yield row.pk, [(*cell, cell[0] in linked and address) for cell in cells]


def _shown(admin, name: str, row, labels: dict):
    """``labels``: those of this page, which are few and each a template."""
    empty = admin.get_empty_value_display()
    try:
        field, method, value = lookup_field(name, row, admin)
    except ObjectDoesNotExist:
        return empty
    if field and not field.auto_created:
        if field.is_relation:
            return empty if value is None else value
        return display_for_field(value, field, empty)
    empty = getattr(method, "empty_value_display", empty)
    if colours := getattr(method, "label", None):
        if (name, value) not in labels:
            labels[name, value] = display_for_label(value, empty, colours)
        return labels[name, value]
    if getattr(method, "header", False):
        return display_for_header(value, empty)
    return display_for_value(value, empty, getattr(method, "boolean", False))
