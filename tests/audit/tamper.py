#!/usr/bin/python3
"""What `asbb audit verify` finds when somebody has written to the database file, and where.

    tamper.py PROGRAMS_FOLDER

A service makes a real database. A copy of it is changed as somebody would who may write the file: the triggers
are dropped first. Each change must be found, with the entry that it concerns, by --offline; those that a start
survives also by a running service.
"""

import hashlib
import shutil
import sqlite3
import stat
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from life import live  # noqa: E402
from scratch_service import ScratchService  # noqa: E402

TABLE = "budget_transactions"
ARCHIVE = "budget_transactions_archive"
FAR = 1_000_000_000  # where no entry is
TRIGGERS = ("no_update", "no_delete", "no_gap")


class Attack:
    """The database of a service that has stopped."""

    def __init__(self, path):
        self.database = sqlite3.connect(path)
        self.database.execute("PRAGMA foreign_keys = OFF")
        for name in TRIGGERS:
            self.database.execute(f"DROP TRIGGER {TABLE}_{name}")
        self.last = self.database.execute(f"SELECT max(sequence) FROM {TABLE}").fetchone()[0]

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.database.commit()
        self.database.close()

    def run(self, sql, *values):
        return self.database.execute(sql, values)

    def record(self, sequence):
        return self.run(f"SELECT record FROM {TABLE} WHERE sequence = ?", sequence).fetchone()[0]

    def set_record(self, sequence, record):
        self.run(f"UPDATE {TABLE} SET record = ? WHERE sequence = ?", record, sequence)

    def edit_amount(self, sequence):
        """Column and record alike."""
        amount = self.run(f"SELECT amount_micros FROM {TABLE} WHERE sequence = ?", sequence).fetchone()[0]
        self.set_record(sequence, self.record(sequence).replace(f"amount_micros={amount}\n", "amount_micros=1\n"))
        self.run(f"UPDATE {TABLE} SET amount_micros = 1 WHERE sequence = ?", sequence)

    def renumber(self, first, by):
        """Column and record alike, of that entry and all behind it."""
        order = "DESC" if by > 0 else "ASC"
        rows = self.run(f"SELECT sequence, record FROM {TABLE} WHERE sequence >= ? ORDER BY sequence {order}",
                        first).fetchall()
        for sequence, record in rows:
            self.run(f"UPDATE {TABLE} SET sequence = ?, record = ? WHERE sequence = ?", sequence + by,
                     record.replace(f"sequence={sequence}\n", f"sequence={sequence + by}\n"), sequence)

    def shift_numbers(self, first, by):
        """The column alone."""
        self.run(f"UPDATE {TABLE} SET sequence = sequence + ? WHERE sequence >= ?", FAR, first)
        self.run(f"UPDATE {TABLE} SET sequence = sequence - ? WHERE sequence > ?", FAR - by, FAR)

    def move(self, sequence, to):
        self.run(f"UPDATE {TABLE} SET sequence = ? WHERE sequence = ?", to, sequence)

    def copy(self, sequence, to):
        names = [row[1] for row in self.run(f"PRAGMA table_info({TABLE})")]
        others = ", ".join(name for name in names if name != "sequence")
        self.run(f"INSERT INTO {TABLE} (sequence, {others}) SELECT ?, {others} FROM {TABLE} WHERE sequence = ?", to,
                 sequence)
        self.set_record(to, self.record(to).replace(f"sequence={sequence}\n", f"sequence={to}\n"))

    def chain_anew(self, first):
        """As a chain without a key would be."""
        previous = self.run(f"SELECT chain FROM {TABLE} WHERE sequence = ?", first - 1).fetchone()[0]
        for sequence, record in self.run(f"SELECT sequence, record FROM {TABLE} WHERE sequence >= ? ORDER BY sequence",
                                         first).fetchall():
            previous = hashlib.sha256(previous + record.encode()).digest()
            self.run(f"UPDATE {TABLE} SET chain = ? WHERE sequence = ?", previous, sequence)


def edit_column(attack):
    attack.run(f"UPDATE {TABLE} SET amount_micros = amount_micros + 1 WHERE sequence = 5")
    return ["Entry 5 was edited: amount_micros is"]


def edit_type(attack):
    attack.run(f"UPDATE {TABLE} SET type = 'gift' WHERE sequence = 5")
    return ["Entry 5 was edited: it cannot be read"]


def edit(attack):
    attack.edit_amount(9)
    return ["Entry 9 was edited"]


def edit_and_chain_anew(attack):
    attack.edit_amount(9)
    attack.chain_anew(9)
    return [f"Entries 9 to {attack.last}, up to the last, do not follow"]


