"""Workers' pages: a flow definition's own Liquid template, rendered as Amazon A2I renders it."""

import json
import re
from importlib import resources
from typing import Any

from liquid import Environment, StrictUndefined
from liquid.exceptions import LiquidError
from markupsafe import Markup

from loupe_local.http.wire import Json, ServiceError
from loupe_local.objects import Location, Objects

PAGES = resources.files(__package__) / "pages"
CROWD_SCRIPT = "https://assets.crowd.aws/crowd-html-elements.js"
"""What a template loads the crowd elements from; here they are Loupe's own."""
LOCAL_SCRIPT = "/_loupe/a2i/crowd-html-elements.js"
S3_URI = re.compile(r"s3://([^/]+)/(.+)", re.DOTALL)


class TaskPages:
    """Renders templates. `objects` signs the addresses of images."""

    def __init__(self, objects: Objects) -> None:
        # As in the service: what is put into the page is escaped unless the template says not to.
        self._liquid = Environment(autoescape=True, undefined=StrictUndefined)
        self._objects = objects
        self._liquid.add_filter("grant_read_access", self._grant_read_access)
        self._liquid.add_filter("to_json", lambda value: json.dumps(value, ensure_ascii=False))
        self._liquid.add_filter("skip_autoescape", lambda value: Markup(str(value)))

    def task(self, template: str, content: Json) -> str:
        """The page of a task; ServiceError says what is wrong with the template."""
        try:
            page = self._liquid.from_string(template).render(task={"input": content})
        except LiquidError as error:
            raise ServiceError(
                "BadTemplate", f"The task page cannot be rendered: {error}"
            ) from error
        return str(page).replace(CROWD_SCRIPT, LOCAL_SCRIPT)

    def own(self, file: str, **values: Any) -> str:
        """A page of this package."""
        return str(self._liquid.from_string((PAGES / file).read_text()).render(**values))

    def _grant_read_access(self, uri: object) -> str:
        match = S3_URI.fullmatch(str(uri))
        return self._objects.address(Location(match[1], match[2])) if match else str(uri)
