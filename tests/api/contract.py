#!/usr/bin/python3
"""The contract of the REST API, api/openapi.yaml, held against its own examples, against the code that
reads and writes JSON, and against a service that runs.

    contract.py                      every example fits its schema; schemas of answers are closed
    contract.py --codec PROGRAM      what the C++ writes fits, and it reads every example (api_codec)
    contract.py --socket PATH        asks a running service what can be read
    contract.py --socket PATH --write   and creates an account of its own, holds, charges, closes it
        --cluster NAME --partition NAME   where a hold is priced, in USD
    contract.py --service PROGRAMS   all of it against a service that it starts

Other tests import check_response(method, path, status, body).
"""

import argparse
import json
import re
import subprocess
import sys
import time
import uuid
from pathlib import Path

import jsonschema
import yaml

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from scratch_service import EXAMPLE_PRICES, ROOT, ScratchService, UnixConnection  # noqa: E402

SPECIFICATION = ROOT / "api" / "openapi.yaml"
REFERENCE = ROOT / "docs" / "reference" / "rest-api.md"
METHODS = ("get", "put", "post", "delete")


class ContractError(AssertionError):
    """Something that was sent, answered or written down breaks the contract."""


def load():
    with open(SPECIFICATION, encoding="utf-8") as file:
        return yaml.safe_load(file)


DOCUMENT = load()


def resolve(node):
    while isinstance(node, dict) and "$ref" in node:
        target = DOCUMENT
        for part in node["$ref"].removeprefix("#/").split("/"):
            target = target[part]
        node = target
    return node


def check(schema, value, what):
    """The value fits the schema, or ContractError says where it does not."""
    resolver = jsonschema.RefResolver("", DOCUMENT)
    validator = jsonschema.Draft202012Validator(schema, resolver=resolver)
    errors = sorted(validator.iter_errors(value), key=lambda error: list(error.absolute_path))
    if errors:
        lines = [f"{what}: {'/'.join(map(str, error.absolute_path)) or '(all of it)'}: {error.message}"
                 for error in errors[:5]]
        raise ContractError("\n".join(lines))


def operations():
    """(METHOD, path pattern, operation) of everything that is documented."""
    for path, item in DOCUMENT["paths"].items():
        for method in METHODS:
            if method in item:
                yield method.upper(), path, item[method]


def find_operation(method, path):
    bare = path.split("?", 1)[0]
    for documented, pattern, operation in operations():
        expression = re.sub(r"\\\{[^/]+\\\}", "[^/]+", re.escape(pattern))
        if documented == method.upper() and re.fullmatch(expression, bare):
            return pattern, operation
    raise ContractError(f"{method} {path} is not in the contract")


def response_of(operation, status):
    responses = operation["responses"]
    found = responses.get(str(status))
    if found is None and int(status) >= 400:
        found = responses.get("default")
    return resolve(found) if found is not None else None


def check_response(method, path, status, body, content_type="application/json"):
    """Raises ContractError unless that answer is one that the contract allows. `body` is bytes or text."""
    what = f"{method} {path} -> {status}"
    _, operation = find_operation(method, path)
    response = response_of(operation, status)
    if response is None:
        raise ContractError(f"{what}: this status is not in the contract")
    content = response.get("content")
    text = body.decode("utf-8") if isinstance(body, bytes) else body
    if not content:
        if text:
            raise ContractError(f"{what}: there must be no body, not {text[:100]!r}")
        return None
    kind = content_type.split(";", 1)[0].strip()
    if kind not in content:
        raise ContractError(f"{what}: {kind!r} is not a form that the contract has")
    if kind != "application/json":
        return text
    value = json.loads(text)
    check(content[kind]["schema"], value, what)
    return value


def check_request(method, path, body):
    _, operation = find_operation(method, path)
    content = resolve(operation["requestBody"])["content"]["application/json"]
    check(content["schema"], body, f"{method} {path}")


def examples_of(holder):
    if "example" in holder:
        yield "example", holder["example"]
    for name, example in holder.get("examples", {}).items():
        yield name, resolve(example)["value"]


