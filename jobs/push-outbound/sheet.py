"""Writes one table as a real spreadsheet (.xlsx, Office Open XML, ECMA-376) with the standard library alone.

The same table gives the same bytes. Text stays text: nothing in a cell can become a formula.
"""

import re
import zipfile
from datetime import date

MAIN = 'http://schemas.openxmlformats.org/spreadsheetml/2006/main'
OFFICE = 'http://schemas.openxmlformats.org/officeDocument/2006/relationships'
PACKAGE = 'http://schemas.openxmlformats.org/package/2006'
KIND = 'application/vnd.openxmlformats-officedocument.spreadsheetml'
XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'

# Positions in cellXfs of STYLES.
PLAIN, HEADER, DATE, QUOTED = 0, 1, 2, 3
STYLES = f"""{XML}<styleSheet xmlns="{MAIN}">
<numFmts count="1"><numFmt numFmtId="164" formatCode="yyyy\\-mm\\-dd"/></numFmts>
<fonts count="2"><font><sz val="11"/><name val="Calibri"/></font>
<font><b/><sz val="11"/><name val="Calibri"/></font></fonts>
<fills count="2"><fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill></fills>
<borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders>
<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs>
<cellXfs count="4">
<xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/>
<xf numFmtId="0" fontId="1" fillId="0" borderId="0" xfId="0" applyFont="1"/>
<xf numFmtId="164" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/>
<xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0" quotePrefix="1"/>
</cellXfs>
<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles>
</styleSheet>"""
CONTENT_TYPES = f"""{XML}<Types xmlns="{PACKAGE}/content-types">
<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>
<Default Extension="xml" ContentType="application/xml"/>
<Override PartName="/xl/workbook.xml" ContentType="{KIND}.sheet.main+xml"/>
<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{KIND}.worksheet+xml"/>
<Override PartName="/xl/styles.xml" ContentType="{KIND}.styles+xml"/>
</Types>"""

# Control characters and half surrogate pairs: XML 1.0 has no place for them, escaped or not.
UNWANTED = re.compile('[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff]')
# Spreadsheets read _x0041_ in a cell as the letter A, so that a literal one has to be escaped itself.
ESCAPE_LOOKALIKE = re.compile('_(?=x[0-9A-Fa-f]{4}_)')
LONGEST = 32_767  # characters in a cell, a limit of Excel


def write_sheet(path, title, columns, rows):
    """Writes `rows` (lists of text, numbers, dates or None) under bold, frozen, filterable headers.

    `columns` is a list of (name, width in characters); `title` names the sheet, at most 31 characters.
    """
    names = [name for name, _ in columns]
    area = f'A1:{letters(len(columns))}{len(rows) + 1}'
    fixed = re.sub(r'(\w+?)(\d+)', r'$\1$\2', area)
    body = ''.join(row_xml(number, row) for number, row in enumerate(rows, start=2))
    widths = ''.join(
        f'<col min="{at}" max="{at}" width="{width}" customWidth="1"/>' for at, (_, width) in enumerate(columns, 1)
    )
    sheet = f"""{XML}<worksheet xmlns="{MAIN}"><dimension ref="{area}"/>
<sheetViews><sheetView tabSelected="1" workbookViewId="0"><pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" \
state="frozen"/><selection pane="bottomLeft" activeCell="A2" sqref="A2"/></sheetView></sheetViews>
<sheetFormatPr defaultRowHeight="15"/><cols>{widths}</cols>
<sheetData>{row_xml(1, names, HEADER)}{body}</sheetData><autoFilter ref="{area}"/></worksheet>"""
    # LibreOffice and older Excel take the filter from this hidden name.
    workbook = f"""{XML}<workbook xmlns="{MAIN}" xmlns:r="{OFFICE}"><bookViews><workbookView/></bookViews>
<sheets><sheet name="{escape(title)}" sheetId="1" r:id="rId1"/></sheets><definedNames><definedName \
name="_xlnm._FilterDatabase" localSheetId="0" hidden="1">'{escape(title.replace("'", "''"))}'!{fixed}</definedName>\
</definedNames></workbook>"""
    with zipfile.ZipFile(path, 'w', zipfile.ZIP_DEFLATED) as package:
        for name, text in (
            ('[Content_Types].xml', CONTENT_TYPES),
            ('_rels/.rels', relations('officeDocument', 'xl/workbook.xml')),
            ('xl/workbook.xml', workbook),
            ('xl/_rels/workbook.xml.rels', relations('worksheet', 'worksheets/sheet1.xml', 'styles', 'styles.xml')),
            ('xl/styles.xml', STYLES),
            ('xl/worksheets/sheet1.xml', sheet),
        ):
            part = zipfile.ZipInfo(name)  # dated 1980, always: the clock must not change the bytes
            part.compress_type = zipfile.ZIP_DEFLATED
            package.writestr(part, text.encode('utf-8'))


def relations(*kinds_and_targets):
    pairs = zip(kinds_and_targets[::2], kinds_and_targets[1::2])
    links = ''.join(
        f'<Relationship Id="rId{at}" Type="{OFFICE}/{kind}" Target="{target}"/>'
        for at, (kind, target) in enumerate(pairs, start=1)
    )
    return f'{XML}<Relationships xmlns="{PACKAGE}/relationships">{links}</Relationships>'


def row_xml(number, values, style=None):
    cells = ''.join(cell(f'{letters(at)}{number}', value, style) for at, value in enumerate(values, start=1))
    return f'<row r="{number}">{cells}</row>'


def cell(at, value, style=None):
    if value is None or value == '':
        return ''
    if isinstance(value, date) and value >= date(1900, 3, 1):
        # Days since 1899-12-30; earlier dates are wrong in Excel, which believes in 29 February 1900.
        return f'<c r="{at}" s="{DATE}"><v>{value.toordinal() - date(1899, 12, 30).toordinal()}</v></c>'
    if isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < 1e15:  # NaN fails this too
        return f'<c r="{at}" s="{PLAIN if style is None else style}"><v>{value!r}</v></c>'
    text = clean(str(value))
    if style is None:
        # The prefix keeps "=1+1" a text even when somebody edits the cell or a tool retypes it.
        style = QUOTED if text.lstrip().startswith(('=', '+', '-', '@')) else PLAIN
    return f'<c r="{at}" s="{style}" t="inlineStr"><is><t xml:space="preserve">{escape(text)}</t></is></c>'


def clean(text):
    text = UNWANTED.sub('', text.replace('\r\n', '\n').replace('\r', '\n').replace('\t', ' '))[:LONGEST]
    return ESCAPE_LOOKALIKE.sub('_x005F_', text)


def escape(text):
    return text.replace('&', '&amp;').replace('<', '&lt;').replace('>', '&gt;').replace('"', '&quot;')


def letters(column):
    """1 → A, 27 → AA."""
    name = ''
    while column:
        column, rest = divmod(column - 1, 26)
        name = chr(65 + rest) + name
    return name