def delete(attack):
    attack.run(f"DELETE FROM {TABLE} WHERE sequence = 8")
    return ["Entry 8 is missing: deleted."]


def delete_and_renumber(attack):
    attack.run(f"DELETE FROM {TABLE} WHERE sequence = 8")
    attack.shift_numbers(9, -1)
    return [f"Entries 8 to {attack.last - 1} have the records of entries 9 to {attack.last}: entry 8 deleted"]


def delete_and_chain_anew(attack):
    attack.run(f"DELETE FROM {TABLE} WHERE sequence = 8")
    attack.renumber(9, -1)
    attack.chain_anew(8)
    return [f"Entries 8 to {attack.last - 1}, up to the last, do not follow"]


def insert(attack):
    attack.shift_numbers(8, 1)
    attack.copy(7, 8)
    return ["Entry 8 was inserted", f"Entries 9 to {attack.last + 1} have the records of entries 8 to {attack.last}"]


def insert_and_chain_anew(attack):
    attack.renumber(8, 1)
    attack.copy(7, 8)
    attack.chain_anew(8)
    return [f"Entries 8 to {attack.last + 1}, up to the last, do not follow"]


def append(attack):
    attack.copy(attack.last, attack.last + 1)
    return [f"Entry {attack.last + 1}, up to the last, do not follow"]


def reorder(attack):
    attack.move(6, FAR)
    attack.move(11, 6)
    attack.move(FAR, 11)
    return ["Entry 6 has the record of entry 11: reordered.", "Entry 11 has the record of entry 6: reordered."]


def reorder_neighbours(attack):
    attack.move(6, FAR)
    attack.move(7, 6)
    attack.move(FAR, 7)
    return ["Entry 6 has the record of entry 7: reordered.", "Entry 7 has the record of entry 6: reordered."]


def cut(attack):
    attack.run(f"DELETE FROM {TABLE} WHERE sequence > 20")
    return [f"had {attack.last} entries at", "the tail from entry 21 on is cut"]


def cut_one(attack):
    attack.run(f"DELETE FROM {TABLE} WHERE sequence = ?", attack.last)
    return [f"the tail from entry {attack.last} on is cut"]


def edit_balance(attack):
    attack.run("UPDATE budget_periods SET used_micros = used_micros - 1000000 WHERE id = 1")
    return ["a table was edited", "budget 1: the table says"]


def edit_tables(attack):
    """What is no sum: the entries say otherwise all the same."""
    attack.run("UPDATE budget_periods SET credit_limit_micros = 1000000000000 WHERE id = 1")
    attack.run("UPDATE budget_periods SET carried_micros = 0 WHERE carried_micros > 0")
    attack.run("UPDATE budget_periods SET carry_over_millionths = 1000000 WHERE id = 2")
    attack.run("UPDATE budget_periods SET end_us = end_us + 1 WHERE id = 3")
    attack.run("UPDATE budget_accounts SET may_convert = 1 WHERE name = 'proj002'")
    attack.run("UPDATE budget_accounts SET parent_id = 1 WHERE name = 'overhead'")
    attack.run("UPDATE budget_accounts SET status = 'suspended' WHERE name = 'carrier'")
    return [f"terms of budget {number}: the table says" for number in (1, 2, 3)] + [
        "carried 0, carried in", "credit 1000000000000", "parent proj001", "status suspended",
        "account 2: the table says"]


def edit_facts(attack):
    attack.run("UPDATE budget_conversion_rates SET rate_micros = rate_micros * 10")
    attack.run("UPDATE budget_price_versions SET text = text || '# x'")
    attack.run("UPDATE budget_hold_parts SET legs = 'b1' WHERE hold_id IN"
               " (SELECT id FROM budget_holds WHERE status = 'open')")
    return ["rate 1: the table says", "prices 1: the table says", "legs b1; the entries say"]


def edit_shares(attack):
    """Of holds that are closed, which no service has in memory."""
    attack.run("UPDATE budget_shares SET refunded_micros = 0 WHERE refunded_micros > 0")
    attack.run("UPDATE budget_shares SET actual_micros = actual_micros + 1, overrun_micros = overrun_micros + 1"
               " WHERE hold_id = 1")
    attack.run("DELETE FROM budget_share_parts WHERE share_id IN (SELECT id FROM budget_shares WHERE hold_id = 3)")
    attack.run("DELETE FROM budget_shares WHERE hold_id = 3")
    return ["run of hold 3", "is missing from the table", "run of hold 1", "run of hold 2", "refunded 0; the entries say", "cost 250001 USD"]


def edit_chain_value(attack):
    attack.run(f"UPDATE {TABLE} SET chain = zeroblob(32) WHERE sequence = 12")
    return ["Entries 12 to 13 were edited"]


