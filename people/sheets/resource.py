"""One kind of sheet: its columns, its rows, and all of it or nothing."""

from collections import Counter
from typing import NamedTuple

import tablib
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext as _
from import_export import resources, results

from people.sheets.cells import is_empty, tidy
from people.sheets.merging import NUMBERS, REFUSED, Entry, merge
from people.sheets.returning import KEY, NEWER, STAMP, Returning

UNUSED = "(unused) "
# What stands in a cell whose formula failed; #N/A is nothing.
ERRORS = {"#REF!", "#VALUE!", "#NAME?", "#DIV/0!", "#NUM!", "#NULL!"}


class SheetResult(results.Result):
    """Counts rows as a spreadsheet program shows them."""

    def append_invalid_row(self, number, row, validation_error):
        super().append_invalid_row(_number(row, number), row, validation_error)

    def append_error_row(self, number, row, errors):
        super().append_error_row(_number(row, number), row, errors)


def _number(row, number: int) -> int:
    return row[NUMBERS][0] if NUMBERS in row else number + 1


class Arranged(NamedTuple):
    """The rows of a sheet as a resource reads them. ``order``: of day and month, where other rows said it; ``unsure``: rows with
    a date that may be two.
    """

    columns: list[str]
    entries: list[Entry]
    order: str = ""
    unsure: int = 0


