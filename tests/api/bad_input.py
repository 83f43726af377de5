#!/usr/bin/python3
"""What is sent wrongly, to the REST API and on the command line: every kind of bad value in every field of every
request that changes money, bodies that are no request at all, and clients that go away.

    bad_input.py PROGRAMS     the folder of asbb and asbb-service

Each is answered with 4xx, or on the command line with 1 or 2 (3: refused by a budget), and a sentence that names the
field and the value. Afterwards accounts and entries are what they were before.
"""

import copy
import json
import socket
import subprocess
import sys
import uuid
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from scratch_service import ScratchService  # noqa: E402

HUGE = "x" * 10_000
OVERLONG = HUGE.encode()

# Values that no amount may have; strings that start with RAW are put into the body as they are.
RAW = "\0raw:"
AMOUNTS = ["", "abc", "NaN", "inf", "-Infinity", "1e400", "12345678901234567890", "1000000000001", 1e19, "1.1234567",
           "--1", "1,000", " 5", "5 ", "0x10", "1.2.3", "$5", "٣", "9" * 10_000, True, [], {},
           RAW + "NaN", RAW + "Infinity", RAW + "1e999", RAW + "-1e999", RAW + "0x10", RAW + "01", RAW + "+1", RAW + "1."]
NEGATIVE = [-1, "-1", "-0.000001", "0", 0]
DATES = ["2025-02-30", "2025-13-01", "yesterday", "0000-00-00", "9999999-01-01", "2025-1-1", 20250101, True, [],
         "2025-01-01T25:00:00Z", "2025-01-01T00:00:00", "2025-01-01 ", "2025-01-01T00:00:00+99:00", HUGE]
NAMES = ["", 'a"b', "a'b", "a\nb", "a\0b", "a/b", "a b", "a\\b", "a\u202eb", "\ud800", HUGE, 5, True, [], {}]
REASONS = ["", "a\0b", HUGE, 5, True, [], {}]
UNITS = ["a\nb", "a\0b", 'U"D', HUGE, 5, [], {}]
COUNTS = [-1, 0, 1.5, "two", "", 10**9, 10**30, True, [], RAW + "1e99"]
CARRY = ["", "half", "1e2%", "101%", "-1%", "+5%", "0.00001%", "%", "50", " 50%", "50 %", "1.2.3%", 50, True, [], {}, None, HUGE]
FLAGS = ["yes", "true", "", 1, 0, [], {}, None]
TEXTS = ["a\0b", "\ud800", 5, [], {}]

ACCOUNT = "proj001"
CREATE = {"slurm_account": "proj900", "name": "ML project", "description": "", "unit": "USD", "budget_limit": 50,
          "start_date": "2026-01-01", "end_date": "2036-12-31"}
CREATE_MANY = {"slurm_account": "proj901", "budgets": [
    {"unit": "USD", "limit": 50, "start_date": "2026-01-01", "end_date": "2036-12-31", "credit_limit": 1}]}
MOVE = {"amount": 1, "unit": "USD", "reason": "agreed"}

