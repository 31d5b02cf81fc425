"""Every name of MiniStack that is patched or called is there: an upgrade fails here, by name."""

import ast
from pathlib import Path

import pytest

from tests.local.ministack.names import PACKAGE, names_in, resolve

ROOT = Path(__file__).parents[3]
FOLDER = ROOT / "local" / "loupe_local" / "ministack"
SOURCES = sorted(FOLDER.rglob("*.py"))
ELSEWHERE = sorted(
    path
    for place in ("functions", "local", "cli", "tools", "benchmarks")
    for path in (ROOT / place).rglob("*.py")
    if not path.is_relative_to(FOLDER)
)
FEWEST = 150
"""Names there are at least: a reader of sources that overlooked them would find fewer."""


def missing(source: str) -> list[str]:
    """The names in a source that MiniStack does not have."""
    failures = []
    for name in names_in(source):
        try:
            resolve(name)
        except LookupError as error:
            failures.append(f"line {name.line}: {error}")
    return failures


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(FOLDER)))
def test_ministack_has_every_name_that_is_patched_or_called(path: Path) -> None:
    assert missing(path.read_text()) == []


def test_names_are_read_from_the_sources() -> None:
    names = {str(name) for path in SOURCES for name in names_in(path.read_text())}

    assert len(names) >= FEWEST
    assert "ministack.services.stepfunctions._start_sync_execution" in names
    assert "ministack.services.cloudformation.provisioners._RESOURCE_HANDLERS.AWS::S3::Bucket" in (
        names
    )


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("from ministack.services import sqz", "ministack.services.sqz"),
        ("import ministack.ap\nministack.ap.app", "ministack.ap"),
        ("import ministack.app\nministack.app.save_al = None", "ministack.app.save_al"),
        ("from ministack.services import sqs\nsqs._queuez.all_items()", "sqs._queuez"),
        ("from ministack.services import sqs\nsqs._queues.all_itemz()", "_queues.all_itemz"),
        (
            "from ministack.services.cloudformation import provisioners\n"
            "KIND = 'AWS::S3::Bukket'\n"
            "provisioners._RESOURCE_HANDLERS[KIND]['delete'] = None",
            "AWS::S3::Bukket",
        ),
        (
            "from ministack.core.responses import AccountRegionScopedDict\n"
            "class Positions(AccountRegionScopedDict):\n"
            "    def key(self, name): return self._scopd(name)",
            "AccountRegionScopedDict._scopd",
        ),
        (
            "from ministack.services import stepfunctions\n"
            "def call():\n"
            "    try: ...\n"
            "    except stepfunctions._ExecutionError as error: print(error.kause)",
            "_ExecutionError.kause",
        ),
    ],
)
def test_a_wrong_name_is_named(source: str, name: str) -> None:
    failures = missing(source)

    assert failures
    assert all(name in failure for failure in failures)


def test_a_name_that_is_made_up_while_it_runs_is_refused() -> None:
    with pytest.raises(ValueError, match="line 2"):
        missing("from ministack.services import sqs\nsetattr(sqs, '_' + 'queues', {})")


@pytest.mark.parametrize("path", ELSEWHERE, ids=lambda path: str(path.relative_to(ROOT)))
def test_nothing_else_imports_ministack(path: Path) -> None:
    modules = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            modules |= {name.name.partition(".")[0] for name in node.names}
        elif isinstance(node, ast.ImportFrom):
            modules.add((node.module or "").partition(".")[0])

    assert PACKAGE not in modules