def media_types():
    """(what, schema name or None, media type object) of every request and response."""
    for method, path, operation in operations():
        if "requestBody" in operation:
            for kind, media in resolve(operation["requestBody"])["content"].items():
                yield f"{method} {path} request", kind, media
        for status, response in operation["responses"].items():
            for kind, media in resolve(response).get("content", {}).items():
                yield f"{method} {path} {status}", kind, media


def check_document():
    """Examples fit; what is answered is closed; what is asked is open; every schema is used."""
    count = 0
    for what, kind, media in media_types():
        if kind != "application/json":
            continue
        for name, value in examples_of(media):
            check(media["schema"], value, f"{what} ({name})")
            count += 1
    for method, path, operation in operations():
        item = DOCUMENT["paths"][path]
        for parameter in item.get("parameters", []) + operation.get("parameters", []):
            parameter = resolve(parameter)
            for name, value in examples_of(parameter):
                check(parameter["schema"], value, f"{method} {path} {parameter['name']} ({name})")
                count += 1
    check_closed()
    identifiers = [operation["operationId"] for _, _, operation in operations()]
    if len(identifiers) != len(set(identifiers)):
        raise ContractError("an operationId is used twice")
    return count


def reachable(schema, seen):
    """Names of the component schemas that a schema leads to."""
    if isinstance(schema, list):
        for item in schema:
            reachable(item, seen)
    if not isinstance(schema, dict):
        return
    reference = schema.get("$ref", "")
    if reference.startswith("#/components/schemas/"):
        name = reference.rsplit("/", 1)[1]
        if name not in seen:
            seen.add(name)
            reachable(DOCUMENT["components"]["schemas"][name], seen)
    for value in schema.values():
        reachable(value, seen)


def check_closed():
    asked, answered, parameters = set(), set(), set()
    for what, _, media in media_types():
        reachable(media["schema"], asked if what.endswith("request") else answered)
    reachable(DOCUMENT["components"]["parameters"], parameters)
    reachable(DOCUMENT["paths"], parameters)
    schemas = DOCUMENT["components"]["schemas"]
    for name, schema in schemas.items():
        is_object = schema.get("type") == "object"
        if name not in asked | answered | parameters:
            raise ContractError(f"schema {name} is not used")
        if is_object and name in answered and schema.get("additionalProperties") is not False:
            raise ContractError(f"schema {name} is answered and must be closed")
        if is_object and name in asked and "additionalProperties" in schema:
            raise ContractError(f"schema {name} is asked and must be open")


def check_reference():
    """docs/reference/rest-api.md lists every route, and no other."""
    listed = set(re.findall(r"^\| `([A-Z]+ /[^`]*)` \|", REFERENCE.read_text(encoding="utf-8"), re.M))
    documented = {f"{method} {path}" for method, path, _ in operations()}
    if listed != documented:
        raise ContractError(f"{REFERENCE.name} and the contract differ: {sorted(listed ^ documented)}")


def check_codec(program):
    """The C++ types write what the contract says and read its examples back."""
    schemas = DOCUMENT["components"]["schemas"]
    lines = subprocess.run([program], check=True, capture_output=True, text=True).stdout.splitlines()
    for line in lines:
        name, text = line.split("\t", 1)
        check(schemas[name], json.loads(text), f"{program} writes {name}")
    written = {line.split("\t", 1)[0] for line in lines}
    sent = []
    for what, kind, media in media_types():
        reference = media["schema"].get("$ref", "").rsplit("/", 1)[-1]
        if kind == "application/json" and reference in written:
            sent += [(what, reference, value) for _, value in examples_of(media)]
    text = "".join(f"{name}\t{json.dumps(value)}\n" for _, name, value in sent)
    read = subprocess.run([program, "read"], input=text, check=True, capture_output=True, text=True)
    answers = read.stdout.splitlines()
    if len(answers) != len(sent):
        raise ContractError(f"{program} read {len(answers)} of {len(sent)} examples")
    for (what, name, _), answer in zip(sent, answers):
        if not answer.startswith("{"):
            raise ContractError(f"{what}: {program} does not read the example: {answer}")
        check(schemas[name], json.loads(answer), f"{what} read and written again")
    return len(lines) + len(sent)


