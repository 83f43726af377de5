"""Clients that hold and settle money all the time and remember what they were told."""

import http.client
import json
import random
import sys
import threading
import time
import uuid
from decimal import Decimal
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from scratch_service import UnixConnection  # noqa: E402

ACCOUNTS = ("proj001", "proj002")
# Of an answer what was so at that moment; all else is the same for ever.
OF_THE_MOMENT = {"budget_remaining", "details", "message", "request_id", "timestamp"}
REMEMBERED_MAX = 200


def lasting(answer):
    return {key: value for key, value in answer.items() if key not in OF_THE_MOMENT}


class Client(threading.Thread):
    """One connection. What got no answer is asked again with the same id, until it is answered."""

    def __init__(self, socket_path, stop, seed):
        super().__init__(daemon=True)
        self.socket_path = socket_path
        self.stop = stop
        self.random = random.Random(seed)
        self.connection = None
        self.holds = {}  # transaction id -> (account, amount)
        self.charges = {}  # transaction id -> amount
        self.answers = []  # path, id, body, answer: some of what was answered, also before a kill
        self.refused = 0
        self.asked_later = 0
        self.retried = 0
        self.problems = []

    def run(self):
        try:
            while not self.stop.is_set():
                self.hold_and_settle()
        except Exception as error:  # pylint: disable=broad-except
            self.problems.append(repr(error))

    def hold_and_settle(self):
        account = self.random.choice(ACCOUNTS)
        check = {"account": account, "partition": "gpu-aws", "nodes": 1, "cpus": self.random.randint(1, 8),
                 "wall_time": f"00:{self.random.randint(1, 59):02}:00"}
        answer = self.ask_and_remember("/api/v1/budget/check", check)
        if not answer["available"]:
            self.refused += 1
            return
        transaction = answer["transaction_id"]
        if transaction in self.holds:
            self.problems.append(f"{transaction} was handed out twice")
        self.holds[transaction] = account, answer["hold_amount"]
        if self.random.random() < 0.6:
            cost = Decimal(self.random.randint(0, 2_000_000)) / 1_000_000
            body = {"job_id": f"job/{transaction}", "actual_cost": str(cost), "transaction_id": transaction}
            settled = self.ask_and_remember("/api/v1/budget/reconcile", body)
            if settled["actual_charge"] != cost:
                self.problems.append(f"{transaction}: {cost} became {settled['actual_charge']}")
            self.charges[transaction] = cost

    def ask_and_remember(self, path, body):
        """Sometimes an older id once more, whatever happened to the service since: the answer must be the same."""
        key = uuid.uuid4().hex
        answer = self.ask(path, key, body)
        if len(self.answers) < REMEMBERED_MAX or self.random.random() < 0.1:
            self.answers.append((path, key, body, answer))
        if self.random.random() < 0.1:
            self.check_again(*self.random.choice(self.answers))
        return answer

    def check_again(self, path, key, body, answer):
        again = self.ask(path, key, body)
        self.asked_later += 1
        if lasting(answer) != lasting(again):
            self.problems.append(f"{path} {key}: {answer} and then {again}")

    def ask(self, path, key, body):
        text = json.dumps(body)
        while True:
            try:
                if self.connection is None:
                    self.connection = UnixConnection(self.socket_path)
                self.connection.request("POST", path, body=text,
                                        headers={"Content-Type": "application/json", "Idempotency-Key": key})
                answer = self.connection.getresponse()
                content = answer.read()
                if answer.status == 200:
                    return json.loads(content, parse_float=Decimal, parse_int=Decimal)
                if answer.status != 503:
                    raise RuntimeError(f"{path}: {answer.status} {content!r}")
            except (OSError, http.client.HTTPException):
                self.connection.close()
                self.connection = None
            self.retried += 1
            time.sleep(0.02)


class Load:
    """Many clients at once; at the end the ledger must be what they were told, no more and no less."""

    def __init__(self, service, connections, seed=1):
        self.service = service
        self.stopping = threading.Event()
        self.clients = [Client(service.socket, self.stopping, seed * 1000 + i) for i in range(connections)]

    def prepare(self):
        for account in ACCOUNTS:
            self.service.asbb("account", "create", f"--name={account}", "--budget=100000000", "--start=2020-01-01",
                              "--end=2099-12-31")
        self.service.asbb("prices", "import", "prices.yaml")

    def start(self):
        for client in self.clients:
            client.start()

    def finish(self):
        """Stops the clients, each after its last answer."""
        self.stopping.set()
        for client in self.clients:
            client.join(timeout=60)
            if client.is_alive():
                raise RuntimeError("a client got no answer within a minute")

    @property
    def answered(self):
        return sum(len(client.holds) for client in self.clients)

    def entries(self, account):
        found = []
        while True:
            status, body = self.service.request(
                "GET", f"/api/v1/transactions?account={account}&limit=10000&offset={len(found)}")
            if status != 200:
                raise RuntimeError(f"transactions: {status} {body!r}")
            page = json.loads(body, parse_float=Decimal, parse_int=Decimal)
            found += page
            if len(page) < 10000:
                return found

    def problems(self):
        """What the ledger has and the clients were not told, and the other way round."""
        found = [problem for client in self.clients for problem in client.problems]
        for account in ACCOUNTS:
            found += self.compare(account)
        verdict = self.service.run("asbb audit verify")
        if verdict.returncode != 0:
            found.append(verdict.stdout)
        return found

    def compare(self, account):
        told_holds, told_charges = {}, {}
        for client in self.clients:
            told_holds.update({key: amount for key, (name, amount) in client.holds.items() if name == account})
            told_charges.update({key: cost for key, cost in client.charges.items()
                                 if client.holds[key][0] == account})
        holds, charges = {}, {}
        for entry in self.entries(account):
            key = entry["transaction_id"]
            if entry["type"] == "hold":
                holds[key] = holds.get(key, Decimal(0)) + entry["amount"]
            elif entry["type"] in ("charge", "overrun"):
                charges[key] = charges.get(key, Decimal(0)) + entry["amount"]
        told_charges = {key: cost for key, cost in told_charges.items() if cost or key in charges}
        found = []
        for what, told, have in (("hold", told_holds, holds), ("charge", told_charges, charges)):
            for key in sorted(set(told) | set(have)):
                if told.get(key) != have.get(key):
                    found.append(f"{account} {what} {key}: told {told.get(key)}, the ledger has {have.get(key)}")
        budget = json.loads(self.service.asbb("account", "show", account, "--output", "json"),
                            parse_float=Decimal, parse_int=Decimal)
        held = sum((amount for key, amount in told_holds.items() if key not in told_charges), Decimal(0))
        settled_free = {key for client in self.clients for key, cost in client.charges.items() if not cost}
        held -= sum((told_holds[key] for key in settled_free if key in told_holds and key not in told_charges),
                    Decimal(0))
        used = sum(told_charges.values(), Decimal(0))
        if budget["budget_held"] != held or budget["budget_used"] != used:
            found.append(f"{account}: held {budget['budget_held']} used {budget['budget_used']}, "
                         f"the clients' sums are {held} and {used}")
        return found[:20]