# method, path, a request that would be accepted, and what is bad in which field
REQUESTS = [
    ("POST", "/api/v1/accounts", CREATE, {
        "slurm_account": NAMES, "name": TEXTS, "description": TEXTS, "unit": UNITS, "parent": NAMES[1:],
        "budget_limit": AMOUNTS + [-1], "start_date": DATES, "end_date": DATES + ["2025-01-01"], "carry_over": CARRY,
        "hold_percentage": AMOUNTS + [-1, 0.5, 11]}),
    ("POST", "/api/v1/accounts", CREATE_MANY, {
        "budgets.unit": UNITS, "budgets.limit": AMOUNTS + [-1], "budgets.start_date": DATES, "budgets.end_date": DATES,
        "budgets.credit_limit": AMOUNTS + [-1], "budgets.carry_over": CARRY}),
    ("PUT", f"/api/v1/accounts/{ACCOUNT}", {"budget_limit": 100}, {
        "budget_limit": AMOUNTS + [-1], "end_date": DATES + ["2020-01-01"], "start_date": DATES, "unit": UNITS,
        "status": ["", "closed?", "ACTIVE!", HUGE, 5, True, []], "credit_limit": AMOUNTS + [-1],
        "hold_percentage": AMOUNTS + [-1, 0.5, 11], "parent": NAMES[1:] + [ACCOUNT, "nobody"], "name": TEXTS,
        "carry_over": CARRY, "may_convert": FLAGS,
        "owners": [[""], ["a b"], ["a@b@c"], ["@b"], [HUGE], [5], "alice", 5, {}, ["a"] * 21],
        "aliases": [[""], ["a b"], ["a\nb"], [HUGE], [5], "proj7", 5, {}, ["proj002"]]}),
    ("PUT", f"/api/v1/accounts/{ACCOUNT}/partition-limits/gpu-aws", {"limit": 20, "unit": "USD"}, {
        "limit": AMOUNTS + [-1], "unit": UNITS}),
    ("POST", f"/api/v1/accounts/{ACCOUNT}/adjustments", MOVE, {
        "amount": AMOUNTS + [0], "unit": UNITS, "reason": REASONS}),
    ("POST", f"/api/v1/accounts/{ACCOUNT}/deposits", MOVE, {
        "amount": AMOUNTS + NEGATIVE, "unit": UNITS, "reason": REASONS}),
    ("POST", f"/api/v1/accounts/{ACCOUNT}/withdrawals", MOVE, {
        "amount": AMOUNTS + NEGATIVE + [10**6], "unit": UNITS, "reason": REASONS}),
    ("POST", f"/api/v1/accounts/{ACCOUNT}/transfers", {**MOVE, "to": "proj002"}, {
        "amount": AMOUNTS + NEGATIVE + [10**6], "unit": UNITS, "reason": REASONS, "to": NAMES + ["nobody"]}),
    ("POST", f"/api/v1/accounts/{ACCOUNT}/refunds", {"job_id": "cluster/node-1", "amount": 1, "reason": "agreed"}, {
        "amount": AMOUNTS + NEGATIVE, "reason": REASONS, "job_id": ["", HUGE, "a\0b", True, [], {}]}),
    ("POST", f"/api/v1/accounts/{ACCOUNT}/write-offs", {"job_id": "cluster/node-1", "reason": "agreed"}, {
        "amount": AMOUNTS + NEGATIVE, "reason": REASONS, "job_id": ["", HUGE, "a\0b", True, [], {}]}),
    ("POST", f"/api/v1/accounts/{ACCOUNT}/conversions", {**MOVE, "to_unit": "core-hours"}, {
        "amount": AMOUNTS + NEGATIVE, "unit": UNITS, "reason": REASONS, "to_unit": UNITS}),
    ("POST", "/api/v1/conversion-rates", {"from_unit": "USD", "to_unit": "core-hours", "rate": 2}, {
        "rate": AMOUNTS + NEGATIVE, "from_unit": UNITS, "to_unit": UNITS + ["USD"], "effective_from": DATES}),
    ("POST", "/api/v1/budget/check", {"account": ACCOUNT, "partition": "gpu-aws", "nodes": 1, "cpus": 4,
                                      "wall_time": "01:00:00"}, {
        "account": NAMES, "partition": NAMES, "nodes": COUNTS, "cpus": COUNTS, "gpus": [-1, 1.5, "two", 10**9, True, []],
        "memory": ["lots", "-1GB", "nan", "9" * 40 + "TB", HUGE, True, [], {}],
        "wall_time": ["", "nan:00", "-1", "1-", "1:2:3:4", "forever", "9" * 40, HUGE, True, [], {}, -5]}),
    ("POST", "/api/v1/budget/reconcile", {"job_id": "cluster/node-1", "actual_cost": 1}, {
        "actual_cost": [value for value in AMOUNTS if value != "1.1234567"] + [-1], "job_id": ["", HUGE, "a\0b", True, [], {}]}),
    ("POST", "/api/v1/slurm/notify", {"cluster": "onprem", "job_id": 1}, {
        "cluster": NAMES, "job_id": [0, -1, "", "abc", 1.5, HUGE, True, [], 10**30]}),
    ("POST", "/api/v1/prices", {"text": "prices: [{cluster: onprem, partition: p, unit: USD, per_node_hour: 1}]"}, {
        "text": ["", "}{", "prices: 5", "prices: [{partition: 1}]", "a: &a [*a, *a]", HUGE, 5, [], {}, "a\0b"],
        "effective_from": ["yesterday", "2025-02-30T00:00:00Z", 5, HUGE]}),
]