class LiveService:
    """Asks a service over its socket; every answer must keep the contract."""

    def __init__(self, socket_path):
        self.socket_path = socket_path
        self.asked = set()

    def call(self, method, path, body=None, expect=200, accept="application/json", sent=None):
        if body is not None and expect < 400:
            check_request(method, path, body)
        text = sent if sent is not None else (None if body is None else json.dumps(body))
        connection = UnixConnection(self.socket_path)
        try:
            connection.request(method, path, body=text,
                               headers={"Accept": accept, "Content-Type": "application/json"})
            answer = connection.getresponse()
            content = answer.read()
        finally:
            connection.close()
        if answer.status != expect:
            raise ContractError(f"{method} {path}: status {answer.status}, not {expect}: {content[:300]!r}")
        pattern, _ = find_operation(method, path)
        self.asked.add((method, pattern))
        return check_response(method, path, answer.status, content,
                              answer.getheader("Content-Type", ""))


def page_by_cursor(service):
    """Forwards by `after` and backwards by `before` come to the same entries, each once."""
    forwards, backwards = [], []
    while page := service.call("GET", f"/api/v1/transactions?limit=7&after={forwards[-1] if forwards else 0}"):
        forwards += [entry["id"] for entry in page]
    query = ""
    while page := service.call("GET", f"/api/v1/transactions?limit=7{query}"):
        backwards += [entry["id"] for entry in page]
        query = f"&before={backwards[-1]}"
    if not forwards or forwards != sorted(set(forwards)) or forwards != backwards[::-1]:
        raise ContractError(f"pages of transactions overlap or have gaps: {forwards} and {backwards}")


def charges_by_cursor(service):
    """Pages of two come to what one page has, and to what spent money among all entries."""
    whole = service.call("GET", "/api/v1/usage/charges?limit=10000")["charges"]
    pages, after = [], 0
    while True:
        page = service.call("GET", f"/api/v1/usage/charges?limit=2&after={after}")
        pages += page["charges"]
        after = page.get("next", 0)
        if not after:
            break
    kinds = "charge,overrun,refund,write_off_out,write_off_in,adjustment"
    spent = service.call("GET", f"/api/v1/transactions?limit=10000&after=0&type={kinds}")
    if pages != whole or [entry["id"] for entry in spent] != [entry["id"] for entry in whole]:
        raise ContractError(f"pages of charges differ: {pages} and {whole} and {spent}")
    service.call("GET", "/api/v1/usage/charges?limit=10001", expect=400)
    service.call("GET", "/api/v1/usage/charges?account=no-such-account", expect=404)


def read_live(service):
    service.call("GET", "/health")
    service.call("GET", "/version")
    service.call("GET", "/metrics", accept="text/plain")
    service.call("GET", "/api/v1/status")
    service.call("GET", "/api/v1/doctor")
    service.call("GET", "/api/v1/clusters")
    for account in service.call("GET", "/api/v1/accounts"):
        path = "/api/v1/accounts/" + account["slurm_account"]
        service.call("GET", path)
        service.call("GET", path + "/holds")
        service.call("GET", path + "/usage")
        service.call("GET", path + "/forecast")
    service.call("GET", "/api/v1/usage?period=year")
    service.call("GET", "/api/v1/usage?period=week", expect=400)
    charges_by_cursor(service)
    for entry in service.call("GET", "/api/v1/transactions?limit=1000")[:50]:
        service.call("GET", f"/api/v1/transactions/{entry['id']}")
    page_by_cursor(service)
    service.call("GET", "/api/v1/transactions/999999999", expect=404)
    service.call("GET", "/api/v1/transactions?before=5&after=5", expect=400)
    service.call("GET", "/api/v1/integration/budget-context/4000000000")
    service.call("GET", "/api/v1/integration/budget-context/none", expect=400)
    for book in service.call("GET", "/api/v1/prices"):
        service.call("GET", f"/api/v1/prices/{book['version']}")
    service.call("GET", "/api/v1/audit/entries?after=1&limit=500")
    service.call("GET", "/api/v1/audit/verify")
    service.call("GET", "/api/v1/accounts/no-such-account", expect=404)
    service.call("GET", "/api/v1/transactions?limit=0", expect=400)
    service.call("GET", "/api/v1/transactions?acount=a", expect=400)


