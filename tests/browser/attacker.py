"""A web page of somebody else, that tries what a page can try on the embedded stack."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

HOST = "attacker.example"
"""The browser of the tests resolves it to 127.0.0.1."""

TRY_ALL = """async (addresses) => {
  const read = [];
  const loaded = (element, source, address) => new Promise((done) => {
    element.onload = () => { read.push(`${element.localName} ${source}`); done(); };
    element.onerror = done;
    element.referrerPolicy = source;
    element.src = address;
    document.body.append(element);
  });
  const framed = (act) => new Promise((done) => {
    const frame = document.createElement("iframe");
    frame.name = `frame${document.querySelectorAll("iframe").length}`;
    document.body.append(frame);
    frame.onload = () => {
      try {
        const text = frame.contentDocument?.body?.innerText;
        if (text) read.push(`frame: ${text}`);
      } catch { /* another origin's */ }
      done();
    };
    act(frame);
    setTimeout(done, 3000);
  });
  const post = (address, enctype, fields) => framed((frame) => {
    const form = document.createElement("form");
    Object.assign(form, { method: "POST", action: address, enctype, target: frame.name });
    for (const [name, value] of Object.entries(fields)) {
      const field = document.createElement("textarea");
      Object.assign(field, { name, value });
      form.append(field);
    }
    document.body.append(form);
    form.submit();
  });
  const fetched = async (address, options) => {
    try {
      const answer = await fetch(address, options);
      if (answer.type !== "opaque") read.push(`${options.mode}: ${await answer.text()}`);
    } catch { /* refused by the browser for want of a word from the stack */ }
  };
  for (const address of addresses) {
    for (const policy of ["", "no-referrer"]) {
      await loaded(document.createElement("img"), policy, address);
      await loaded(document.createElement("script"), policy, address);
    }
    for (const mode of ["cors", "no-cors"]) {
      await fetched(address, { mode });
      await fetched(address, { mode, method: "POST", body: "{}" });
    }
    for (const method of ["PUT", "DELETE"]) {
      await fetched(address, { mode: "cors", method, body: "{}" });
    }
    await fetched(address, { mode: "cors", headers: { Authorization: "Bearer x" } });
    await framed((frame) => { frame.src = address; });
    await post(address, "text/plain", { '{"worker": "eve", "answer": {}, "x": "': '"}' });
    await post(address, "multipart/form-data", { key: "planted", file: "x" });
  }
  return read;
}"""


class _Page(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = b"<!doctype html><title>Free pictures</title><body></body>"
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Says nothing."""


@contextmanager
def served() -> Iterator[int]:
    """The port of the attacker's page."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Page) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield int(server.server_address[1])
        finally:
            server.shutdown()


def rebound(addresses: Sequence[str]) -> list[str]:
    """The addresses under the attacker's name, which has come to mean this machine."""
    return [address.replace("127.0.0.1", HOST) for address in addresses]
