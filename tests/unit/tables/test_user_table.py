"""Every table a user brings: read as it is meant, or refused by its line; nothing is swallowed."""

from __future__ import annotations

import zipfile
from pathlib import Path

import openpyxl
import pytest

from areaeffect.errors import DataError
from areaeffect.tables.user_table import Layout, UserTable, read_user_table

GOOD = "area_code,n\nE01000001,3\nE01000002,4\n"


def read(folder: Path, content: str | bytes, name: str = "t.csv", **layout: object) -> UserTable:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_user_table(path, None, ("area_code",), Layout(("n",), **layout))  # type: ignore[arg-type]


def fault(folder: Path, content: str | bytes, name: str = "t.csv") -> str:
    with pytest.raises(DataError) as caught:
        read(folder, content, name)
    return str(caught.value).replace(f"{folder}/", "")


@pytest.mark.parametrize(
    "content",
    [
        GOOD,
        GOOD.replace("\n", "\r"),
        GOOD.replace("\n", "\r\n", 1),
        "sep=;\r\n" + GOOD.replace(",", ";"),
        GOOD.replace(",", "|"),
        GOOD.replace(",", "\t").encode("utf-16"),
        "claimant count\nfrom Nomis, July 2021\n\n" + GOOD,
        GOOD + "\nTotal,7\n",
        GOOD + '"Column Total",7\n',
        GOOD + "\n\nSource: a department\n",
        "area_code,n,,\nE01000001,3,,\nE01000002,4,,\n",
        GOOD.replace("n\n", "N\n"),
    ],
)
def test_one_table_in_many_forms_is_one_table(tmp_path: Path, content: str | bytes) -> None:
    frame = read(tmp_path, content).frame
    assert frame.columns.tolist() == ["area_code", "n"]
    assert frame.to_numpy().tolist() == [["E01000001", "3"], ["E01000002", "4"]]


