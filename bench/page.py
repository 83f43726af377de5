#!/usr/bin/python3
"""Puts one section into a page, and leaves the others as they are.

    bench/page.py PAGE "HEADING" < TEXT

The section `## HEADING` gets the text of standard input; it goes to the page's end where there is none of that
heading. A page that is not there is begun.
"""

import pathlib
import re
import sys

HEAD = """# Measured speed

Numbers of one machine, each section of one run; compare a section's rows and columns with each other, not with another
machine. Each section is written anew by the command that it names.
"""


def with_section(page, heading, text):
    """The page with `text` as the section of that heading."""
    head, *parts = re.split(r"^## ", page, flags=re.MULTILINE)
    sections = dict(part.split("\n", 1) for part in parts)
    sections[heading] = "\n" + text.strip("\n") + "\n"
    bodies = "".join(f"\n## {name}\n\n{body.strip(chr(10))}\n" for name, body in sections.items())
    return head.rstrip("\n") + "\n" + bodies


def main():
    path, heading = pathlib.Path(sys.argv[1]), sys.argv[2]
    page = path.read_text() if path.exists() else HEAD
    new = path.with_suffix(".new")
    new.write_text(with_section(page, heading, sys.stdin.read()))
    new.replace(path)


if __name__ == "__main__":
    main()
