"""The formats that import-export is given: each reads and writes through us."""

from import_export.formats import base_formats

from people.sheets.reading import read_csv
from people.sheets.writing import guarded, write_xlsx


class CSV(base_formats.CSV):
    """Bytes in and out. What we write begins with a byte order mark, or Excel would read another encoding."""

    def is_binary(self):
        return True

    def get_read_mode(self):
        return "rb"

    def create_dataset(self, in_stream, **kwargs):
        return read_csv(in_stream)

    def export_data(self, dataset, **kwargs):
        return super().export_data(guarded(dataset), **kwargs).encode("utf-8-sig")


class XLSX(base_formats.XLSX):
    def export_data(self, dataset, **kwargs):
        return write_xlsx(dataset)


class ODS(base_formats.TablibFormat):
    """import-export reads ODS as text, which fails; it is a binary format."""

    TABLIB_MODULE = "tablib.formats._ods"
    CONTENT_TYPE = "application/vnd.oasis.opendocument.spreadsheet"


FORMATS = [CSV, XLSX, ODS]