def write_workbook(path: Path, sheets: dict[str, list[list[str | float]]]) -> None:
    """Write the least that is a workbook: one part a sheet, cells as text or numbers."""
    names = list(sheets)
    ns = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
    rel = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    package = "http://schemas.openxmlformats.org/package/2006"
    listed = "".join(f'<sheet name="{n}" sheetId="{i}" r:id="r{i}"/>' for i, n in enumerate(names, 1))
    links = "".join(
        f'<Relationship Id="r{i}" Type="{rel}/worksheet" Target="worksheets/s{i}.xml"/>'
        for i in range(1, len(names) + 1)
    )
    with zipfile.ZipFile(path, "w") as book:
        book.writestr(
            "[Content_Types].xml",
            f'<Types xmlns="{package}/content-types"><Default Extension="xml" '
            'ContentType="application/xml"/></Types>',
        )
        book.writestr(
            "_rels/.rels",
            f'<Relationships xmlns="{package}/relationships"><Relationship Id="a" '
            f'Type="{rel}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        )
        book.writestr(
            "xl/workbook.xml", f'<workbook {ns} xmlns:r="{rel}"><sheets>{listed}</sheets></workbook>'
        )
        book.writestr(
            "xl/_rels/workbook.xml.rels",
            f'<Relationships xmlns="{package}/relationships">{links}</Relationships>',
        )
        for i, rows in enumerate(sheets.values(), 1):
            cells = "".join(
                "<row>"
                + "".join(
                    f"<c><v>{v}</v></c>"
                    if isinstance(v, float)
                    else f'<c t="inlineStr"><is><t>{v}</t></is></c>'
                    for v in row
                )
                + "</row>"
                for row in rows
            )
            book.writestr(
                f"xl/worksheets/s{i}.xml", f"<worksheet {ns}><sheetData>{cells}</sheetData></worksheet>"
            )


DATA: list[list[str | float]] = [["Counts of a council"], [""], ["area_code", "n"], ["E01000001", 3.0]]


@pytest.mark.parametrize("name", ["t.xlsx", "t.csv"])  # the content decides, not the name
def test_a_workbook_is_read_from_the_sheet_that_holds_the_columns(tmp_path: Path, name: str) -> None:
    write_workbook(tmp_path / name, {"Notes": [["Read me"]], "Data": DATA})
    table = read_user_table(tmp_path / name, None, ("area_code",))
    assert table.frame.to_numpy().tolist() == [["E01000001", "3"]]
    assert table.frame.index.tolist() == [4]
    assert table.notes == (
        f"{name}: the sheet 'Data' was read.",
        f"{name}: 1 lines above the header (line 3) were left out.",
    )


def test_two_sheets_that_may_be_meant_are_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "t.xlsx"
    write_workbook(path, {"2012": DATA, "2013": DATA})
    with pytest.raises(DataError, match="any of 2012, 2013 may be meant"):
        read_user_table(path, None, ("area_code",))
    assert len(read_user_table(path, None, ("area_code",), Layout(sheet="2013")).frame) == 1


def test_errors_and_formulas_without_a_value_are_text_and_no_blanks(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    for row in (["area_code", "n"], ["E01000001", "#REF!"], ["E01000002", "#N/A"], ["E01000003", "=1+2"]):
        sheet.append(row)
    sheet.append(["E01000004", 7])
    book.save(tmp_path / "t.xlsx")
    table = read_user_table(tmp_path / "t.xlsx", None, ("area_code",))
    assert table.frame["n"].tolist() == ["#REF!", "#N/A", "=1+2", "7"]


def test_hidden_rows_are_read_and_said(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "Counts & more"
    for row in (["area_code", "n"], ["A", 1], ["B", 2], ["C", 3]):
        sheet.append(row)
    sheet.row_dimensions[3].hidden = True
    sheet.row_dimensions[9].hidden = True  # holds nothing
    book.save(tmp_path / "t.xlsx")
    table = read_user_table(tmp_path / "t.xlsx", None, ("area_code",))
    assert table.frame["n"].tolist() == ["1", "2", "3"]
    (said,) = table.notes
    assert said.startswith("t.xlsx, sheet 'Counts & more': 1 hidden row was read like the others")


def test_hidden_columns_and_a_hidden_sheet_are_read_and_said(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.active.title = "Read me"
    sheet = book.create_sheet("Counts")
    for row in (["area_code", "n", "m"], ["A", 1, 4], ["B", 2, 5]):
        sheet.append(row)
    sheet.column_dimensions["B"].hidden = True
    sheet.column_dimensions["H"].hidden = True  # holds nothing
    sheet.sheet_state = "hidden"
    book.save(tmp_path / "t.xlsx")
    table = read_user_table(tmp_path / "t.xlsx", None, ("area_code",))
    assert table.frame["n"].tolist() == ["1", "2"]
    (said,) = table.notes
    assert said.startswith(
        "t.xlsx, sheet 'Counts': the sheet is hidden in the workbook, and was read; 1 hidden column was"
    )


def test_a_cell_merged_over_rows_holds_for_each_of_them(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    for row in (["Two places", None], ["place", "n"], ["Abbey", 1], [None, 2], ["Bridge", 3]):
        sheet.append(row)
    sheet.merge_cells("A1:B1")
    sheet.merge_cells("A3:A4")
    book.save(tmp_path / "t.xlsx")
    table = read_user_table(tmp_path / "t.xlsx", None, ("place",))
    assert table.frame["place"].tolist() == ["Abbey", "Abbey", "Bridge"]


def test_the_header_between_the_rows_is_left_out_by_its_line(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("area_code,n\nA,1\n\ufeffArea_Code,n\nB,2\n", encoding="utf-8")
    table = read_user_table(tmp_path / "t.csv", None, ("area_code",))
    assert table.frame["n"].tolist() == ["1", "2"]
    assert table.left_out == ((3, "the header again"),)
    assert table.notes == ("t.csv: 1 row repeats the header (line 3) and is left out.",)


def test_rows_with_a_field_more_than_names_are_refused_with_the_cause(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("area_code,n\n1,A,1\n2,B,2\n", encoding="utf-8")
    with pytest.raises(DataError, match="every row has 3 fields, and the header 2 names"):
        read_user_table(tmp_path / "t.csv", None, ("area_code",))


def test_a_stat_xplore_export_is_read_as_it_comes(tmp_path: Path) -> None:
    text = (
        '"Households"\n\n"Month","August 2015","August 2015 - Annotations",\n'
        '"National - Regional - LA - OAs",\n"Town 001",..,,\n"Town 002",7,,\n"Unknown",9,,\n'
        '"Total",16,,\n\nSymbol,Description\n"z","nil or negligible"\n\nSource: DWP\n'
    )
    path = tmp_path / "x.csv"
    path.write_text(text)
    area = "National - Regional - LA - OAs"
    table = read_user_table(path, None, (area,))
    assert table.frame[area].tolist() == ["Town 001", "Town 002"]
    assert table.frame["August 2015"].tolist() == ["..", "7"]
    assert [line for line, _ in table.left_out] == [7, 8]


def test_decimal_commas_are_read_where_semicolons_part_the_cells(tmp_path: Path) -> None:
    table = read(tmp_path, "area_code;n\nE01000001;1.234,5\nE01000002;0,25\n")
    assert table.frame["n"].tolist() == ["1234.5", "0.25"]
    assert "decimal comma" in table.notes[-1]


def test_a_comma_that_may_be_either_is_refused_with_both_readings(tmp_path: Path) -> None:
    said = fault(tmp_path, "area_code;n\nE01000001;1,234\nE01000002;5,678\n")
    assert "'1,234' may be 1234 or 1.234." in said


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ('area_code,n\nE01000001,"3\nE01000002,4\n', "t.csv, line 2: a quote opens here and is ne"),
        (
            'area_code,n,note\nE01,3,"x\nE02,4,y\nE03,5,z"\nE04,6,w\n',
            "t.csv, line 2: a quote opens here and includes the rows to line 4.",
        ),
        ('area_code,n\nE01000001,"3" x\n', "t.csv, line 2: there is text after a closing quote."),
        ("area_code,n\nE01000001,3,9\n", "t.csv, line 2: the row has too many fields. Found: 3."),
        ("area_code,n\nE01000001\n", "t.csv, line 2: the row has too few fields. Found: 1."),
        ("area_code,n,n\nE01000001,3,9\n", "t.csv, line 1: the header has column 'n' more than"),
        (b"area_code,n\nE\x81,3\n", "t.csv, line 2: neither UTF-8 nor Windows-1252."),
        ("area_code,n\nE01\x00,3\n", "t.csv, line 2: there is a NUL byte."),
        ("<!DOCTYPE html><html>log in</html>", "t.csv: the file is a web page, not a table."),
        (
            "area_code,n,m\nE01,3,1\n\nNotes\narea_code,n,m\nE02,4,2\n",
            "t.csv, line 5: a second table seems to begin after the notes in line 4.",
        ),
    ],
)
def test_what_cannot_be_meant_is_refused_by_its_line(tmp_path: Path, content: str | bytes, says: str) -> None:
    assert fault(tmp_path, content).startswith(says)


def test_a_repeated_column_that_nobody_asks_for_does_not_matter(tmp_path: Path) -> None:
    table = read(tmp_path, "area_code,Persons,Persons,n\nE01000001,9,8,3\n")
    assert table.frame["n"].tolist() == ["3"]


def test_a_path_too_long_is_one_message(tmp_path: Path) -> None:
    with pytest.raises(DataError):
        read_user_table(tmp_path / ("a" * 5000))


def test_a_quoted_header_over_two_lines_is_one_header(tmp_path: Path) -> None:
    table = read(tmp_path, 'area_code,"Number of\nhouseholds",n\nE01000001,9,3\n')
    assert table.frame.columns.tolist() == ["area_code", "Number of households", "n"]
    assert table.frame.index.tolist() == [3]
