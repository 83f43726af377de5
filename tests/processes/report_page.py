#!/usr/bin/python3
"""The HTML report in a real browser: light, dark, on a phone and printed.

    tests/processes/report_page.py PROGRAMS

Pages of a real service, with names as long as they get, and the one that html_test.cc compares with.
"""

import os
import sqlite3
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import reports  # noqa: E402
from reports import check  # noqa: E402
from scratch_service import ROOT, ScratchService  # noqa: E402
from browser import Browser, pixels  # noqa: E402  beside scratch_service, where reports looks

SAMPLE = ROOT / "src" / "report" / "testing" / "sample.html"
LONG_USER = "w" * 32  # as long as a user's name on Linux
LONG_PARTITION = "gpu-" * 12 + "large"
WIDTHS = (1280, 390)
PAPER_WIDTH = 695  # of A4, less its margins, in the pixels of a style sheet
TEXT_MIN_PX = 9

# What is beyond the edges of the screen (or paper) and cannot be reached by scrolling a box of its own, what is cut off,
# and text of drawings that is too small.
WRONG = """(() => {
  const wrong = [], width = document.documentElement.clientWidth;
  const name = e => `${e.tagName} ${e.getAttribute('class') || ''} '${e.textContent.trim().slice(0, 40)}'`;
  const style = e => getComputedStyle(e);
  const scrolls = e => /auto|scroll/.test(style(e).overflowX);
  const inside = e => e && (scrolls(e) ? e.getBoundingClientRect().right <= width + 1 : inside(e.parentElement));
  if (document.scrollingElement.scrollWidth > width) wrong.push('the page scrolls sideways');
  for (const e of document.body.querySelectorAll('*')) {
    const box = e.getBoundingClientRect();
    if (!box.width || !box.height) continue;
    if ((box.right > width + 1 || box.left < -1) && !inside(e.parentElement)) wrong.push('beyond the edge: ' + name(e));
    if (style(e).overflowX === 'hidden' && e.scrollWidth > e.clientWidth + 1) wrong.push('cut off: ' + name(e));
  }
  for (const text of document.querySelectorAll('svg text')) {
    const drawing = text.closest('svg'), all = drawing.getBoundingClientRect(), box = text.getBoundingClientRect();
    if (box.left < all.left - 1 || box.right > all.right + 1 || box.top < all.top - 1 || box.bottom > all.bottom + 1)
      wrong.push('outside of its drawing: ' + name(text));
    const size = parseFloat(style(text).fontSize) * drawing.getScreenCTM().a;
    if (size < SMALLEST) wrong.push(`${size.toFixed(1)} px: ` + name(text));
  }
  return wrong;
})()"""


def brightness(colour):
    """Of 0 to 255, as eyes weigh it."""
    return (299 * colour[0] + 587 * colour[1] + 114 * colour[2]) / 1000


def ground(page):
    """The colour of the corners, that of most of what is seen, and which part of it is as bright or dark."""
    width, height, rows = pixels(page.screenshot())
    corners = {rows[y][x] for y in (0, height - 1) for x in (0, width - 1)}
    check(len(corners) == 1, corners)
    seen = [colour for row in rows[::10] for colour in row[::10]]
    most = max(set(seen), key=seen.count)
    alike = sum((brightness(colour) > 128) == (brightness(most) > 128) for colour in seen)
    return corners.pop(), most, alike / len(seen)


def on_screen(page):
    """Light and dark are what they say, and nothing is out of reach."""
    figures = page.run("document.querySelectorAll('figure svg text').length")
    check(figures > 20, figures)
    for width in WIDTHS:
        grounds = {}
        for scheme in ("light", "dark"):
            page.show(width, scheme)
            check(page.run("matchMedia('(prefers-color-scheme:dark)').matches") == (scheme == "dark"))
            grounds[scheme] = ground(page)
            wrong = page.run(WRONG.replace("SMALLEST", str(TEXT_MIN_PX)))
            check(wrong == [], width, scheme, wrong)
            check(page.run("document.querySelector('figure svg').getBoundingClientRect().height") > 100)
        for part in (0, 1):
            check(brightness(grounds["light"][part]) > 230, width, grounds)
            check(brightness(grounds["dark"][part]) < 50, width, grounds)
        check(min(grounds["light"][2], grounds["dark"][2]) > 0.8, width, grounds)


