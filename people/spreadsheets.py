"""What every sheet that comes in or goes out has in common: formats, headers, cells, and row numbers as people count them.

The engine is django-import-export. Its resources are in ``people.resources`` and ``scheduling.resources``; the admin,
the demo and the tests all import through them.
"""

import codecs
import csv
import io

import tablib
from django.core.exceptions import ValidationError
from import_export import resources, results
from import_export.fields import Field
from import_export.formats import base_formats
from import_export.widgets import CharWidget, ManyToManyWidget
from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell

# A cell that begins with one of these is a formula to a spreadsheet program.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


# ---- formats ----------------------------------------------------------------------------------------------------------


class UnreadableError(ValueError):
    """A file that cannot be read as a sheet; the text says why, and what to do."""


class CSV(base_formats.CSV):
    """Bytes in and out: UTF-8 or UTF-16, with commas, semicolons or tabs between the cells.

    Cells that look like formulas leave with an apostrophe in front; ``tidy`` takes it off again on the way in. What we
    write begins with a byte order mark, or Excel would read another encoding.
    """

    def is_binary(self):
        return True

    def get_read_mode(self):
        return "rb"

    def create_dataset(self, in_stream, **kwargs):
        text = self._decode(in_stream)
        first_line = text.partition("\n")[0]
        delimiter = max(",;\t", key=first_line.count)
        try:
            rows = [row for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter) if any(row)]
        except csv.Error as error:
            raise UnreadableError(
                f"The file cannot be read as CSV ({error}). Save it again in a spreadsheet program."
            ) from error
        dataset = tablib.Dataset(headers=rows[0] if rows else None)
        for row in rows[1:]:
            if any(row[len(rows[0]) :]):
                raise UnreadableError(
                    f"Row {dataset.height + 2} has {len(row)} cells, but the first row names {len(rows[0])} columns."
                )
            dataset.append((row + [""] * len(rows[0]))[: len(rows[0])])
        return dataset

    def export_data(self, dataset, **kwargs):
        quoted = tablib.Dataset(headers=dataset.headers)
        for row in dataset:
            quoted.append([f"'{cell}" if isinstance(cell, str) and cell.startswith(FORMULA_STARTS) else cell for cell in row])
        return super().export_data(quoted, **kwargs).encode("utf-8-sig")

    def _decode(self, data: bytes) -> str:
        encoding = "utf-16" if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else "utf-8-sig"
        try:
            return data.decode(encoding)
        except UnicodeDecodeError as error:
            raise UnreadableError(
                "The file is not in UTF-8, so its accents would be lost. Save it as “CSV UTF-8”, or upload it as XLSX."
            ) from error


class XLSX(base_formats.XLSX):
    """Every text is written as text: "=1+1" and "+49 30 ..." stay what they were."""

    def export_data(self, dataset, **kwargs):
        book = Workbook(write_only=True)
        sheet = book.create_sheet(dataset.title or "Sheet1")
        for row in [dataset.headers, *dataset]:
            cells = [WriteOnlyCell(sheet, value=value) for value in row]
            for cell in cells:
                if isinstance(cell.value, str):
                    cell.data_type = "s"
            sheet.append(cells)
        stream = io.BytesIO()
        book.save(stream)
        return stream.getvalue()


class ODS(base_formats.TablibFormat):
    """import-export reads ODS as text, which fails; it is a binary format."""

    TABLIB_MODULE = "tablib.formats._ods"
    CONTENT_TYPE = "application/vnd.oasis.opendocument.spreadsheet"


FORMATS = [CSV, XLSX, ODS]


# ---- sheets -----------------------------------------------------------------------------------------------------------


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


def tidy(value):
    """A cell's value without the spaces around it, and without the apostrophe that our own export put there."""
    if not isinstance(value, str):
        return value
    value = value.strip()
    return value[1:] if value[:1] == "'" and value[1:2] and value[1:].startswith(FORMULA_STARTS) else value


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


def _plain(header) -> str:
    return "".join(letter for letter in str(header or "").lower() if letter.isalnum())
