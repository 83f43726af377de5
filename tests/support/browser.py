"""A Chromium without a window, asked over its debugging pipe: no port, nothing of the user's.

    with Browser() as browser:
        page = browser.open(file)
        page.show(width=390, scheme="dark")
        page.run("document.title")
"""

import base64
import fcntl
import json
import os
import select
import shutil
import struct
import subprocess
import tempfile
import time
import zlib

ANSWER_MAX_S = 60


class Browser:
    def __init__(self):
        self.program = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
        if self.program is None:
            raise RuntimeError("no chromium is installed: tools/setup test installs it")
        self.folder = tempfile.TemporaryDirectory(prefix="asbb-browser-", ignore_cleanup_errors=True)
        self.asked, self.heard = 0, b""

    def __enter__(self):
        theirs_in, self.to = os.pipe()
        self.of, theirs_out = os.pipe()
        # It wants 3 and 4, which may be in use here.
        ends = [fcntl.fcntl(end, fcntl.F_DUPFD, 10) for end in (theirs_in, theirs_out)]
        command = [self.program, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
                   "--no-first-run", "--remote-debugging-pipe", f"--user-data-dir={self.folder.name}", "about:blank"]
        environment = {**os.environ, "HOME": self.folder.name}
        with open(os.path.join(self.folder.name, "log"), "wb") as log:
            self.process = subprocess.Popen(["bash", "-c", f'exec "$@" 3<&{ends[0]} 4>&{ends[1]}', "browser", *command],
                                            pass_fds=ends, env=environment, stdin=subprocess.DEVNULL, stdout=log,
                                            stderr=log)
        for end in (theirs_in, theirs_out, *ends):
            os.close(end)
        return self

    def __exit__(self, kind, value, traceback):
        try:
            self.ask("Browser.close")
        except (OSError, RuntimeError):
            pass
        os.close(self.to)
        try:
            self.process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        os.close(self.of)
        self.folder.cleanup()

    def ask(self, method, session=None, **arguments):
        """What it answers; events that come before are passed over."""
        self.asked += 1
        question = {"id": self.asked, "method": method, "params": arguments}
        if session:
            question["sessionId"] = session
        os.write(self.to, json.dumps(question).encode() + b"\0")
        until = time.monotonic() + ANSWER_MAX_S
        while True:
            while b"\0" not in self.heard:
                ready, _, _ = select.select([self.of], [], [], max(0, until - time.monotonic()))
                part = os.read(self.of, 1 << 20) if ready else b""
                if not part:
                    with open(os.path.join(self.folder.name, "log"), encoding="utf-8", errors="replace") as log:
                        raise RuntimeError(f"the browser does not answer {method}:\n{log.read()[-3000:]}")
                self.heard += part
            text, _, self.heard = self.heard.partition(b"\0")
            answer = json.loads(text)
            if answer.get("id") == self.asked:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']}")
                return answer["result"]

    def open(self, file):
        target = self.ask("Target.createTarget", url="about:blank")["targetId"]
        session = self.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        page = Page(self, session)
        page.ask("Emulation.setScrollbarsHidden", hidden=True)
        page.ask("Page.navigate", url=file.resolve().as_uri())
        until = time.monotonic() + ANSWER_MAX_S
        while page.run("location.protocol + document.readyState") != "file:complete":
            if time.monotonic() > until:
                raise RuntimeError(f"{file} is not loaded")
            time.sleep(0.05)
        return page


class Page:
    def __init__(self, browser, session):
        self.browser, self.session = browser, session

    def ask(self, method, **arguments):
        return self.browser.ask(method, self.session, **arguments)

    def show(self, width, scheme="light", media="screen", height=900):
        """From now on on such a screen, or as it is printed."""
        self.ask("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1,
                 mobile=width < 600)
        self.ask("Emulation.setEmulatedMedia", media=media,
                 features=[{"name": "prefers-color-scheme", "value": scheme}])

    def run(self, expression):
        answer = self.ask("Runtime.evaluate", expression=expression, returnByValue=True)
        if "exceptionDetails" in answer:
            raise RuntimeError(answer["exceptionDetails"])
        return answer["result"].get("value")

    def screenshot(self):
        return base64.b64decode(self.ask("Page.captureScreenshot", format="png")["data"])

    def pdf(self):
        """As its reader's browser prints it, with the colours behind the text."""
        return base64.b64decode(self.ask("Page.printToPDF", printBackground=True, preferCSSPageSize=True)["data"])


def pixels(png):
    """(width, height, rows) of a PNG as browsers write them; a row is a list of (red, green, blue)."""
    width, height, depth, kind, _, _, interlaced = struct.unpack(">IIBBBBB", png[16:29])
    if png[:8] != b"\x89PNG\r\n\x1a\n" or depth != 8 or kind not in (2, 6) or interlaced:
        raise ValueError("not a picture that a browser takes of a page")
    packed, at = b"", 8
    while at < len(png):
        length = struct.unpack(">I", png[at:at + 4])[0]
        if png[at + 4:at + 8] == b"IDAT":
            packed += png[at + 8:at + 8 + length]
        at += 12 + length
    size = 3 if kind == 2 else 4
    data, before, rows = zlib.decompress(packed), bytearray(width * size), []
    for y in range(height):
        start = y * (width * size + 1)
        line = unfiltered(data[start], bytearray(data[start + 1:start + 1 + width * size]), before, size)
        rows.append([tuple(line[x:x + 3]) for x in range(0, width * size, size)])
        before = line
    return width, height, rows


def unfiltered(kind, line, before, size):
    """A line of a PNG: each byte is told by those left of it and above it."""
    for i, value in enumerate(line if kind else ()):
        left, up = line[i - size] if i >= size else 0, before[i]
        corner = before[i - size] if i >= size else 0
        near = min((abs(up - corner), 0, left), (abs(left - corner), 1, up), (abs(left + up - 2 * corner), 2, corner))
        line[i] = value + (0, left, up, (left + up) // 2, near[2])[kind] & 255
    return line
