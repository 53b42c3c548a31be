"""pytest: the fixture `treering_records`, and the records of failed tests in the report.

A plugin that is there as soon as Treering is installed, and does nothing until a test asks for it or one
of its two options in pytest's configuration does: `treering_capture`, `treering_caplog`.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, overload

import pytest

import treering
from treering import _core

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator
    from pathlib import Path
    from typing import Any

_SHOWN_RECORDS = 200
_PARTS = ("metadata", "context", "performance_data")
_OWN = "treering.journal"


class Records(Sequence["dict[str, Any]"]):
    """What has been logged since the test began, by this process and its children, oldest first.

    Each record is a dict as `docs/concepts/record.md` has it. Reading waits until everything logged
    before is there.

    Attributes:
        directory: The journal that the records are in.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._begin: dict[str, int] = {str(directory): _end(directory)}
        self._after = ""

    def __repr__(self) -> str:
        return f"<Records of the test: {self.messages}>"

    def __len__(self) -> int:
        return len(self._read())

    @overload
    def __getitem__(self, index: int) -> dict[str, Any]: ...
    @overload
    def __getitem__(self, index: slice) -> list[dict[str, Any]]: ...
    def __getitem__(self, index: int | slice) -> dict[str, Any] | list[dict[str, Any]]:
        return self._read()[index]

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return iter(self._read())

    @property
    def messages(self) -> list[str]:
        """The messages."""
        return [record["message"] for record in self]

    @property
    def text(self) -> str:
        """The records as the console shows them, one after the other."""
        return "".join(_core.render(line).decode() for line in self._lines())

    def of(
        self,
        *,
        level: object = None,
        component: str | None = None,
        category: str | None = None,
        **fields: object,
    ) -> list[dict[str, Any]]:
        """The records for which all of this is so.

        Args:
            level: Exactly this level.
            component: This component, or one below it.
            category: This category.
            **fields: Fields with these values, in any part of the record.
        """
        name = None if level is None else treering.level_name(treering.level_number(level))
        return [
            record
            for record in self
            if name in {None, record["level"]}
            and category in {None, record.get("category")}
            and (component is None or f"{record.get('component')}.".startswith(f"{component}."))
            and all(_field(record, key) == value for key, value in fields.items())
        ]

    def has(self, message: str, **conditions: Any) -> bool:
        """Whether there is a record whose message contains `message`, with conditions as `of` takes them."""
        return any(message in record["message"] for record in self.of(**conditions))

    def clear(self) -> None:
        """Forgets what has been logged so far."""
        self._lines()
        self._begin = {directory: _end(directory) for directory in self._begin}

    def _read(self) -> list[dict[str, Any]]:
        records: list[dict[str, Any]] = [json.loads(line) for line in self._lines()]
        return [record for record in records if record.get("component") != _OWN]

    def _lines(self) -> list[bytes]:
        from treering.journal import Journal

        treering.flush()
        # The test may have configured another journal; what it logged there counts as well.
        configured = treering.get_logging_config().directory
        if configured is not None:
            self._begin.setdefault(str(configured), 0)
        return [
            line
            for directory, begin in self._begin.items()
            for _, line in Journal(directory).records(begin)
        ]


def _end(directory: Path | str) -> int:
    from treering.journal import Journal

    return Journal(directory).end


def _field(record: dict[str, Any], name: str) -> object:
    for part in _PARTS:
        if name in record.get(part, ()):
            return record[part][name]
    return record.get(name)


_RECORDS = pytest.StashKey[Records]()
_JOURNAL = pytest.StashKey["Path"]()


@pytest.fixture
def treering_records(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Generator[Records, None, None]:
    """What the test logs, at every level; the configuration is put back afterwards."""
    before = treering.get_logging_config() if _core.is_started() else None
    directory = request.session.stash.get(_JOURNAL, None)
    if directory is None:
        directory = tmp_path_factory.mktemp("treering") / "logs"
        request.session.stash[_JOURNAL] = directory
    treering.configure(directory=directory, seal=False, console=False, level="TRACE")
    records = request.node.stash[_RECORDS] = Records(directory)
    yield records
    del request.node.stash[_RECORDS]
    if before is None:
        treering.shutdown()
    else:
        treering.configure(None, **before.values)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Names the two options."""
    parser.addini(
        "treering_capture",
        "Capture Treering's records in every test, to show them when it fails.",
        type="bool",
        default=False,
    )
    parser.addini(
        "treering_caplog",
        "Send Treering's records to `logging` as well, so that caplog has them.",
        type="bool",
        default=False,
    )


class _CaptureEverywhere:
    @pytest.fixture(autouse=True)
    def _treering_capture(self, treering_records: Records) -> None: ...


def pytest_configure(config: pytest.Config) -> None:
    """Does what the options ask for."""
    if config.getini("treering_capture"):
        config.pluginmanager.register(_CaptureEverywhere(), "treering-capture")
    if config.getini("treering_caplog"):
        from treering.integrations import _caplog

        _caplog.forward()
        config.add_cleanup(_caplog.stop)


def pytest_sessionstart(session: pytest.Session) -> None:
    """Has `treering.capture_stdlib()` leave caplog its handlers."""
    plugin = session.config.pluginmanager.getplugin("logging-plugin")
    for name in ("caplog_handler", "report_handler"):
        handler = getattr(plugin, name, None)
        if handler is not None:
            handler.treering_stays = True


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Shows the records of a failed test."""
    report = yield
    records = item.stash.get(_RECORDS, None)
    if report.failed and records is not None:
        lines = records.text.splitlines(keepends=True)
        shown = "".join(lines[-_SHOWN_RECORDS:])
        if len(lines) > _SHOWN_RECORDS:
            shown = f"… {len(lines) - _SHOWN_RECORDS} lines before\n{shown}"
        if shown:
            report.sections.append(("Captured treering records", shown))
    return report
