"""Files that are no sheets, or too much of one: refused in words, at once, before anything parses them."""

import io
import os
import resource
import subprocess
import sys
import time
import zipfile
import zlib

import openpyxl
import pytest

from people.sheets import reading
from people.sheets.reading import UnreadableError

WORKBOOK = {
    "[Content_Types].xml": '<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/><Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/><Override PartName="/xl/worksheets/sheet1.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/></Types>',
    "_rels/.rels": '<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>',
    "xl/_rels/workbook.xml.rels": '<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet1.xml"/></Relationships>',
    "xl/workbook.xml": '<?xml version="1.0"?><workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets><sheet name="S" sheetId="1" r:id="rId1"/></sheets></workbook>',
}
SHEET = '<?xml version="1.0"?>{before}<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">{dimension}<sheetData>{rows}</sheetData></worksheet>'
LAUGHS = (
    '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;">]>'
)
OUTSIDE = '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>'
CELL = '<row r="1"><c r="A1" t="inlineStr"><is><t>{text}</t></is></c></row>'


def archive(members: dict[str, str | bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in members.items():
            packed.writestr(name, content)
    return file.getvalue()


def xlsx(rows: str = CELL.format(text="x"), before: str = "", dimension: str = "", **more) -> bytes:
    return archive(WORKBOOK | {"xl/worksheets/sheet1.xml": SHEET.format(rows=rows, before=before, dimension=dimension)} | more)


def ods(rows: str, before: str = "") -> bytes:
    names = " ".join(f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"' for name in ("office", "table", "text"))
    content = f'<?xml version="1.0"?>{before}<office:document-content {names}><office:body><office:spreadsheet><table:table>{rows}</table:table></office:spreadsheet></office:body></office:document-content>'
    return archive({"mimetype": "application/vnd.oasis.opendocument.spreadsheet", "content.xml": content})


def ods_row(*cells: str, times: int = 1) -> str:
    return f'<table:table-row table:number-rows-repeated="{times}">{"".join(cells)}</table:table-row>'


def ods_cell(text: str, times: int = 1) -> str:
    said = f"<text:p>{text}</text:p>" if text else ""
    return f'<table:table-cell table:number-columns-repeated="{times}">{said}</table:table-cell>'


def long_row() -> bytes:
    book = openpyxl.Workbook(write_only=True)
    book.create_sheet().append([f"c{number}" for number in range(10_000)])
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


HOSTILE = {
    "200 MB": (lambda: b"a,b\n" * 50_000_000, "The file is larger than 9 MB."),
    "bomb": (lambda: xlsx(**{"xl/media/a.bin": b"\0" * 49_000_000}), "The file is packed far tighter than a sheet is."),
    "larger bomb": (lambda: xlsx(**{"xl/a.xml": os.urandom(1000) * 60_000}), "Unpacked, the file is larger than 50 MB."),
    "bomb in a sheet": (lambda: xlsx(CELL.format(text="x" * 30_000_000)), "The file is packed far tighter than a sheet is."),
    "bomb of parts": (lambda: xlsx(**{f"xl/{number}.xml": "" for number in range(300)}), "The file consists of 305 parts"),
    "laughs": (lambda: xlsx(CELL.format(text="&c;"), before=LAUGHS), "The file holds XML that no spreadsheet program writes"),
    "a long remark before": (lambda: xlsx(CELL.format(text="&c;"), before=f"<!--{'x' * 20_000}-->{LAUGHS}"), "The file holds XML that no spreadsheet program writes"),
    "outside": (lambda: xlsx(CELL.format(text="&a;"), before=OUTSIDE), "The file holds XML that no spreadsheet program writes"),
    "laughs in ODS": (lambda: ods(ods_row(ods_cell("&c;")), LAUGHS), "The file holds XML that no spreadsheet program writes"),
    "outside in ODS": (lambda: ods(ods_row(ods_cell("&a;")), OUTSIDE), "The file holds XML that no spreadsheet program writes"),
    "macros": (lambda: xlsx(**{"xl/vbaProject.bin": b"x"}), "The file holds macros"),
    "10,000 columns": (long_row, "Row 1 has 10,000 columns"),
    "10,000 columns of CSV": (lambda: b",".join([b"c"] * 10_000) + b"\n", "Row 1 has 10,000 columns"),
    "a million empty columns": (lambda: b"x" + b"," * 1_000_000 + b"\n", "Row 1 has 1,000,001 columns"),
    "a million columns": (lambda: xlsx('<row r="1"><c r="A1" t="inlineStr"><is><t>x</t></is></c><c r="XFD1"><v>1</v></c></row>'), "Row 1 has 16,384 columns"),
    "a million columns of ODS": (lambda: ods(ods_row(ods_cell("", 1_000_000), ods_cell("x"))), "Row 1 has 1,000,001 columns"),
    "a million cells of ODS": (lambda: ods(ods_row(ods_cell("x", 1_000_000))), "Row 1 has 1,000,000 columns"),
    "a million rows of ODS": (lambda: ods(ods_row(ods_cell("x"), times=1_000_000)), "Row 1 stands there 1,000,000 times"),
    "HTML": (lambda: b"\xef\xbb\xbf \n<html><table><tr><td>a</td></tr></table></html>", "The file is a web page"),
    "NUL": (lambda: b"name,email\nA\0na,ana@example.org\n", "The file holds NUL bytes"),
    "noise": (lambda: b"\x01\x02" + zlib.compress(b"x" * 10_000).replace(b"\0", b"") * 20, "The file"),
    "old Excel": (lambda: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, "The file is an old Excel workbook"),
    "PDF": (lambda: b"%PDF-1.7\n", "The file is a document"),
    "half a file": (lambda: xlsx()[:400], "The file is damaged."),
    "no sheet": (lambda: archive({"a.txt": "x"}), "The file is an archive, but no sheet."),
    "nothing": (lambda: b" \n", "The file is empty."),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_it_is_refused_in_words_in_less_than_a_second(name):
    make, sentence = HOSTILE[name]
    data = make()
    began = time.process_time()
    with pytest.raises(UnreadableError) as refusal:
        reading.read(data)
    assert str(refusal.value).startswith(sentence)
    assert time.process_time() - began < 1


@pytest.mark.parametrize(
    "data",
    [
        xlsx('<row r="1"><c r="A1" t="inlineStr"><is><t>x</t></is></c></row>', dimension='<dimension ref="A1:XFD1048576"/>'),
        ods(ods_row(ods_cell("x"), ods_cell("", 1_000_000)) + ods_row(ods_cell("", 16_384), times=1_048_000)),
        b"x" + b"," * 16_383 + b"\n",
    ],
)  # fmt: skip
def test_all_empty_cells_of_a_spreadsheet_program_are_nothing(data):
    began = time.process_time()
    assert reading.read(data).headers == ["x"]
    assert time.process_time() - began < 1


SCRIPT = """
import resource, sys
from people.tests.test_hostile_sheets import HOSTILE
from people.sheets import reading
data = HOSTILE[sys.argv[1]][0]()
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
try:
    reading.read(data)
except reading.UnreadableError:
    print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""


@pytest.mark.skipif(not hasattr(resource, "RUSAGE_SELF"), reason="no way to measure memory here")
@pytest.mark.parametrize("name", ["bomb in a sheet", "laughs", "a million rows of ODS"])
def test_it_takes_less_than_100_mb(name):
    told = subprocess.run([sys.executable, "-c", SCRIPT, name], capture_output=True, text=True, check=True)
    assert int(told.stdout) < 100