class Bad(AssertionError):
    """An answer that should have been another."""


def encode(body):
    """JSON, with RAW values as they are and lone surrogates as escapes."""
    text = json.dumps(body)
    while (start := text.find('"\\u0000raw:')) >= 0:
        end = text.index('"', start + 1)
        text = text[:start] + text[start + len('"\\u0000raw:'):end] + text[end + 1:]
    return text.encode()


def with_value(body, field, value):
    made = copy.deepcopy(body)
    holder = made
    for part in field.split(".")[:-1]:
        holder = holder[part][0]
    holder[field.split(".")[-1]] = value
    return made


class Checker:
    """Sends, judges, counts, and compares the ledger before and after."""

    def __init__(self, service):
        self.service = service
        self.failures = []
        self.count = 0

    def state(self):
        """Accounts with their money, prices, and where the chain of entries ends."""
        parts = [self.service.request("GET", path)[1]
                 for path in ("/api/v1/accounts", "/api/v1/prices", "/api/v1/transactions?limit=1")]
        verified = json.loads(self.service.request("GET", "/api/v1/audit/verify")[1])
        return parts, {key: value for key, value in verified.items() if "time" not in key and "at" not in key}

    def fault(self, what, why):
        self.failures.append(f"{what}: {why}")

    def answer(self, what, method, path, body, field=None, headers=None, value=None):
        self.count += 1
        try:
            status, text = self.service.request(method, path, body,
                                                headers or {"Content-Type": "application/json"})
        except OSError as error:
            return self.fault(what, f"no answer: {error}")
        if not 400 <= status < 500:
            return self.fault(what, f"answered {status} {text[:200]!r}")
        problem = json.loads(text)["error"]
        message = problem.get("message", "")
        if not message or not problem.get("code"):
            return self.fault(what, f"neither code nor message: {text[:200]!r}")
        if len(message) > 2000:
            self.fault(what, f"a message of {len(message)} characters")
        named = problem.get("field", "")
        # A price book is judged line by line, by the keys that it has.
        if "not valid JSON" in message or field == "text":
            return status
        if field and field.split(".")[-1] not in named and field.split(".")[-1] not in message:
            self.fault(what, f"{status} does not name the field: {message[:200]!r} (field {named!r})")
        if isinstance(value, str) and 0 < len(value) < 40 and value.isprintable() and value.isascii() \
                and not value.startswith(RAW) and value.strip() not in message:
            self.fault(what, f"{status} does not name the value: {message[:200]!r}")
        return status


def table(checker):
    for method, path, good, fields in REQUESTS:
        for field, values in fields.items():
            for value in values:
                body = encode(with_value(good, field, value))
                checker.answer(f"{method} {path} {field}={str(value)[:40]!r}", method, path, body, field, value=value)
        for field in good:
            if field in ("name", "description", "unit", "end_date", "start_date", "budget_limit", "budgets"):
                continue
            body = {key: value for key, value in good.items() if key != field}
            checker.answer(f"{method} {path} without {field}", method, path, encode(body),
                           field if method == "POST" else None)


def bodies(checker):
    """What is no request at all."""
    path = f"/api/v1/accounts/{ACCOUNT}/deposits"
    good = encode(MOVE)
    for what, body in {
        "empty": b"", "blank": b"   ", "no object": b"5", "a list": b"[]", "null": b"null", "no JSON": b"amount=5",
        "not UTF-8": b'{"amount": 1, "reason": "\xff\xfe"}', "two": good + good, "a tail": good + b"x",
        "too large": b'{"reason": "' + b"x" * 1_900_000 + b'"}', "deep": b"[" * 100_000,
        "deep in a field": b'{"amount": ' + b"[" * 5000 + b"]" * 5000 + b"}",
        "the same key twice": b'{"amount": 1, "amount": 100, "unit": "USD", "reason": "agreed"}',
        "a comment": b"/* */" + good, "single quotes": good.replace(b'"', b"'"), "a BOM": b"\xef\xbb\xbf" + good,
    }.items():
        checker.answer(f"a body that is {what}", "POST", path, body)
    for length in range(len(good)):
        checker.answer(f"a body cut after {length} bytes", "POST", path, good[:length])
    for content_type in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "x" * 5000):
        checker.answer(f"content type {content_type[:40]!r}", "POST", path, good, headers={"Content-Type": content_type})


