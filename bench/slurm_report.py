#!/usr/bin/python3
"""Makes one section of bench/RESULTS.md, and one member of bench/results.json, out of the runs of tools/bench-slurm.

    bench/slurm_report.py RUNS SYNCS RESULTS_JSON

RUNS has one JSON object a line: what `submit_load --json` said, with `round` and `variant`; SYNCS has microseconds.
Prints the section's text. Every figure is the median over the rounds, and a ratio is the median of the rounds'
ratios: what disturbs the machine for a while disturbs both sides of it.
"""

import json
import os
import pathlib
import statistics
import subprocess
import sys

VARIANTS = {
    "alone": "slurmctld alone",
    "plugin": "with asbb, every hold durable",
    "free": "with asbb, in a partition without a price",
    "curl": "job_submit.lua that runs curl",
    "sbatch": "sbatch, slurmctld alone",
    "wrapper": "wrapper script: sshare, then sbatch -M",
}
# What the variant is compared with: submissions by libslurm and by a started sbatch are two worlds.
BASE = {"sbatch": "sbatch", "wrapper": "sbatch"}
FIGURES = ("rate_per_s", "p50_ms", "p90_ms", "p99_ms", "max_ms")
AIMS = {1: 0.85, 8: 0.75}
ADDED_AIMS_MS = {"p50_ms": 0.25, "p99_ms": 2.0}


def percentile(values, percent):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, len(ordered) * percent // 100)]


def by_round(runs, variant, processes):
    chosen = [run for run in runs if run["variant"] == variant and run["processes"] == processes]
    return {run["round"]: run for run in chosen}


def compared(runs, variant, processes):
    """One row: medians of a variant, and how it compares round by round with what it stands on."""
    own = by_round(runs, variant, processes)
    base = by_round(runs, BASE.get(variant, "alone"), processes)
    both = [(own[at], base[at]) for at in own if at in base]
    row = {"variant": variant, "name": VARIANTS[variant], "processes": processes}
    row["accepted"] = sum(run["accepted"] for run in own.values())
    row["refused"] = sum(run["refused"] for run in own.values())
    for figure in FIGURES:
        row[figure] = round(statistics.median(run[figure] for run in own.values()), 3)
    row["of_base_rate"] = round(statistics.median(a["rate_per_s"] / b["rate_per_s"] for a, b in both), 3)
    for figure in ADDED_AIMS_MS:
        row["added_" + figure] = round(statistics.median(a[figure] - b[figure] for a, b in both), 3)
    return row


def first_line(*command):
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()[0]


def machine():
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        models = [line.split(":", 1)[1].strip() for line in file if line.startswith("model name")]
    return {"cores": os.cpu_count(), "processor": models[0] if models else "unknown"}


def results(runs, syncs_us):
    rows = [
        compared(runs, variant, processes)
        for variant in VARIANTS
        for processes in sorted({run["processes"] for run in runs if run["variant"] == variant})
    ]
    return {
        "machine": machine(),
        "slurm": first_line("slurmctld", "-V").split()[-1],
        "rounds": len({run["round"] for run in runs}),
        "sync_ms": {"p50_ms": percentile(syncs_us, 50) / 1000, "p99_ms": percentile(syncs_us, 99) / 1000},
        "rows": rows,
    }


def shares(found):
    """Of what a durable hold adds with one client: what is not the ledger's, what is the disk's, and the rest."""
    added = {row["variant"]: row["added_p50_ms"] for row in found["rows"] if row["processes"] == 1}
    sync = found["sync_ms"]["p50_ms"]
    return {
        "added_ms": added["plugin"],
        "plugin_socket_answer_ms": added["free"],
        "sync_ms": sync,
        "ledger_and_database_ms": round(added["plugin"] - added["free"] - sync, 3),
    }


def aims(found):
    """What was aimed at, and what came of it."""
    own = {row["processes"]: row for row in found["rows"] if row["variant"] == "plugin"}
    for figure, aim_ms in ADDED_AIMS_MS.items():
        added, sync = own[1]["added_" + figure], found["sync_ms"][figure]
        yield {
            "what": f"added at {figure[:3]}, one client, beyond one sync ({sync:.3f} ms)",
            "aim": f"{aim_ms:.2f} ms",
            "measured": f"{added - sync:.3f} ms",
            "is_reached": added - sync <= aim_ms,
        }
    for processes, aim in AIMS.items():
        ratio = own[processes]["of_base_rate"]
        yield {
            "what": f"rate with {processes} client{'s' if processes > 1 else ''}, of slurmctld's own",
            "aim": f"{aim:.2f}",
            "measured": f"{ratio:.2f}",
            "is_reached": ratio >= aim,
        }


def text(found):
    size = found["machine"]
    yield f"""`make bench-slurm`: held jobs to a real slurmctld {found["slurm"]} on {size["cores"]} cores ({size["processor"]}),
which slurmdbd, MariaDB, munge, the clients and the budget service share. The variants take turns in {found["rounds"]} rounds; each
figure is the median of the rounds, each ratio the median of the rounds' ratios. Clients submit one job after the other,
through libslurm (`bench/submit_load.c`), or by starting sbatch for each job. The service and the plugin are as they are
installed: SQLite, one sync before each answer. `curl` asks an address that answers at once and sets nothing aside, and the
wrapper only looks at past usage (`bench/rivals`): neither is durable, or safe when two submit at once.

A 4 KiB page is written and synced in {found["sync_ms"]["p50_ms"]:.3f} ms at the median and {found["sync_ms"]["p99_ms"]:.3f} ms at p99, measured between the runs.

| | clients | submissions/s | p50 ms | p90 ms | p99 ms | max ms | of the rate without | added at p50, ms | refused |
|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|"""
    for row in found["rows"]:
        yield (
            f"| {row['name']} | {row['processes']} | {row['rate_per_s']:.0f} | {row['p50_ms']:.2f} | {row['p90_ms']:.2f} "
            f"| {row['p99_ms']:.2f} | {row['max_ms']:.1f} | {row['of_base_rate']:.2f} | {row['added_p50_ms']:.2f} "
            f"| {row['refused']} |"
        )
    part = found["shares"]
    yield f"""
Of the {part["added_ms"]:.2f} ms that a hold adds at the median with one client, {part["plugin_socket_answer_ms"]:.2f} ms are the plugin's, the socket's and the
answer's (the partition without a price), {part["sync_ms"]:.2f} ms are a sync of one page, and {part["ledger_and_database_ms"]:.2f} ms are the ledger, SQLite and the
writing of its further pages. [docs/reference/speed.md](../docs/reference/speed.md) follows one hold step by step."""
    yield "\n| aim | aimed at | measured | |\n|---|--:|--:|---|"
    for aim in found["aims"]:
        reached = "reached" if aim["is_reached"] else "not reached"
        yield f"| {aim['what']} | {aim['aim']} | {aim['measured']} | {reached} |"


def main():
    runs = [json.loads(line) for line in pathlib.Path(sys.argv[1]).read_text().splitlines()]
    syncs_us = [int(line) for line in pathlib.Path(sys.argv[2]).read_text().split()]
    found = results(runs, syncs_us)
    found["shares"] = shares(found)
    found["aims"] = list(aims(found))
    file = pathlib.Path(sys.argv[3])
    everything = json.loads(file.read_text()) if file.exists() else {}
    everything["slurm_submissions"] = found
    file.write_text(json.dumps(everything, indent=2) + "\n")
    print("\n".join(text(found)))


if __name__ == "__main__":
    main()