def write_accounts(service, name):
    path = "/api/v1/accounts/" + name
    create = {"slurm_account": name, "budget_limit": "50.000001", "start_date": "2020-01-01",
              "end_date": "2099-12-31", "unknown": {"is": "ignored"}}
    account = service.call("POST", "/api/v1/accounts", create, expect=201)
    if account["budgets"][0]["last_day"] != "2099-12-31" or account["budget_limit"] != 50.000001:
        raise ContractError(f"the account is not as it was asked: {account}")
    service.call("POST", "/api/v1/accounts", create, expect=409)
    service.call("POST", "/api/v1/accounts", expect=400, sent='{"slurm_account":"a","slurm_account":"b"}')
    service.call("POST", "/api/v1/accounts", expect=400, sent="{\"slurm_account\":\"\xff\"}".encode("latin-1"))
    service.call("PUT", path, {"description": "made by the contract test", "owners": ["alice", "pi@example.org"]})
    if service.call("GET", path)["owners"] != ["alice", "pi@example.org"]:
        raise ContractError("the owners are lost")
    import_accounts(service, name)
    service.call("GET", path + "/holds")
    if not service.call("GET", path + "/forecast")["budgets"][0]["summary"]:
        raise ContractError("the forecast says nothing")
    service.call("PUT", path + "/partition-limits/no-such-partition", {"limit": 20, "unit": "USD"})
    service.call("POST", path + "/adjustments", {"amount": 0.5, "reason": "contract", "unit": "USD"})
    service.call("POST", path + "/adjustments", {"amount": -0.5, "reason": "contract", "unit": "USD"})
    service.call("POST", path + "/adjustments", {"amount": 0, "reason": "none", "unit": "USD"}, expect=400)
    service.call("POST", path + "/deposits", {"amount": 2, "reason": "of which unit?"}, expect=400)
    service.call("POST", path + "/adjustments", {"amount": 1, "unit": "USD"}, expect=400)
    service.call("POST", path + "/deposits", {"amount": 2, "reason": "contract", "unit": "USD"})
    service.call("POST", path + "/withdrawals", {"amount": 2, "reason": "contract", "unit": "USD"})
    service.call("POST", path + "/withdrawals", {"amount": 1e6, "reason": "contract", "unit": "USD"}, expect=409)
    service.call("POST", path + "/transfers", {"to": name, "amount": 1, "reason": "contract", "unit": "USD"}, expect=409)
    service.call("POST", path + "/refunds", {"job_id": "none", "amount": 1, "reason": "contract"}, expect=404)
    service.call("POST", path + "/write-offs", {"job_id": "none", "reason": "contract"}, expect=404)


def import_accounts(service, name):
    """All of it or nothing."""
    period = {"start_date": "2020-01-01", "end_date": "2099-12-31"}
    top = name + "-top"
    request = {"accounts": [{"slurm_account": top}, {"slurm_account": name + "-below", "parent": top}],
               "budgets": [{"account": name, "unit": "core-hours", "limit": 5, **period},
                           {"account": name, "unit": "USD", "limit": 5, **period}]}
    refused = service.call("POST", "/api/v1/accounts/import", request, expect=409)
    if refused["error"]["field"] != "budgets[1].start_date":
        raise ContractError(f"the refusal does not say what is at fault: {refused}")
    service.call("GET", "/api/v1/accounts/" + top, expect=404)
    del request["budgets"][1]
    made = service.call("POST", "/api/v1/accounts/import", request, expect=201)
    if made != {"accounts_created": 2, "budgets_added": 1}:
        raise ContractError(f"imported: {made}")
    service.call("POST", "/api/v1/accounts/import", {}, expect=400)