def paths(checker):
    for name in ("nobody", "a%00b", "%2e%2e", "a%20b", "%ff", "x" * 10_000, "a%0ab", "'--", "%22"):
        for method, path in (("GET", f"/api/v1/accounts/{name}"), ("DELETE", f"/api/v1/accounts/{name}"),
                             ("PUT", f"/api/v1/accounts/{name}"), ("POST", f"/api/v1/accounts/{name}/deposits"),
                             ("GET", f"/api/v1/accounts/{name}/usage"), ("GET", f"/api/v1/accounts/{name}/holds")):
            body = encode({"budget_limit": 1} if method == "PUT" else MOVE) if method in ("PUT", "POST") else None
            checker.answer(f"{method} {path[:60]}", method, path, body)
    for query in ("limit=-1", "limit=x", "limit=0", "limit=99999999999999999999", "from=yesterday", "to=2025-02-30",
                  "last=30x", "last=-1d", "type=bribe", "cursor=x", "cursor=-1", "colour=red", "limit=1&limit=2",
                  "account=%00", "%"):
        checker.answer(f"GET transactions?{query}", "GET", f"/api/v1/transactions?{query}", None)


def accounts_that_cannot(checker, service):
    """Unknown, closed, suspended and out of their period; and the same id with two bodies."""
    check = {"partition": "gpu-aws", "nodes": 1, "cpus": 4, "wall_time": "01:00:00"}
    for account in ("nobody", "closed1", "paused1", "past1", "future1"):
        before = checker.state()
        checker.count += 1
        status, text = service.request("POST", "/api/v1/budget/check", encode({**check, "account": account}),
                                       {"Content-Type": "application/json"})
        answer = json.loads(text)
        if status >= 500 or (status < 300 and answer.get("available") is not False) or account not in json.dumps(answer):
            checker.fault(f"a check of {account}", f"answered {status} {text[:300]!r}")
        if checker.state() != before:
            checker.fault(f"a check of {account}", "changed something")
    path = f"/api/v1/accounts/{ACCOUNT}/deposits"
    request_id = str(uuid.uuid4())
    first = service.request("POST", path, encode({**MOVE, "request_id": request_id}), {"Content-Type": "application/json"})
    again = service.request("POST", path, encode({**MOVE, "request_id": request_id}), {"Content-Type": "application/json"})
    if first != again or first[0] >= 300:
        checker.fault("the same deposit twice", f"{first} and then {again}")
    before = checker.state()
    status = checker.answer("the same id with another body", "POST", path,
                            encode({**MOVE, "amount": 2, "request_id": request_id}), "request id")
    if status not in (None, 409):
        checker.fault("the same id with another body", f"answered {status}")
    if checker.state() != before:
        checker.fault("the same id with another body", "changed something")


def clients_that_leave(checker, service):
    """Disconnected within the request, or before the answer: afterwards the service answers as before."""
    body = encode({"account": "nobody", "partition": "gpu-aws", "nodes": 1, "cpus": 4, "wall_time": "01:00:00"})
    request = (b"POST /api/v1/budget/check HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
               b"Content-Length: " + str(len(body)).encode() + b"\r\n\r\n" + body)
    for length in list(range(0, len(request), 7)) + [len(request)] * 20:
        checker.count += 1
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
            client.connect(str(service.socket))
            client.sendall(request[:length])
    for junk in (b"\0" * 4096, b"GET\r\n\r\n", b"POST / HTTP/9.9\r\n\r\n", b"GET / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
                 b"GET / HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
                 b"GET /" + OVERLONG * 20 + b" HTTP/1.1\r\n\r\n", b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 20_000):
        checker.count += 1
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
            client.settimeout(10)
            client.connect(str(service.socket))
            try:
                client.sendall(junk)
                client.shutdown(socket.SHUT_WR)
                answer = client.recv(4096)
            except (BrokenPipeError, ConnectionResetError):
                continue
            if answer and b" 4" not in answer.split(b"\r\n", 1)[0] and b" 5" not in answer.split(b"\r\n", 1)[0]:
                checker.fault(f"{junk[:40]!r}", f"answered {answer[:80]!r}")
    if not service.is_healthy():
        checker.fault("clients that leave", "the service does not answer any more")


