"""`npm ci` builds the console from its lock alone, on every platform and from any registry."""

import json
from typing import Any

from tests.template.reading import ROOT

PACKAGE = json.loads((ROOT / "console" / "package.json").read_text())
LOCK: dict[str, dict[str, Any]] = json.loads((ROOT / "console" / "package-lock.json").read_text())[
    "packages"
]


def test_the_layer_is_built_from_the_lock() -> None:
    makefile = (ROOT / "console" / "Makefile").read_text()

    assert "npm ci --omit=dev" in makefile
    assert "npm install" not in makefile


def test_every_package_is_pinned() -> None:
    versions = {**PACKAGE["dependencies"], **PACKAGE["devDependencies"]}

    assert {name for name, version in versions.items() if not version[0].isdigit()} == set()


def test_the_lock_has_the_optional_packages_of_every_platform() -> None:
    """`npm ci` refuses a lock that lacks one, also one that this platform does not install."""
    optional = {
        name for package in LOCK.values() for name in package.get("optionalDependencies", ())
    }

    assert optional
    assert {name for name in optional if f"node_modules/{name}" not in LOCK} == set()


def test_the_lock_names_no_registry_and_every_package_is_verified() -> None:
    packages = {name: package for name, package in LOCK.items() if name}

    assert [name for name, package in packages.items() if "resolved" in package] == []
    assert [name for name, package in packages.items() if "integrity" not in package] == []