def read_alerts(service):
    """Nothing is spent, so there are none."""
    for query in ("", "?status=all", "?account=contract-missing"):
        service.call("GET", "/api/v1/alerts" + query, expect=200 if "account" not in query else 404)
    service.call("GET", "/api/v1/alerts?status=loud", expect=400)
    rules = service.call("GET", "/api/v1/alerts/rules")
    if rules["thresholds"] != ["50 %", "75 %", "90 %", "100 %"]:
        raise ContractError(f"the rules are {rules}")
    service.call("POST", "/api/v1/alerts/1000000/acknowledge", {"note": "contract"}, expect=404)
    service.call("POST", "/api/v1/alerts/one/acknowledge", expect=400)


def convert_units(service, name):
    """An account of two units, and a rate between them."""
    path = "/api/v1/accounts/" + name
    period = {"start_date": "2020-01-01", "end_date": "2099-12-31"}
    service.call("POST", "/api/v1/accounts", {"slurm_account": name, "budgets": [
        {"unit": "USD", "limit": 50, **period}, {"unit": "core-hours", "limit": 0, **period}]}, expect=201)
    service.call("POST", "/api/v1/conversion-rates",
                 {"from_unit": "USD", "to_unit": "core-hours", "rate": 25}, expect=201)
    service.call("POST", "/api/v1/conversion-rates",
                 {"from_unit": "USD", "to_unit": "USD", "rate": 1}, expect=400)
    service.call("GET", "/api/v1/conversion-rates")
    convert = {"amount": 2, "to_unit": "core-hours", "reason": "contract"}
    service.call("POST", path + "/conversions", convert, expect=409)
    service.call("PUT", path, {"may_convert": True})
    account = service.call("POST", path + "/conversions", convert)
    limits = {budget["unit"]: budget["limit"] for budget in account["budgets"]}
    if limits != {"USD": 48, "core-hours": 50}:
        raise ContractError(f"2 USD at 25 became {limits}")
    service.call("DELETE", path, expect=204)


def hold_and_charge(service, name, partition):
    """An external caller's job: what fits is held and charged, what does not fit is refused."""
    check = {"account": name, "partition": partition, "nodes": 1, "cpus": 1, "wall_time": "00:10:00"}
    granted = service.call("POST", "/api/v1/budget/check", check)
    if not granted["available"] or not granted["transaction_id"]:
        raise ContractError(f"what fits was not granted: {granted}")
    refused = service.call("POST", "/api/v1/budget/check", dict(check, nodes=100000, wall_time="100-00:00:00"))
    if refused["available"] or refused["hold_amount"]:
        raise ContractError(f"what does not fit was granted: {refused}")
    settle = {"job_id": "contract", "actual_cost": 0.000001, "transaction_id": granted["transaction_id"]}
    service.call("POST", "/api/v1/budget/reconcile", settle)
    service.call("POST", "/api/v1/budget/reconcile", settle)
    service.call("POST", "/api/v1/budget/reconcile", dict(settle, actual_cost=1), expect=409)


def quote_both_ways(service, name, cluster, partition):
    """What fits and what does not, without a trace in the account."""
    job = {"account": name, "partition": partition, "cluster": cluster, "num_tasks": 1,
           "min_cpus": 1, "time_limit": 10}
    service.call("POST", "/api/v1/quote", job)
    service.call("POST", "/api/v1/quote", dict(job, time_limit="UNLIMITED"))
    service.call("POST", "/api/v1/quote", dict(job, cluster="no-such-cluster"), expect=400)
    service.call("POST", "/api/v1/quote", dict(job, num_tasks="many"), expect=400)


def reconcile_patiently(service, path, body, patience_s=150):
    """A pass that is not done in time answers 503 and asks to be asked again."""
    until = time.monotonic() + patience_s
    while True:
        try:
            return service.call("POST", path, body)
        except ContractError as error:
            if "status 503" not in str(error) or time.monotonic() > until:
                raise


