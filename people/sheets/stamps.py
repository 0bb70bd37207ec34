"""The cell `_row`: which row of ours this was, and a fingerprint of each of its cells when it left.

Nothing is kept here: what came of a row meanwhile is told from the fingerprints, cell by cell. Each row carries all of its
own, so sheets may be sorted, cut, and put together from several exports. A fingerprint is keyed: it tells nobody what stood in
a cell that was taken out of the file. A signature covers the whole: a stamp of another program, of another list, or one that
was written by hand is no stamp of ours.

    mentors.1f.t6k2bx.1042.0b5d1f37...  .93c05e18d7a1f642
    list, columns (bits, in the list's order), minute, key, eight letters for each column, signature
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import blake2b

from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.crypto import constant_time_compare, salted_hmac
from django.utils.formats import date_format

from people.sheets.cells import tidy

HEADER = "_row"
PRINT, SIGNATURE = 8, 16
SHAPE = re.compile(r"([a-z_]+)\.([0-9a-f]{1,16})\.([0-9a-z]{1,8})\.([0-9]{1,18})\.([0-9a-f]*)\.([0-9a-f]{16})", re.ASCII)
DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


class Stamper:
    """Writes the stamps of one list. ``columns``: all that this list may compare; ``chosen``: those of them that leave."""

    def __init__(self, sheet: str, columns: Sequence[str], chosen: Sequence[str], at: datetime):
        self.key = _key(sheet, columns)
        mask = sum(1 << columns.index(name) for name in chosen)
        self.prefix = f"{sheet}.{mask:x}.{_base36(int(at.timestamp() // 60))}"

    def stamp(self, row: int, prints: Sequence[str]) -> str:
        body = f"{self.prefix}.{row}.{''.join(prints)}"
        return f"{body}.{_short(self.key, body, SIGNATURE)}"

    def print_of(self, column: str, text: str) -> str:
        return _print(self.key, column, text)


@dataclass(frozen=True)
class Stamp:
    row: int
    made_at: datetime
    prints: dict[str, str]
    key: bytes

    def knows(self, column: str) -> bool:
        """Was this column in the file when it left?"""
        return column in self.prints

    def holds(self, column: str, text: str) -> bool:
        """Did this plain text stand there when the file left?"""
        return self.prints[column] == _print(self.key, column, text)

    @property
    def when(self) -> str:
        return date_format(timezone.localtime(self.made_at), "DATETIME_FORMAT")


def row_of(text: str) -> int | None:
    """The key that a stamp names, believed without a look at its signature: for fetching rows, and nothing else."""
    match = SHAPE.fullmatch(tidy(text))
    return int(match[4]) if match else None


def read(text: str, sheet: str, columns: Sequence[str]) -> Stamp:
    """Raises ValidationError where this is no stamp of ours for this list."""
    match = SHAPE.fullmatch(text)
    if match and match[1] != sheet:
        raise ValidationError(
            "This row left with the list “%(list)s”. Import it there, or clear its cell “_row”.",
            code="other_list",
            params={"list": match[1].replace("_", " ")},
        )
    key = _key(sheet, columns)
    if match is None or not constant_time_compare(_short(key, text.rpartition(".")[0], SIGNATURE), match[6]):
        raise ValidationError(
            "The cell “_row” is not as it left here: it was changed, or comes from another program, or from this one before an"
            " update. Clear it, and the row is taken like one that was typed.",
            code="not_our_stamp",
        )
    names = [name for at, name in enumerate(columns) if int(match[2], 16) >> at & 1]
    prints = [match[5][at : at + PRINT] for at in range(0, len(match[5]), PRINT)]
    made_at = datetime.fromtimestamp(int(match[3], 36) * 60, UTC)
    return Stamp(int(match[4]), made_at, dict(zip(names, prints, strict=True)), key)


def _key(sheet: str, columns: Sequence[str]) -> bytes:
    # With the columns in it: bits that meant others before an update are not taken for these.
    return salted_hmac("people.sheets.stamps", "\0".join([sheet, *columns]), algorithm="sha256").digest()


def _print(key: bytes, column: str, text: str) -> str:
    return _short(key, f"{column}\0{text}", PRINT)


def _short(key: bytes, text: str, letters: int) -> str:
    # Not hmac: this is done for every cell, and takes a quarter of its time. A keyed BLAKE2 is made for it.
    return blake2b(text.encode(errors="surrogatepass"), key=key, digest_size=letters // 2).hexdigest()


def _base36(number: int) -> str:
    digits = ""
    while number:
        number, digit = divmod(number, 36)
        digits = DIGITS[digit] + digits
    return digits or "0"