class SheetResource(Returning, resources.ModelResource):
    """One kind of sheet.

    ``columns`` maps each column we read to the headers that mean it, the best first; headers are compared without regard
    to case, spaces, dashes and underscores. ``needed`` names the columns without which no row can be read: a group is
    enough with any of its columns. Columns that are not used are kept in ``unused`` and shown.

    An empty cell changes nothing, unless ``clear`` is set: then it deletes what is here. ``make``: names, in small letters,
    that are added to a list (of skills) where a row needs them. What is written is kept in ``touched``, for a set of changes.
    """

    columns: dict[str, tuple[str, ...]] = {}
    # What people call each column, where that is not its name.
    labels: dict[str, str] = {}
    # The column that tells rows apart, and what people call what is in it: no two rows of a sheet may have the same.
    key: tuple[str, str] = ("", "")
    needed: tuple[tuple[str, ...], ...] = ()
    # Rows with the same key are one where they agree; in these columns they add up.
    merges = False
    joined: tuple[str, ...] = ()
    # Words in headers that tell of other people than the row's.
    others: frozenset[str] = frozenset()
    # Names that mean a column only where a header says nothing else.
    alone: frozenset[str] = frozenset()
    # What an empty cell may delete.
    clearable: tuple[str, ...] = ()

    def __init__(self, *, clear: bool = False, make=(), **kwargs):
        super().__init__(**kwargs)
        self.unused: list[str] = []
        self.clear = clear
        self.make = {name.lower() for name in make}
        # Names that no list has -> in how many rows they stand.
        self.unknown: Counter = Counter()
        self.touched: list[tuple[models.Model, dict | None, dict]] = []
        self.by = None
        # The set of changes that verbs write themselves into.
        self.within = None
        self.seen: dict[str, int] = {}

    @classmethod
    def get_result_class(cls):
        return SheetResult

    @classmethod
    def label(cls, column: str) -> str:
        return str(cls.labels.get(column, column.replace("_", " ").capitalize()))

    @classmethod
    def by_whose_clocks(cls) -> str:
        """How its times are read where they name no zone, in words; "" where it has none."""
        return ""

    @classmethod
    def shown(cls, column: str, text: str) -> str:
        """What a cell of ours holds, for people."""
        return text

    # ---- columns ------------------------------------------------------------------------------------------------------

    @classmethod
    def recognise(cls, headers: list) -> list[str]:
        """Our name for each header, in the sheet's order; "" for those that mean nothing to us."""
        plain = [_plain(header) for header in headers]
        ours = [STAMP if str(header).strip() == STAMP else "" for header in headers]
        for column, names in cls.columns.items():
            for name in names:
                at = next((place for place, header in enumerate(plain) if header == _plain(name) and not ours[place]), None)
                if at is not None:
                    ours[at] = column
                    break
        for column in cls.joined:
            # "Skill 1", "Skill 2": several columns for one.
            names = {_plain(name) for name in cls.columns[column]}
            for place, header in enumerate(plain):
                if not ours[place] and header.rstrip("0123456789") in names:
                    ours[place] = column
        return ours

    @classmethod
    def listed_names(cls) -> set[str]:
        """The names, in small letters, of what the first of ``joined`` lists."""
        return set()

    @classmethod
    def read_key(cls, cell: str) -> str:
        """What in the cell of the key tells rows apart."""
        return cell

    @classmethod
    def arrange(cls, columns: list[str], entries: list[Entry], order: str = "") -> Arranged:
        """Bring all rows of a sheet to the columns that rows are read from. ``order``: of day and month, where somebody said it."""
        return Arranged(columns, entries)

    @classmethod
    def missing(cls, columns) -> list[str]:
        """What no row can be read without, and these columns lack: each in words. Stamps tell all of a row."""
        if cls.sheet is not None and STAMP in columns:
            return []
        groups = [group for group in cls.needed if not any(column in columns for column in group)]
        return [" or ".join(f"“{cls.columns[column][0]}”" for column in group) for group in groups]

    # ---- the whole sheet ----------------------------------------------------------------------------------------------

    def import_data(self, dataset, dry_run=False, *, rollback_on_validation_errors=True, **kwargs):
        """All of the sheet or nothing; import-export's own default keeps the good rows of a bad sheet."""
        return super().import_data(dataset, dry_run, rollback_on_validation_errors=rollback_on_validation_errors, **kwargs)

    def before_import(self, dataset, **kwargs):
        self.by = kwargs.get("user")
        if NUMBERS not in (dataset.headers or ()):
            self._take_over(dataset)
        self.prepare(dataset)
        self.recall(dataset)

    def _take_over(self, dataset: tablib.Dataset) -> None:
        """A sheet as a file has it: name its columns as we do, and merge its rows."""
        headers = list(dataset.headers or [])
        found = self.recognise(headers)
        self.unused = [str(header) for header, name in zip(headers, found, strict=True) if not name]
        if missing := self.missing(found):
            # No row can be read: say so once, not once a row.
            dataset.wipe()
            there = ", ".join(f"“{header}”" for header in headers) or "no headers at all"
            raise ValidationError(f"The sheet has no column {missing[0]}. Its first row has {there}.", code="missing_column")
        columns = list(dict.fromkeys(filter(None, found)))
        places = [[place for place, name in enumerate(found) if name == column] for column in columns]
        entries = [Entry([number], [_join(row, at) for at in places]) for number, row in enumerate(dataset, 2)]
        if self.merges:
            entries = list(merge(entries, columns, key=self.key[0], joined=self.joined, read=self.read_key))
        arranged = self.arrange(columns, entries)
        dataset.wipe()
        fill(dataset, arranged.columns, arranged.entries)

    def remember(self, columns: list[str], entries: list[Entry]) -> None:
        """The sheet is gone on with: what the rows before have to do with those to come."""
        self.remember_stamps(columns, entries)
        if self.key[0] in columns:
            at = columns.index(self.key[0])
            self.seen |= {str(tidy(entry.cells[at]) or ""): entry.numbers[0] for entry in entries}

    def prepare(self, dataset: tablib.Dataset) -> None:
        """Fetch at once what the rows will ask for."""

    def after_import(self, dataset, result, **kwargs):
        result.unused = self.unused

    # ---- one row ------------------------------------------------------------------------------------------------------

    def before_import_row(self, row, **kwargs):
        if refusal := row.pop(REFUSED, None):
            raise refusal
        self.compare_with_here(row, _number(row, kwargs["row_number"]))
        emptied = []
        for column, value in list(row.items()):
            if column in (NUMBERS, KEY, NEWER):
                continue
            value = tidy(value)
            if isinstance(value, str) and "\0" in value:
                raise ValidationError({column: "The cell holds a character that cannot be stored (NUL). Type it again."})
            if value in ERRORS:
                sentence = _("“%(value)s” is the error of a formula. Write the value itself.") % {"value": value}
                raise ValidationError({column: ValidationError(sentence, code="formula")})
            row[column] = value
            if is_empty(value):
                del row[column]
                if column in self.clearable:
                    emptied.append(column)
        self.read_row(row)
        for column in emptied:
            if self.clear:
                row.setdefault(column, "")
        row["(emptied)"] = emptied
        column, called = self.key
        if column in row:
            number = _number(row, kwargs["row_number"])
            first = self.seen.setdefault(str(row[column]), number)
            if first != number:
                raise ValidationError({column: f"Row {first} has the same {called}."})

    def read_row(self, row: dict) -> None:
        """Complete a tidied row: split what stands together, bring keys to their form."""

    def require(self, row: dict, *columns: str, why: str = "") -> None:
        """Raises ValidationError where one of them is empty, unless a stamp says which row of ours this is."""
        for column in columns:
            if column not in row and KEY not in row:
                raise ValidationError({column: why or "This cell is empty."})

    def after_init_instance(self, instance, new, row, **kwargs):
        instance.sheet_before = None if new else self.snapshot(instance)
        instance.sheet_newer = row.get(NEWER, [])

    def import_instance(self, instance, row, **kwargs):
        """Note in ``sheet_changes`` what the row changes: (column, old, new) as a sheet would show them; and in
        ``sheet_emptied`` what an empty cell would delete, if that were asked for: (column, old).
        """
        fields = [field for field in self.get_import_fields() if field.column_name in row]
        new = instance._state.adding
        before = {} if new else {field.column_name: field.export(instance) for field in self.get_import_fields()}
        instance.sheet_changes, instance.sheet_emptied = [], []
        errors = {}
        for field in fields:
            try:
                self.import_field(field, instance, row, **kwargs)
            except ValidationError as error:
                errors[field.column_name] = error.messages
            except ValueError as error:
                errors[field.column_name] = [str(error)]
        if errors:
            raise ValidationError(errors)
        for field in fields:
            was, is_now = before.get(field.column_name, ""), field.export(instance)
            if was != is_now:
                instance.sheet_changes.append((field.column_name, str(was), str(is_now)))
        if not self.clear:
            instance.sheet_emptied = [(column, str(before[column])) for column in row["(emptied)"] if before.get(column)]

    def cleaned(self, row, column: str):
        """What a cell means, before there is an instance. A refusal names the column."""
        try:
            return self.fields[column].widget.clean(row[column], row=row)
        except ValidationError as error:
            raise ValidationError({column: error}) from error

    def skip_row(self, instance, original, row, import_validation_errors=None):
        """A new row is never unchanged, whatever it holds: somebody who takes on a second role differs in nothing else."""
        return not (instance._state.adding or import_validation_errors or instance.sheet_changes)

    def save_instance(self, instance, is_create, row, **kwargs):
        super().save_instance(instance, is_create, row, **kwargs)
        self.touched.append((instance, instance.sheet_before, self.snapshot(instance)))

    def snapshot(self, instance) -> dict:
        """What a set of changes keeps of a row, to put it back."""
        fields = [field for field in instance._meta.concrete_fields if not field.primary_key]
        return {field.attname: _for_json(getattr(instance, field.attname)) for field in fields}


def fill(dataset: tablib.Dataset, columns: list[str], entries: list[Entry]) -> tablib.Dataset:
    """Put entries into a dataset as the resources read it."""
    dataset.headers = [*columns, NUMBERS, REFUSED]
    for entry in entries:
        dataset.append([*entry.cells, entry.numbers, entry.refusal])
    return dataset


def _join(row, places: list[int]) -> object:
    """The cells of several columns that mean one."""
    return row[places[0]] if len(places) == 1 else "\n".join(str(row[at]) for at in places if not is_empty(row[at]))


def _plain(header) -> str:
    return "".join(letter for letter in str(header or "").lower() if letter.isalnum())


def _for_json(value):
    if value is None or isinstance(value, bool | int | float | str):
        return value
    return value.isoformat() if hasattr(value, "isoformat") else str(value)
