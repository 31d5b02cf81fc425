"""Business rule: handlers, console -> services -> domain, adapters; adapters -> domain."""

import ast
from collections.abc import Iterator
from graphlib import TopologicalSorter

import pytest

from tests.template.reading import ROOT

SOURCE = ROOT / "functions"
PACKAGE = SOURCE / "loupe"
MODULES = {
    ".".join(path.relative_to(SOURCE).with_suffix("").parts): path
    for path in sorted(PACKAGE.rglob("*.py"))
    if path.name != "__init__.py"
}
COMMON = {"loupe.errors", "loupe.faults", "loupe.telemetry"}
"""What every layer but the domain may use."""
MAY_IMPORT = {
    "domain": {"loupe.domain", "loupe.errors"},
    "adapters": {"loupe.adapters", "loupe.domain", *COMMON},
    "services": {"loupe.services", "loupe.adapters", "loupe.domain", "loupe.wiring", *COMMON},
    "console": {"loupe.console", "loupe.services", "loupe.domain", "loupe.wiring", *COMMON},
    "handlers": {"loupe.services", "loupe.domain", "loupe.wiring", "loupe.correlation"},
}
FRONT_DOOR = "loupe.handlers.serve_console"
"""The one handler whose service is the console's routes."""
IMPURE = {
    "aws_lambda_powertools",
    "boto3",
    "botocore",
    "http",
    "os",
    "secrets",
    "socket",
    "subprocess",
    "time",
    "urllib.request",
    "uuid",
}
"""What pure rules have no use for: services, the environment, the clock, chance."""


def tree(module: str) -> ast.Module:
    """The module's source as a tree."""
    return ast.parse(MODULES[module].read_text(), str(MODULES[module]))


def imported(module: str) -> set[str]:
    """Full names of the modules that `module` imports."""
    found: set[str] = set()
    for node in ast.walk(tree(module)):
        if isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module} imports relatively"
            modules = {f"{node.module}.{n.name}" for n in node.names} & set(MODULES)
            found |= modules if len(modules) == len(node.names) else {*modules, node.module or ""}
    return found


def layer(module: str) -> str:
    """`domain`, `adapters`, `handlers`, or the module's own name."""
    return module.split(".")[1]


def inside(layer_name: str) -> list[str]:
    """The modules of a layer."""
    return [module for module in MODULES if layer(module) == layer_name]


def allowed(name: str, may: set[str]) -> bool:
    """Whether `name` is, or is inside, something that may be imported."""
    return any(name == each or name.startswith(f"{each}.") for each in may)


def reads_of(module: str, owners: set[str], names: set[str]) -> Iterator[str]:
    """`owner.name` wherever the module speaks of one."""
    for node in ast.walk(tree(module)):
        if (
            isinstance(node, ast.Attribute)
            and isinstance(node.value, ast.Name)
            and node.value.id in owners
            and node.attr in names
        ):
            yield f"{node.value.id}.{node.attr}"


def looks_at_the_clock(module: str) -> list[str]:
    """Where a module asks for the time of now."""
    clock = {"now", "utcnow", "today", "time", "monotonic"}
    return list(reads_of(module, {"datetime", "date", "time"}, clock))


def reads_the_environment(module: str) -> list[str]:
    """Where a module reads environment variables."""
    return list(reads_of(module, {"os"}, {"environ", "getenv"}))


@pytest.mark.parametrize("name", MAY_IMPORT)
def test_a_layer_has_modules(name: str) -> None:
    assert inside(name)


@pytest.mark.parametrize("module", [m for name in MAY_IMPORT for m in inside(name)])
def test_a_module_imports_only_what_is_below_it(module: str) -> None:
    own = {name for name in imported(module) if allowed(name, {"loupe"})}
    may = MAY_IMPORT[layer(module)] | ({"loupe.console"} if module == FRONT_DOOR else set())
    too_high = {name for name in own if not allowed(name, may)}

    assert not too_high


@pytest.mark.parametrize("module", inside("domain"))
def test_the_domain_knows_no_service_environment_or_clock(module: str) -> None:
    assert not {name for name in imported(module) if allowed(name, IMPURE)}
    assert not looks_at_the_clock(module)


@pytest.mark.parametrize("module", ["loupe.errors"])
def test_what_the_domain_stands_on_is_pure_too(module: str) -> None:
    assert not {name for name in imported(module) if allowed(name, IMPURE)}
    assert not {name for name in imported(module) if allowed(name, {"loupe"})}


def test_no_circle_of_imports() -> None:
    graph = {module: imported(module) & set(MODULES) for module in MODULES}

    order = list(TopologicalSorter(graph).static_order())  # raises CycleError that names them

    assert set(order) >= set(MODULES)


def test_only_adapters_know_the_table_and_the_services_errors() -> None:
    outside = [m for m in MODULES if layer(m) not in ("adapters", "wiring", "faults")]

    assert not [m for m in outside if list(reads_of(m, {"deps", "self"}, {"table", "client"}))]
    assert not [m for m in outside if {n for n in imported(m) if allowed(n, {"botocore"})}]
    assert not [m for m in outside for n in imported(m) if n == "loupe.adapters.table"]


def test_the_environment_and_the_clock_are_read_in_one_place() -> None:
    assert [m for m in MODULES if reads_the_environment(m)] == ["loupe.wiring"]
    assert [m for m in MODULES if looks_at_the_clock(m)] == ["loupe.wiring"]


def test_clients_are_built_in_one_place() -> None:
    builders = [m for m in MODULES if any(allowed(name, {"boto3"}) for name in imported(m))]

    assert builders == ["loupe.wiring"]


def test_deployed_code_needs_no_tools() -> None:
    tools = {"loupe_local", "loupe_cli", "moto", "pytest", "typer", "numpy", "tests", "tools"}

    assert not [m for m in MODULES for name in imported(m) if allowed(name, tools)]
