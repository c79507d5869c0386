"""Units and residents from one CSV or XLSX sheet: all rows or none, errors by row (SI-01)."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from dataclasses import field as made

from sqlmodel import Session

from app.core import audit, inputs
from app.core.actor import Actor
from app.core.errors import GateError, InvalidInput
from app.core.permissions import Right
from app.domain.people import repository, service
from app.domain.sites import repository as sites
from app.domain.sites import service as sites_service
from app.domain.sites.models import Site
from app.domain.sites.rules import UnitKind

MAX_BYTES = 5_000_000
MAX_UNPACKED = 20 * MAX_BYTES
MAX_ROWS = 20_000
COLUMNS = {
    "unit": ("unit", "房号", "单元", "房间"),
    "kind": ("kind", "类型"),
    "building": ("building", "楼栋"),
    "name": ("name", "姓名", "称呼"),
    "phone": ("phone", "手机", "手机号", "电话"),
    "relation": ("relation", "关系"),
}
KINDS = {"": "room", "room": "room", "住宅": "room", "company": "company", "公司": "company"}
RELATIONS = {
    "": "owner",
    "owner": "owner",
    "业主": "owner",
    "member": "member",
    "家人": "member",
    "tenant": "tenant",
    "租户": "tenant",
    "host": "host",
    "员工": "host",
}


@dataclass(frozen=True, slots=True)
class RowError:
    """What is wrong with one row, as the sheet counts rows."""

    row: int
    field: str
    code: str
    params: dict[str, str | int] = made(default_factory=dict)


@dataclass(slots=True)
class ImportResult:
    """How much was entered; when there are errors nothing was."""

    units: int = 0
    people: int = 0
    errors: list[RowError] = made(default_factory=list)


class ImportRejected(GateError):
    """Raised out of the transaction, so that nothing of a bad sheet stays; carries the result."""

    status = 422

    def __init__(self, result: ImportResult) -> None:
        super().__init__("import_rejected", count=len(result.errors))
        self.result = result


def read_rows(data: bytes, filename: str) -> Iterator[tuple[int, dict[str, str]]]:
    """Row number and cells of each filled row; raises ``InvalidInput`` on a file that is no such sheet."""
    if len(data) > MAX_BYTES:
        raise InvalidInput("file_large", "file", maximum=MAX_BYTES // 1_000_000)
    table: Iterable[Sequence[object]] = (
        _xlsx(data) if data[:2] == b"PK" or filename.lower().endswith(".xlsx") else _csv(data)
    )
    header: list[str] = []
    for number, cells in enumerate(table, start=1):
        texts = [inputs.clean(str(cell)) if cell is not None else "" for cell in cells]
        if not any(texts):
            continue
        if not header:
            header = [_column(text) for text in texts]
            if "unit" not in header or "name" not in header:
                raise InvalidInput("import_header", "file")
            continue
        if number > MAX_ROWS:
            raise InvalidInput("import_long", "file", maximum=MAX_ROWS)
        yield number, {name: text for name, text in zip(header, texts, strict=False) if name}


def import_residents(
    session: Session, actor: Actor, site_id: str, data: bytes, filename: str
) -> ImportResult:
    """Enter all rows; raises ``ImportRejected`` with every row's error when any is wrong."""
    actor.require(Right.PEOPLE_EDIT, site_id)
    result = ImportResult()
    site = sites.site(session, site_id)
    areas = {area.name: area.id for area in sites.areas(session, site_id)}
    seen: set[tuple[str, str]] = set()
    for number, row in read_rows(data, filename):
        try:
            _enter(session, site, areas, row, seen, result)
        except InvalidInput as error:
            result.errors.append(RowError(number, error.field, error.code, error.params))
    if not result.errors and not result.people:
        result.errors.append(RowError(1, "file", "import_empty"))
    if result.errors:
        raise ImportRejected(result)
    audit.record(
        session,
        actor,
        "people.import",
        "site",
        site_id,
        site_id=site_id,
        details={"units": result.units, "people": result.people},
    )
    return result


def add_resident(session: Session, actor: Actor, site_id: str, row: dict[str, str]) -> None:
    """Enter one person of one unit by the rules of a sheet's row; a unit that is new is made."""
    actor.require(Right.PEOPLE_EDIT, site_id)
    areas = {area.name: area.id for area in sites.areas(session, site_id)}
    result = ImportResult()
    _enter(session, sites.site(session, site_id), areas, row, set(), result)
    audit.record(
        session, actor, "people.add", "site", site_id, site_id=site_id, details={"units": result.units}
    )


def _enter(
    session: Session,
    site: Site,
    areas: dict[str, str],
    row: dict[str, str],
    seen: set[tuple[str, str]],
    result: ImportResult,
) -> None:
    label = inputs.name(row.get("unit", ""), "unit")
    name = inputs.name(row.get("name", ""))
    phone = inputs.phone(row.get("phone", ""))
    kind, relation = KINDS.get(row.get("kind", "")), RELATIONS.get(row.get("relation", ""))
    if kind is None:
        raise InvalidInput("choice_wrong", "kind")
    if relation is None:
        raise InvalidInput("choice_wrong", "relation")
    if (label, phone) in seen:
        raise InvalidInput("import_twice", "phone")
    seen.add((label, phone))
    building = row.get("building", "")
    if building and building not in areas:
        areas[building] = sites_service.add_area(session, site, building).id
    unit = sites.unit_by_label(session, site.id, label)
    if unit is None:
        unit = sites_service.add_unit(session, site.id, label, UnitKind(kind), areas.get(building))
        result.units += 1
    person = repository.by_phone(session, site.id, phone, (service.RESIDENT,))
    if person is None:
        person = service.add_person(session, site.id, service.RESIDENT, name, phone)
    if any(member.person_id == person.id for member, _ in repository.members(session, unit.id)):
        raise InvalidInput("import_known", "phone", unit=label)
    service.join_unit(session, unit.id, person.id, relation)
    result.people += 1


def _column(text: str) -> str:
    lowered = text.lower()
    return next((name for name, spellings in COLUMNS.items() if lowered in spellings), "")


def _csv(data: bytes) -> Iterator[list[str]]:
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            decoded = data.decode(encoding)
            break
        except UnicodeDecodeError:
            continue
    else:
        raise InvalidInput("file_unreadable", "file")
    if "\0" in decoded:
        raise InvalidInput("file_unreadable", "file")
    try:
        yield from csv.reader(io.StringIO(decoded, newline=""))
    except csv.Error as error:
        raise InvalidInput("file_unreadable", "file") from error


def _xlsx(data: bytes) -> Iterator[list[object]]:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            if sum(part.file_size for part in archive.infolist()) > MAX_UNPACKED:
                raise InvalidInput("file_large", "file", maximum=MAX_BYTES // 1_000_000)
        from openpyxl import load_workbook  # its 10 MB are wanted on the day of an import only

        sheet = load_workbook(io.BytesIO(data), read_only=True, data_only=True).worksheets[0]
        for row in sheet.iter_rows(values_only=True):
            yield list(row)
    except GateError:
        raise
    except Exception as error:  # a damaged workbook makes the reader fail in any way it likes
        raise InvalidInput("file_unreadable", "file") from error
