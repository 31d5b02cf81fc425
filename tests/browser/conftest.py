"""The console in a real browser, on a stack of its own."""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Response, sync_playwright

from loupe_cli.sign_ins import ready_made
from tests.browser.attacker import HOST
from tests.stack.conftest import ROOT, Stack, built, fresh, own_name

__all__ = ["built"]

PICTURES = ROOT / "build" / "screenshots"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
WIDTH, HEIGHT = 1280, 900


def browser_path() -> str:
    """Where Chromium is; `make test` installs it where it can."""
    for name in BROWSERS:
        if path := shutil.which(name):
            return path
    pytest.skip("The console was not tested: it needs Chromium ('apt-get install chromium').")


@dataclass
class Console:
    """The running console, and who may sign in."""

    stack: Stack
    browser: Browser
    passwords: dict[str, str]
    faults: list[str] = field(default_factory=list)

    @property
    def url(self) -> str:
        return self.stack.endpoint.console_url

    def open(self, role: str = "", width: int = WIDTH, dark: bool = False) -> Page:
        """A page of its own; with `role` it is signed in. Errors and foreign requests are noted."""
        context = self.browser.new_context(
            viewport={"width": width, "height": HEIGHT},
            color_scheme="dark" if dark else "light",
        )
        page = context.new_page()
        page.set_default_timeout(30_000)
        page.on("console", lambda m: self.faults.append(m.text) if m.type == "error" else None)
        page.on("pageerror", lambda error: self.faults.append(str(error)))
        page.on("response", self._note)
        page.on("request", lambda request: self._check(request.url))
        page.goto(self.url, timeout=60_000)  # The function may start cold on a busy machine.
        if role:
            self.sign_in(page, role, self.passwords[role])
        return page

    def sign_in(self, page: Page, name: str, password: str) -> None:
        page.get_by_label("Name").fill(name)
        page.get_by_label("Password").fill(password)
        page.get_by_role("button", name="Sign in").click()
        page.locator("#top").wait_for()

    def token(self, page: Page) -> str:
        return str(page.evaluate("JSON.parse(sessionStorage['loupe-session']).idToken"))

    def _note(self, response: Response) -> None:
        if response.status >= 400 and "/api/" in response.url:
            self.faults.append(f"{response.status} {response.url} {response.text()}")

    def _check(self, url: str) -> None:
        if not url.startswith(("http://127.0.0.1:", "data:", "blob:")):
            self.faults.append(f"a request left the machine: {url}")


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        # A sandbox of its own needs rights that a build container does not give.
        launched = playwright.chromium.launch(
            executable_path=browser_path(),
            args=[
                "--no-sandbox",
                "--disable-dev-shm-usage",
                f"--host-resolver-rules=MAP {HOST} 127.0.0.1",
            ],
        )
        yield launched
        launched.close()


@pytest.fixture(scope="module")
def console(
    built: None,
    browser: Browser,
    tmp_path_factory: pytest.TempPathFactory,
    request: pytest.FixtureRequest,
) -> Iterator[Console]:
    for stack in fresh(own_name(request)):
        pool = stack.outputs["UserPoolId"]
        users = ready_made(stack.client("cognito-idp"), pool, tmp_path_factory.mktemp("users"))
        yield Console(stack, browser, users)


@pytest.fixture
def picture() -> Callable[[Page, str], None]:
    """Keeps a screenshot for the docs."""

    def keep(page: Page, name: str) -> None:
        PICTURES.mkdir(parents=True, exist_ok=True)
        page.wait_for_timeout(300)
        page.screenshot(path=PICTURES / f"{name}.png")

    return keep


def write_files(folder: Path, files: dict[str, bytes]) -> list[Path]:
    """Files to choose in the page."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for name, body in files.items():
        path = folder / name
        path.write_bytes(body)
        paths.append(path)
    return paths