def write_prices(service):
    """The book in force once more, from now on."""
    current = service.call("GET", "/api/v1/prices/current")
    text = re.sub(r"(?m)^effective_from:.*$", "", current["text"])
    again = service.call("POST", "/api/v1/prices", {"text": text}, expect=201)
    if again["version"] <= current["version"]:
        raise ContractError(f"version {again['version']} follows {current['version']}")
    service.call("POST", "/api/v1/prices", {"text": "prices: 7"}, expect=400)


def write_live(service, cluster, partition):
    name = "contract-" + uuid.uuid4().hex[:12]
    write_accounts(service, name)
    write_prices(service)
    read_alerts(service)
    convert_units(service, name + "-units")
    hold_and_charge(service, name, partition)
    quote_both_ways(service, name, cluster, partition)
    service.call("POST", "/api/v1/slurm/notify", {"cluster": cluster, "job_id": "4000000000"})
    answer = reconcile_patiently(service, "/api/v1/jobs/4000000000/reconcile", {"cluster": cluster})
    if answer["success"]:
        raise ContractError(f"a job that never was is reconciled: {answer}")
    service.call("POST", "/api/v1/jobs/4000000000/reconcile", {"actual_cost": 1}, expect=400)
    for dry_run in (True, False):
        told = reconcile_patiently(service, "/api/v1/recovery", {"dry_run": dry_run, "account": name})
        if told["dry_run"] is not dry_run:
            raise ContractError(f"recovery: {told}")
    refused = {"account": name, "partition": "no-such-partition", "nodes": 0, "cpus": 1,
               "wall_time": "01:00:00"}
    service.call("POST", "/api/v1/budget/check", refused, expect=400)
    service.call("POST", "/api/v1/budget/reconcile",
                 {"job_id": "no-such-job", "actual_cost": 1, "transaction_id": "none"}, expect=404)
    token = f"{0:012x}" + uuid.uuid4().hex
    answer = service.call("PUT", "/api/v1/slurm/submissions/" + token,
                          {"cluster": "no-such-cluster", "slurm_version": "22.05.8",
                           "time_budget_ms": 50, "on_silence": "deny", "submit_uid": 0, "user_id": 0})
    if answer["decision"] != "deny":
        raise ContractError(f"a token of 1970 was accepted: {answer}")
    answer = service.call("POST", "/api/v1/slurm/changes",
                          {"cluster": cluster, "slurm_version": "22.05.8", "time_budget_ms": 50,
                           "on_silence": "deny", "submit_uid": 65533, "job": "40000000",
                           "time_limit": 60})
    if answer["decision"] != "deny" or answer["code"] != "job_unknown":
        raise ContractError(f"a change of no job was answered so: {answer}")
    service.call("GET", "/api/v1/accounts/" + name + "/usage")
    service.call("DELETE", "/api/v1/accounts/" + name, expect=204)


def ask(socket_path, options):
    service = LiveService(socket_path)
    if options.write:
        write_live(service, options.cluster, options.partition)
    read_live(service)
    documented = {(method, pattern) for method, pattern, _ in operations()}
    missing = documented - service.asked
    if options.write and missing:
        raise ContractError(f"never asked: {sorted(missing)}")
    print(f"{len(service.asked)} operations answered as they must")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--codec")
    parser.add_argument("--socket")
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--cluster", default="onprem")
    parser.add_argument("--partition", default="gpu-aws")
    parser.add_argument("--service")
    options = parser.parse_args()
    try:
        print(f"{check_document()} examples fit")
        check_reference()
        if options.codec:
            print(f"{check_codec(options.codec)} values of the code fit")
        if options.socket:
            ask(options.socket, options)
        if options.service:
            with ScratchService(options.service) as service:
                service.asbb("prices", "import", str(EXAMPLE_PRICES))
                options.write = True
                ask(str(service.socket), options)
    except (ContractError, OSError, ValueError, subprocess.CalledProcessError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
