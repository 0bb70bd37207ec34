"""One kind of sheet: its columns, its rows, and all of it or nothing."""

from django.core.exceptions import ValidationError
from import_export import resources, results

from people.sheets.cells import tidy


class SheetResult(results.Result):
    """Counts rows as a spreadsheet program shows them: the headers are row 1."""

    def append_invalid_row(self, number, row, validation_error):
        super().append_invalid_row(number + 1, row, validation_error)

    def append_error_row(self, number, row, errors):
        super().append_error_row(number + 1, row, errors)


class SheetResource(resources.ModelResource):
    """One kind of sheet.

    ``columns`` maps each column we read to the headers that mean it, the best first; headers are compared without regard
    to case, spaces, dashes and underscores. ``needed`` names the columns without which no row can be read: a group is
    enough with any of its columns. Columns that are not used are kept in ``unused`` and shown.

    An empty cell changes nothing.
    """

    columns: dict[str, tuple[str, ...]] = {}
    # The column that tells rows apart, and what people call what is in it: no two rows of a sheet may have the same.
    key: tuple[str, str] = ("", "")
    needed: tuple[tuple[str, ...], ...] = ()

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.unused: list[str] = []

    @classmethod
    def get_result_class(cls):
        return SheetResult

    def import_data(self, dataset, dry_run=False, *, rollback_on_validation_errors=True, **kwargs):
        """All of the sheet or nothing; import-export's own default keeps the good rows of a bad sheet."""
        return super().import_data(dataset, dry_run, rollback_on_validation_errors=rollback_on_validation_errors, **kwargs)

    def after_import(self, dataset, result, **kwargs):
        result.unused = self.unused

    def before_import(self, dataset, **kwargs):
        self.seen: dict[str, int] = {}
        headers = list(dataset.headers or [])
        dataset.headers, self.unused = self._recognise(headers)
        for group in self.needed:
            if not any(column in dataset.headers for column in group):
                # No row can be read: say so once, not once a row.
                dataset.wipe()
                asked = " or ".join(f"“{self.columns[column][0]}”" for column in group)
                there = ", ".join(f"“{header}”" for header in headers) or "no headers at all"
                raise ValidationError(f"The sheet has no column {asked}. Its first row has {there}.", code="missing_column")

    def before_import_row(self, row, **kwargs):
        for column, value in list(row.items()):
            value = tidy(value)
            if isinstance(value, str) and "\0" in value:
                raise ValidationError({column: "The cell holds a character that cannot be stored (NUL). Type it again."})
            if value in ("", None):
                del row[column]
            else:
                row[column] = value
        self.read_row(row)
        column, called = self.key
        if column in row:
            first = self.seen.setdefault(str(row[column]), kwargs["row_number"])
            if first != kwargs["row_number"]:
                raise ValidationError({column: f"Row {first + 1} has the same {called}."})

    def read_row(self, row: dict) -> None:
        """Complete a tidied row: split what stands together, bring keys to their form."""

    def skip_row(self, instance, original, row, import_validation_errors=None):
        """A new row is never unchanged, whatever it holds: somebody who takes on a second role differs in nothing else."""
        return not instance._state.adding and super().skip_row(instance, original, row, import_validation_errors)

    def _recognise(self, headers: list) -> tuple[list[str], list[str]]:
        """Our name for each header, in the sheet's order, and the headers that mean nothing to us."""
        plain = [_plain(header) for header in headers]
        ours = [f"(unused) {header}" for header in headers]
        for column, names in self.columns.items():
            at = next((plain.index(_plain(name)) for name in names if _plain(name) in plain), None)
            if at is not None and ours[at].startswith("(unused)"):
                ours[at] = column
        return ours, [str(header) for header, name in zip(headers, ours, strict=True) if name.startswith("(unused)")]


def _plain(header) -> str:
    return "".join(letter for letter in str(header or "").lower() if letter.isalnum())