def on_paper(page, folder, expected):
    """Light also where the reader's screen is dark, nothing is beyond the edge, and all of it is there."""
    page.show(PAPER_WIDTH, "dark", "print")
    wrong = page.run(WRONG.replace("SMALLEST", "7"))
    check(wrong == [], "on paper", wrong)
    page.show(1280, "dark", media="")  # printing is what it does itself
    (folder / "page.pdf").write_bytes(page.pdf())
    subprocess.run(["pdftoppm", "-r", "30", "page.pdf", "paper"], cwd=folder, check=True, timeout=60)
    sheets = sorted(folder.glob("paper*.ppm"))
    check(2 <= len(sheets) <= 12, sheets)
    for sheet in sheets:
        kind, size, depth, data = sheet.read_bytes().split(b"\n", 3)
        width, height = map(int, size.split())
        check((kind, depth, len(data)) == (b"P6", b"255", 3 * width * height), kind, size, depth)
        check(width < height, size)
        seen = [brightness(data[at:at + 3]) for at in range(0, len(data), 3)]
        check(sum(value > 230 for value in seen) > 0.75 * len(seen), sheet, sum(seen) / len(seen))
        # the margins are white
        check(min(seen[:width]) > 250 and min(seen[::width]) > 250 and min(seen[width - 1::width]) > 250, sheet)
        sheet.unlink()
    text = subprocess.run(["pdftotext", "-layout", "page.pdf", "-"], cwd=folder, check=True, timeout=60, text=True,
                          capture_output=True).stdout
    for words in expected:
        check(words in text, words, text)


def planted(service):
    """Its pages: one account with all below it, and all accounts."""
    reports.prepare(service)
    service.asbb("rates", "set", "core-hours", "USD", "0.04", "--effective-from=2025-01-01")
    service.stop()
    rows, day = reports.plant_charges(service, 900, 45)
    with sqlite3.connect(service.path / "asbb.db") as connection:
        for column, before, after in (("user", "bob", LONG_USER), ("partition", "aws-cpu", LONG_PARTITION)):
            reports.without_guards(connection, (f"UPDATE budget_transactions SET {column} = ? WHERE {column} = ?",
                                                [after, before]))
    for row in rows:
        row["User"] = {"bob": LONG_USER}.get(row["User"], row["User"])
        row["Partition"] = {"aws-cpu": LONG_PARTITION}.get(row["Partition"], row["Partition"])
    reports.plant_sacct(service, rows)
    service.start()
    for account in ("proj001", "ALL"):
        reports.report(service, "dual", f"--account={account}", f"--start={day.date()}", "--output=html",
                       f"--end={(day + timedelta(days=49)).date()}", f"--file={account}.html")
        yield service.path / f"{account}.html"
    service.stop()
    with sqlite3.connect(service.path / "asbb.db") as connection:
        reports.without_guards(connection, ("UPDATE budget_transactions SET amount_micros = amount_micros * 1000000 "
                                            "WHERE cluster != ?", [""]))
    service.start()
    reports.report(service, "dual", "--account=proj001", f"--start={day.date()}", "--output=html", "--file=large.html",
                   f"--end={(day + timedelta(days=49)).date()}")
    check("10 M</text>" in (service.path / "large.html").read_text())
    yield service.path / "large.html"


def main(programs):
    with ScratchService(programs) as service, Browser() as browser:
        for file in (*planted(service), SAMPLE):
            page = browser.open(file)
            on_screen(page)
            on_paper(page, service.path, ["alice", "Usage over time", "Who used it", "Time used", "In all"])
    print("the pages are light, dark and printed as they should be, and nothing is out of reach")


if __name__ == "__main__":
    os.environ["TZ"] = "America/New_York"
    main(sys.argv[1])
