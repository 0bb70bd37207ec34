"""What stands in a cell, and how it is read and written."""

import ast
import json
import re

from django.core.exceptions import ValidationError
from import_export.fields import Field
from import_export.widgets import CharWidget

from people import time_zones

# What programs write where there is nothing; not "Nan" or "Null", which are names.
EMPTY = {"", "None", "none", "NONE", "null", "NULL", "nan", "NaN", "N/A", "n/a", "#N/A", "-", "–", "—", "-none-", "[]", "{}"}
# What stands in a column of its own for one skill.
TICKS = {"x", "✓", "✔", "☑", "y", "yes", "true", "1", "ja", "wahr", "checked"}
UNTICKED = {"n", "no", "false", "0", "nein", "falsch", "☐", "unchecked"}
SUFFIXES = {"phd", "ph.d.", "md", "m.d.", "jr", "jr.", "sr", "sr.", "ii", "iii", "iv", "mba", "esq.", "cpa", "pe"}
# As forms write one column for each box to tick: "Skills [Python]".
IN_BRACKETS = re.compile(r".*\[(?P<name>[^\[\]]+)\]\s*", re.DOTALL)
AND = re.compile(r"\s+(?:and|und|et|y|e|&|\+|-|–)\s+", re.IGNORECASE)
FIRST_AND = re.compile(r"^(?:and|und|et|&)\s+", re.IGNORECASE)
# "(she/her)", "Jr."
BEHIND_NAME = re.compile(
    rf"(?P<name>.*\S)\s+(?P<rest>\(.*\)|(?:{'|'.join(map(re.escape, sorted(SUFFIXES, reverse=True)))}))", re.IGNORECASE
)
# A longer cell is no list.
LONGEST_LIST = 5_000
# What a spreadsheet program would take for a formula, or swallow, also where spaces or apostrophes stand before it.
FORMULA_LIKE = re.compile(r"[\s']*[=+\-@]|[\t\r\n]")
# Spaces of no width, which web pages and other programs leave in cells.
INVISIBLE = re.compile("[\u200b-\u200f\u2060\ufeff]")
AROUND_AT = re.compile(r"\s*@\s*")
NAMED_ADDRESS = re.compile(r"[^<>@]*<\s*(?P<address>[^<>@\s]+@[^<>@\s]+)\s*>")
# A large number as Excel shortens it.
SHORTENED = re.compile(r"[0-9]+([.,][0-9]+)?[eE]\+?[0-9]+")
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


def is_empty(value) -> bool:
    return value is None or (isinstance(value, str) and value.strip() in EMPTY)


def split_name(name: str) -> tuple[str, str]:
    """First and last name: the last word is the last name, so that "Dr. Sarah Chen" keeps her title with the first; with what
    is written small before it, as in "Maya de la Cruz".

    "Chen, Sarah" is the other way round, and "Sarah Chen, PhD" is not.
    """
    last, comma, first = (part.strip() for part in name.partition(","))
    if comma and first and last and "," not in first and first.lower() not in SUFFIXES:
        return first, last
    if comma and last and all(part.strip().lower() in SUFFIXES for part in first.split(",")):
        before, behind = split_name(last)
        return before, f"{behind}, {first}".removeprefix(", ")
    if behind := BEHIND_NAME.fullmatch(name.strip()):
        before, last = split_name(behind["name"])
        if last:
            return before, f"{last} {behind['rest']}"
    first, _, last = name.strip().rpartition(" ")
    if last[:1].isupper():
        while " " in first and (word := first.rpartition(" ")[2]).islower() and word.isalpha():
            first, _, particle = first.rpartition(" ")
            last = f"{particle} {last}"
    return (first.strip(), last) if first else (last, "")


def address(cell: str) -> str:
    """The e-mail address in a cell: of "Ana Ruiz <ana@example.org>", "mailto:ana@example.org" and signs that nobody sees.

    A cell with several stays as it is, to be refused.
    """
    text = tidy(cell)
    if not text.isascii():
        text = INVISIBLE.sub("", text).strip()
    if "<" in text and (found := NAMED_ADDRESS.fullmatch(text)):
        text = found["address"]
    text = re.sub("^mailto:", "", text.strip(), flags=re.IGNORECASE).rstrip(" .,;")
    return AROUND_AT.sub("@", text) if text.count("@") == 1 else text


