"""The formats that import-export is given: each reads and writes through us."""

from import_export.formats import base_formats

from people.sheets.cells import guard
from people.sheets.reading import read
from people.sheets.writing import Head, made


class Written:
    """A small sheet whole. Lists of the admin leave in pieces (people/sheets/sheet.py). Stands before the other bases."""

    def export_data(self, dataset, **kwargs) -> bytes:
        rows = list(dataset)
        if self.get_extension() == "csv":
            rows = [[guard(cell) if isinstance(cell, str) else cell for cell in row] for row in rows]
        with made(
            self.get_extension(), dataset.title or "Sheet", [Head(str(name)) for name in dataset.headers], [rows]
        ) as file:
            return file.read()


class CSV(Written, base_formats.CSV):
    """Bytes in and out."""

    def is_binary(self):
        return True

    def get_read_mode(self):
        return "rb"

    def create_dataset(self, in_stream, **kwargs):
        return read(in_stream)


class XLSX(Written, base_formats.XLSX):
    def create_dataset(self, in_stream, **kwargs):
        return read(in_stream)


class ODS(Written, base_formats.TablibFormat):
    """import-export reads ODS as text, which fails; it is a binary format."""

    TABLIB_MODULE = "tablib.formats._ods"
    CONTENT_TYPE = "application/vnd.oasis.opendocument.spreadsheet"

    def create_dataset(self, in_stream, **kwargs):
        return read(in_stream)


FORMATS = [CSV, XLSX, ODS]