PERIOD = ["--start=2026-01-01", "--end=2036-12-31"]
# The command line with one value that is bad, and what its answer must name.
COMMANDS = [
    *[(["account", "create", "--name=proj910", f"--budget={value}", *PERIOD], "budget")
      for value in ("", "abc", "NaN", "inf", "-1", "1e400", "1.1234567", "1,000", "1000000000001", "9" * 10_000)],
    *[(["account", "create", f"--name={value}", "--budget=1", *PERIOD], "--name")
      for value in ("", 'a"b', "a'b", "a\nb", "a/b", "a b", HUGE)],
    *[(["account", "create", "--name=proj910", "--budget=1", f"--start={value}", "--end=2036-12-31"], "start")
      for value in ("", "yesterday", "2025-02-30", "2025-13-01", "2025-1-1", HUGE)],
    (["account", "create", "--name=proj910", "--budget=1", "--start=2030-01-01", "--end=2029-01-01"], "end"),
    (["account", "create", "--name=proj910", "--budget=1", "--parent=nobody", *PERIOD], "nobody"),
    (["account", "create", "--name=proj001", "--budget=1", *PERIOD], "proj001"),
    *[(["account", "update", "proj001", f"--hold-percentage={value}"], "hold")
      for value in ("", "abc", "0.5", "11", "nan", "-1")],
    *[(["account", "create", "--name=proj910", "--budget=1", f"--carry-over={value}", *PERIOD], "carry")
      for value in ("half", "1e2%", "101%", "-1%", "0.00001%", "50")],
    *[(["account", "update", "proj001", f"--carry-over={value}"], "carry")
      for value in ("", "half", "1e2%", "101%", "-1%", "50")],
    *[(["account", "update", "proj001", f"--credit={value}"], "credit")
      for value in ("", "abc", "-1", "inf", "1e400", "1.1234567", "1,000")],
    *[(["account", "update", "proj001", f"--may-convert={value}"], "convert") for value in ("", "maybe", "1")],
    *[(["account", "set-limit", "proj001", "--partition=gpu-aws", f"--limit={value}"], "limit")
      for value in ("", "abc", "-1", "inf")],
    *[(["deposit", "proj001", f"--amount={value}", "--reason=agreed"], "amount")
      for value in ("", "abc", "nan", "0", "-1", "1e400", "1.1234567")],
    (["deposit", "proj001", "--amount=1"], "reason"),
    (["deposit", "proj001", "--amount=1", "--reason="], "reason"),
    (["deposit", "nobody", "--amount=1", "--reason=agreed"], "nobody"),
    (["deposit", "closed1", "--amount=1", "--reason=agreed"], "closed1"),
    (["withdraw", "proj001", "--amount=1000000", "--reason=agreed"], "1000000"),
    (["transfer", "proj001", "proj001", "--amount=1", "--reason=agreed"], "itself"),
    (["transfer", "proj001", "nobody", "--amount=1", "--reason=agreed"], "nobody"),
    (["refund", "proj001", "--job=4711", "--amount=1", "--reason=agreed"], "4711"),
    (["refund", "proj001", "--amount=1", "--reason=agreed"], "job"),
    (["write-off", "proj001", "--job=4711", "--reason=agreed"], "4711"),
    (["write-off", "proj001", "--reason=agreed"], "job"),
    (["write-off", "proj001", "--job=4711"], "reason"),
    *[(["write-off", "proj001", "--job=4711", f"--amount={value}", "--reason=agreed"], "amount")
      for value in ("", "abc", "nan", "0", "-1", "1e400", "1.1234567")],
    *[(["convert", "proj001", "--to=core-hours", f"--amount={value}", "--reason=agreed"], "amount")
      for value in ("", "abc", "nan", "0", "-1", "1e400", "1.1234567")],
    (["convert", "proj001", "--amount=1", "--reason=agreed"], "to"),
    (["convert", "proj001", "--to=core-hours", "--amount=1"], "reason"),
    (["convert", "proj001", "--to=USD", "--amount=1", "--reason=agreed"], "unit"),
    (["convert", "proj001", "--to=core-hours", "--amount=1", "--reason=agreed"], "proj001"),
    (["convert", "nobody", "--to=core-hours", "--amount=1", "--reason=agreed"], "nobody"),
    *[(["rates", "set", "USD", "core-hours", value], "rate")
      for value in ("", "abc", "nan", "0", "-1", "1e400", "1.1234567")],
    (["rates", "set", "USD", "USD", "2"], "USD"),
    (["rates", "set", "USD", "a b", "2"], "a b"),
    (["rates", "set", "USD", "core-hours"], "rate"),
    *[(["rates", "set", "USD", "core-hours", "2", f"--effective-from={value}"], "effective")
      for value in ("", "yesterday", "2025-02-30", HUGE)],
    (["adjust", "proj001", "--amount=0", "--reason=agreed"], "amount"),
    (["transactions", "proj001", "--last=30x"], "last"),
    (["transactions", "proj001", "--from=yesterday"], "from"),
    (["usage", "show", "nobody"], "nobody"),
    (["account", "show", "nobody"], "nobody"),
    (["account", "show"], "ACCOUNT"),
    (["account", "list", "--output=xml"], "xml"),
    (["account", "list", "--colour"], "colour"),
    (["colour"], "colour"),
    (["prices", "import", "/nowhere.yaml"], "/nowhere.yaml"),
    (["--config=/nowhere.yaml", "account", "list"], "/nowhere.yaml"),
]


