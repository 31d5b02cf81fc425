"""Mutation run over domain and services: `make mutants`, or `SAMPLE=500 SEED=7 make mutants`.

mutmut changes the code in one place at a time; a change that no test notices survives. Survivors
are listed with their diff in build/mutants/survivors.txt. Exit code 1 if too few are killed.
"""

import json
import os
import random
import shutil
import subprocess
import sys
import tomllib
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path

ROOT = Path(__file__).parents[1]
BUILD = ROOT / "build" / "mutants"
PACKAGES = BUILD / "packages"
WORKSPACE = BUILD / "workspace"
SURVIVORS = BUILD / "survivors.txt"

MINIMUM = 0.85
"""Share of the mutants that the tests must kill."""

MUTATED = ("domain", "services")
TESTS = ("tests/domain", "tests/services")
WORKERS = 2
SMALL_MODULE = "loupe.domain.sampling.*"
"""mutmut makes the list of all mutants when it runs some: these are few."""

READ_BY_TESTS = (
    *("cli", "docs", "events", "functions", "local", "stacks", "statemachine", "tests", "tools"),
    *("requirements.txt", "samconfig.toml", "template.yaml"),
)
UNTESTED_LINES = [
    r"\blogger\.",  # The texts of the log are for people who search for a fault.
]
"""Statements that begin on a line with one of these patterns are not mutated."""

STATES = {
    **dict.fromkeys((1, 3), "killed"),
    **dict.fromkeys((36, 24, -24, 152, 255), "timeout"),
    **dict.fromkeys((5, 33), "untested"),
    0: "survived",
}
"""What mutmut's exit code of a mutant says; any other one is `broken`, and counts as not killed."""

RUN = "from mutmut.__main__ import cli; cli()"
DIFFS = """
import sys
from mutmut.mutation.diff_apply import find_mutant, get_diff_for_mutant
for name in sys.stdin.read().split():
    print("#", name)
    print(get_diff_for_mutant(name, path=find_mutant(name).path))
"""


def main(environment: Mapping[str, str]) -> int:
    """0, or 1 when the tests kill too few."""
    install()
    make_workspace()
    sample, seed = environment.get("SAMPLE", ""), environment.get("SEED", "0")
    if sample:
        mutmut(RUN, "run", SMALL_MODULE, "--max-children", str(WORKERS))
        names = choose(results(), int(sample), seed)
        mutmut(RUN, "run", *names, "--max-children", str(WORKERS))
        states = {name: state for name, state in results().items() if name in set(names)}
    else:
        mutmut(RUN, "run", "--max-children", str(WORKERS))
        states = results()
    write_survivors(states)
    lines, failed = judge(states)
    print("\n".join(lines))
    return failed


def choose(names: Iterable[str], count: int, seed: str) -> list[str]:
    """`count` of the names: the same for the same seed and code."""
    ordered = sorted(names)
    return random.Random(seed).sample(ordered, min(count, len(ordered)))


def judge(states: Mapping[str, str]) -> tuple[list[str], bool]:
    """What to print about `{mutant: state}`, and whether too few are killed."""
    modules: dict[str, Counter[str]] = {}
    for name, state in states.items():
        modules.setdefault(module_of(name), Counter())[state] += 1
    total = sum(modules.values(), Counter())
    lines = [describe(module, count) for module, count in sorted(modules.items())]
    lines += [describe("all", total), f"Survivors: {SURVIVORS.relative_to(ROOT)}"]
    return lines, share_killed(total) < MINIMUM


def describe(title: str, count: Counter[str]) -> str:
    """One line: the share that is killed, and the number in each state."""
    numbers = ", ".join(f"{number} {state}" for state, number in count.most_common())
    return f"{share_killed(count):6.1%}  {title}: {numbers}"


def share_killed(count: Counter[str]) -> float:
    """A mutant that never ends is noticed as well."""
    return (count["killed"] + count["timeout"]) / count.total()


def module_of(name: str) -> str:
    """`loupe.domain.sampling.x_every_nth__mutmut_1` is in `loupe.domain.sampling`."""
    return name.rpartition(".")[0]


def install() -> None:
    """mutmut's packages, beside .venv."""
    if not PACKAGES.exists():
        pip = (sys.executable, "-m", "pip", "install", "--quiet", "--no-deps")
        requirements = ROOT / "tools" / "mutants.txt"
        subprocess.run([*pip, "--target", PACKAGES, "-r", requirements], check=True)


def make_workspace() -> None:
    """A folder as mutmut needs it: the code in `src/`, everything else linked to its place."""
    shutil.rmtree(WORKSPACE, ignore_errors=True)
    WORKSPACE.mkdir(parents=True)
    for name in READ_BY_TESTS:
        (WORKSPACE / name).symlink_to(ROOT / name)
    (WORKSPACE / "src").symlink_to(ROOT / "functions")
    (WORKSPACE / "pyproject.toml").write_text(configuration((ROOT / "pyproject.toml").read_text()))


def configuration(project: str) -> str:
    """pyproject.toml, with tests that import from `src/` and with mutmut's settings."""
    path = tomllib.loads(project)["tool"]["pytest"]["ini_options"]["pythonpath"]
    changed = ["src" if name == "functions" else name for name in path]
    settings = {
        "source_paths": ["src"],
        "only_mutate": [f"src/loupe/{name}/*" for name in MUTATED],
        "do_not_mutate_patterns": UNTESTED_LINES,
        "also_copy": READ_BY_TESTS,
        "pytest_add_cli_args_test_selection": TESTS,
        "pytest_add_cli_args": ["-p", "no:cacheprovider"],
    }
    lines = [f"{name} = {json.dumps(value)}" for name, value in settings.items()]
    return "\n".join(
        [
            project.replace(
                f"pythonpath = {json.dumps(path)}", f"pythonpath = {json.dumps(changed)}"
            ),
            "[tool.mutmut]",
            *lines,
            "use_git_change_detection = false",
        ]
    )


def mutmut(code: str, *arguments: str, names: Iterable[str] = ()) -> str:
    """Run mutmut's code in the workspace; returns its output if it is handed names."""
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        cwd=WORKSPACE,
        env={**os.environ, "PYTHONPATH": str(PACKAGES)},
        input="\n".join(names) or None,
        stdout=subprocess.PIPE if names else None,
        text=True,
        check=True,
    )
    return done.stdout or ""


def results() -> dict[str, str]:
    """`{mutant: state}`, as mutmut keeps them."""
    codes: dict[str, int] = {}
    for file in (WORKSPACE / "mutants" / "src").rglob("*.meta"):
        codes |= json.loads(file.read_text())["exit_code_by_key"]
    return {name: STATES.get(code, "broken") for name, code in codes.items()}


def write_survivors(states: Mapping[str, str]) -> None:
    """The diff of each mutant that no test kills."""
    names = sorted(name for name, state in states.items() if state in ("survived", "untested"))
    SURVIVORS.write_text(mutmut(DIFFS, names=names) if names else "")


if __name__ == "__main__":
    sys.exit(main(os.environ))
