#!/usr/bin/python3
"""How long the disk of a folder takes to write and sync a page, as a write-ahead log does for each commit.

    bench/sync_time.py FOLDER COUNT

Prints microseconds, one a line. The page is written over one that is there, so that the sync has data to write
and no new length.
"""

import os
import sys
import tempfile
import time


def main():
    folder, count = sys.argv[1], int(sys.argv[2])
    page = os.urandom(4096)
    with tempfile.TemporaryFile(dir=folder) as file:
        descriptor = file.fileno()
        os.pwrite(descriptor, page * 64, 0)
        os.fsync(descriptor)
        for at in range(count):
            start = time.monotonic_ns()
            os.pwrite(descriptor, page, at % 64 * 4096)
            os.fdatasync(descriptor)
            print((time.monotonic_ns() - start) // 1000)


if __name__ == "__main__":
    main()