def archive(attack):
    """Entries 1 to 10, as the service moves them; then the archive's own triggers are dropped."""
    attack.run(f"INSERT INTO {ARCHIVE} SELECT * FROM {TABLE} WHERE sequence <= 10 ORDER BY sequence")
    attack.run(f"DELETE FROM {TABLE} WHERE sequence <= 10")
    for name in TRIGGERS:
        attack.run(f"DROP TRIGGER {ARCHIVE}_{name}")


def edit_archived(attack):
    archive(attack)
    attack.run(f"UPDATE {ARCHIVE} SET amount_micros = amount_micros + 1 WHERE sequence = 5")
    return ["Entry 5 was edited: amount_micros is"]


def delete_archived(attack):
    archive(attack)
    attack.run(f"DELETE FROM {ARCHIVE} WHERE sequence = 8")
    return ["Entry 8 is missing: deleted."]


def empty_archive(attack):
    archive(attack)
    attack.run(f"DELETE FROM {ARCHIVE}")
    return ["Entries 1 to 10 are missing: deleted."]


ATTACKS = (edit_archived, delete_archived, empty_archive, edit_column, edit_type, edit, edit_and_chain_anew, delete, delete_and_renumber, delete_and_chain_anew, insert,
           insert_and_chain_anew, append, reorder, reorder_neighbours, cut, cut_one, edit_balance, edit_tables,
           edit_facts, edit_shares, edit_chain_value)


def expect(problems, what, result, code, texts):
    missing = [text for text in texts if text not in result.stdout]
    if result.returncode != code or missing:
        problems.append(f"{what}: exit code {result.returncode}, missing {missing}\n{result.stdout}")


def set_heads(service, interval="1h"):
    with open(service.path / "config.yaml", "a", encoding="utf-8") as config:
        config.write(f"audit:\n  head_file: {service.path}/heads\n  head_interval: {interval}\n")


def wait_for_heads(service, problems, count):
    deadline = time.monotonic() + 20
    heads = service.path / "heads"
    while not heads.exists() or len(heads.read_text().splitlines()) < count:
        if time.monotonic() > deadline:
            problems.append("the head is not written on its timer")
            return
        time.sleep(0.1)


def verify_running(service, problems):
    """Head file, owner and the check beside a service that runs."""
    live(service)
    wait_for_heads(service, problems, 1)
    expect(problems, "running", service.run("asbb audit verify"), 0, ["The ledger verifies"])
    expect(problems, "beside", service.run("asbb audit verify --offline"), 0,
           [f"process {service.process.pid}", "The ledger verifies"])
    wait_for_heads(service, problems, 3)
    mode = stat.S_IMODE((service.path / "chain.key").stat().st_mode)
    if mode != 0o400:
        problems.append(f"the key of the chain has mode {mode:o}")


def restore(service):
    for name in ("asbb.db", "asbb.db-wal", "asbb.db-shm"):
        (service.path / name).unlink(missing_ok=True)
    shutil.copy(service.path / "kept.db", service.path / "asbb.db")


def check_attacks(service, problems):
    for attack in ATTACKS:
        restore(service)
        with Attack(service.path / "asbb.db") as made:
            texts = attack(made)
        expect(problems, attack.__name__, service.run("asbb audit verify --offline"), 1, texts)
        if attack is cut:
            expect(problems, "cut, no heads", service.run("ASBB_AUDIT_HEAD_FILE= asbb audit verify --offline"), 1,
                   ["the tail after entry 20 is cut"])


def main():
    problems = []
    service = ScratchService(sys.argv[1])
    set_heads(service, "1s")
    with service:
        verify_running(service, problems)
        service.stop()
        last = (service.path / "heads").read_text().splitlines()[-1].split()
        result = service.run("asbb audit verify --offline")
        expect(problems, "stopped", result, 0, [f"{last[0]} entries, chain head {last[1]}"])
        if "process" in result.stdout:
            problems.append(f"nobody owns the database, but: {result.stdout}")
        shutil.copy(service.path / "asbb.db", service.path / "kept.db")
        with Attack(service.path / "asbb.db") as attack:
            archive(attack)
        expect(problems, "archived", service.run("asbb audit verify --offline"), 0,
               [f"{last[0]} entries, chain head {last[1]}"])
        check_attacks(service, problems)
        restore(service)
        # A cut tail survives a start: the service then believes what is there.
        with Attack(service.path / "asbb.db") as attack:
            attack.run(f"DELETE FROM {TABLE} WHERE sequence > 22")
        service.start()
        expect(problems, "cut, running", service.run("asbb audit verify"), 1, ["the tail from entry 23 on is cut"])
    for problem in problems:
        print(problem)
    print(f"{len(ATTACKS)} ways to change a ledger, {len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