def command_line(checker, service):
    for arguments, named in COMMANDS:
        checker.count += 1
        what = "asbb " + " ".join(word[:40] for word in arguments)
        result = subprocess.run([service.programs / "asbb", *arguments], cwd=service.path, env=service.environment(),
                                capture_output=True, text=True, timeout=60, check=False)
        said = result.stderr
        if result.returncode not in (1, 2, 3):
            checker.fault(what, f"ended with {result.returncode}: {result.stdout[:200]}{said[:300]}")
        elif named.lower() not in said.lower():
            checker.fault(what, f"does not name {named!r}: {said[:300]}")
        elif len(said) > 4000:
            checker.fault(what, f"says {len(said)} characters")


def prepare(service):
    service.asbb("prices", "import", "prices.yaml")
    for name, start, end in (("proj001", "2026-01-01", "2036-12-31"), ("proj002", "2026-01-01", "2036-12-31"),
                             ("closed1", "2026-01-01", "2036-12-31"), ("paused1", "2026-01-01", "2036-12-31"),
                             ("past1", "2020-01-01", "2020-12-31"), ("future1", "2035-01-01", "2035-12-31")):
        service.asbb("account", "create", f"--name={name}", "--budget=100", f"--start={start}", f"--end={end}")
    service.asbb("account", "delete", "closed1")
    service.asbb("account", "update", "paused1", "--status=suspended")


def main():
    with ScratchService(sys.argv[1]) as service:
        prepare(service)
        checker = Checker(service)
        before = checker.state()
        table(checker)
        bodies(checker)
        paths(checker)
        clients_that_leave(checker, service)
        command_line(checker, service)
        after = checker.state()
        if after != before:
            checker.fault("all of it", f"changed something:\n{before}\n{after}")
        accounts_that_cannot(checker, service)
    for failure in checker.failures:
        print(failure, file=sys.stderr)
    print(f"{checker.count} bad requests and commands, {len(checker.failures)} not answered as they should")
    return 1 if checker.failures or checker.count < 500 else 0


if __name__ == "__main__":
    sys.exit(main())