def listed(cell: str) -> list[str]:
    """The items of a list as Python or JSON writes it; any other cell as it stands."""
    text = cell.strip()
    if text[:1] in ("[", "(", "{") and len(text) <= LONGEST_LIST:
        for reader in (json.loads, ast.literal_eval):
            try:
                found = reader(text)
            except (ValueError, SyntaxError, RecursionError, MemoryError):
                continue
            if isinstance(found, list | tuple | set):
                return [str(item).strip() for item in found if not is_empty(str(item))]
        return [text.strip("[](){}")]
    return [text]


def ticked_name(header: str) -> str:
    """What a tick in a column with this header means."""
    asked = IN_BRACKETS.fullmatch(header)
    return (asked["name"] if asked else header).strip()


def split_names(cell: str, known) -> list[str]:
    """The names in a cell, with commas, semicolons, slashes, bars, dots or lines between them, or as a list of Python or JSON.

    A name that is ``known`` (in small letters) is one, whatever is in it: "UI/UX" and "Writing, academic". An "and" stands
    between two only where both are known.
    """
    found: dict[str, str] = {}
    for item in listed(cell):
        tokens = re.split(r"([,;/|\n•·])", item)
        pieces = len(tokens) // 2 + 1
        at = 0
        while at < pieces:
            for end in range(pieces, at, -1):
                name = "".join(tokens[2 * at : 2 * end - 1]).strip().strip("'\"[]").strip()
                if end == at + 1 or name.lower() in known:
                    break
            for one in _known_parts(name, known, at > 0):
                if not is_empty(one):
                    found.setdefault(one.lower(), one)
            at = end
    return list(found.values())


def _known_parts(name: str, known, follows: bool) -> list[str]:
    """``follows``: another one stands before it, as in "SQL, and Python"."""
    if name.lower() in known:
        return [name]
    name = " ".join(INVISIBLE.sub("", name).split())
    name = FIRST_AND.sub("", name) if follows else name
    parts = AND.split(name)
    return parts if all(part.lower() in known for part in parts) else [name]


class Text(CharWidget):
    """Text, never None."""

    def __init__(self):
        super().__init__(coerce_to_string=True, allow_blank=True)


class YesNo(CharWidget):
    YES = {"y", "yes", "true", "1", "1.0", "on", "x", "ja", "j", "wahr", "oui", "sí", "si"}
    NO = {"n", "no", "false", "0", "0.0", "off", "nein", "falsch", "non"}

    def clean(self, value, row=None, **kwargs):
        word = str(value).strip().lower()
        if word not in self.YES | self.NO:
            raise ValidationError(f"“{value}” is neither yes nor no: write Y or N.", code="not_yes_or_no")
        return word in self.YES

    def render(self, value, obj=None, **kwargs):
        return "Y" if value else "N"


class Phone(Text):
    """A phone number that is whole. Whether there can be such a one, the model asks: asking twice is slow."""

    def clean(self, value, row=None, **kwargs):
        text = INVISIBLE.sub("", str(value or "")).strip()
        if SHORTENED.fullmatch(text):
            raise ValidationError(
                f"“{text}” is a number that a spreadsheet program has shortened, so digits are lost. Format the column as text,"
                " and type the number again.",
                code="shortened",
            )
        if text.startswith("00"):
            text = f"+{text[2:]}"
        return text


class Zone(Text):
    """A time zone. Whether there is such a one, the model asks."""

    def clean(self, value, row=None, **kwargs):
        return time_zones.read(str(value or ""))


class Cell(Field):
    """A field of a sheet: the attribute it reads and writes, and how."""

    def __init__(self, attribute, column_name=None, widget=None, **kwargs):
        super().__init__(attribute=attribute, column_name=column_name or attribute, widget=widget or Text(), **kwargs)
