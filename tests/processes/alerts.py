#!/usr/bin/python3
"""A webhook and a mail server of the test hear of each alert once, while the service is killed and they are away at times.

    tests/processes/alerts.py PROGRAMS
"""

import email
import email.header
import hashlib
import hmac
import http.server
import json
import socketserver
import sys
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from scratch_service import ScratchService  # noqa: E402

SECRET = "a secret of the test"


class Webhook(http.server.BaseHTTPRequestHandler):
    """Keeps what it is told. While `refuses`, it is a server in trouble."""

    received = []
    refuses = False

    def do_POST(self):  # noqa: N802, the library's name
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if Webhook.refuses:
            self.send_response(503)
            self.end_headers()
            return
        expected = "sha256=" + hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
        if self.headers["Asbb-Signature"] != expected:
            raise AssertionError("the signature is wrong")
        Webhook.received.append((self.headers["Asbb-Message-Id"], json.loads(body)))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_):
        pass


class MailServer(socketserver.StreamRequestHandler):
    """As much of SMTP as it takes to receive an e-mail."""

    received = []

    def handle(self):
        receivers = []
        self.say("220 test")
        while line := self.rfile.readline().decode().strip():
            if line.upper().startswith("RCPT TO:"):
                receivers.append(line[8:].strip("<> "))
            if line.upper() == "DATA":
                self.say("354 go on")
                text = b""
                while (part := self.rfile.readline()) != b".\r\n":
                    text += part
                MailServer.received.append((receivers, email.message_from_bytes(text)))
            elif line.upper() == "QUIT":
                self.say("221 bye")
                return
            self.say("250 ok")

    def say(self, text):
        self.wfile.write(text.encode() + b"\r\n")


def serve(server):
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server.server_address[1]


def settings(service, hook_port, mail_port):
    secret = service.path / "secret"
    secret.write_text(SECRET + "\n")
    secret.chmod(0o400)
    with open(service.path / "config.yaml", "a", encoding="utf-8") as file:
        file.write(
            "alerts:\n  interval: 1s\n  digest_at: \"00:00\"\n  channels:\n"
            f"    - {{name: hook, type: webhook, url: \"http://127.0.0.1:{hook_port}/budget\","
            f" secret_file: {secret}}}\n"
            f"    - {{name: mail, type: smtp, url: \"smtp://127.0.0.1:{mail_port}\", severity: critical,"
            " from: asbb@example.org, to: [hpc@example.org], owners_at: example.net, digest: false}\n")


def wait_until(what, seconds=40):
    end = time.monotonic() + seconds
    while not what():
        if time.monotonic() > end:
            raise AssertionError(f"{Webhook.received}\n{[str(mail) for _, mail in MailServer.received]}")
        time.sleep(0.1)


def titles():
    return [body["title"] for _, body in Webhook.received
            if body["kind"] == "alert" and body["account"] == "proj001"]


def run(programs):
    hook = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Webhook)
    mail = socketserver.ThreadingTCPServer(("127.0.0.1", 0), MailServer)
    service = ScratchService(programs)
    with hook, mail:
        settings(service, serve(hook), serve(mail))
        tell(service)


def tell(service):
    with service:
        service.asbb("account", "create", "--name=proj001", "--budget=100", "--start=2020-01-01", "--end=2099-12-31",
                     "--owner=alice", "--owner=pi@example.org")
        service.asbb("account", "update", "proj001", "--owner=bob,pi@example.org")
        service.asbb("adjust", "proj001", "--amount=50", "--reason=half of it")
        wait_until(lambda: titles() == ["proj001 has spent 50 % of its USD budget"])
        service.kill()
        service.start()
        Webhook.refuses = True
        service.asbb("adjust", "proj001", "--amount=50", "--reason=the rest of it")
        wait_until(lambda: MailServer.received)
        wait_until(lambda: "answered 503" in service.asbb("alerts", "list", "--output=json"))
        service.kill()
        time.sleep(1)  # what the killed service had sent is still refused
        Webhook.refuses = False
        service.start()
        wait_until(lambda: len(titles()) == 2)
        number = [alert["id"] for alert in json.loads(service.asbb("alerts", "list", "--output=json"))
                  if alert["title"].startswith("proj001 has spent 100 %")][0]
        service.asbb("alerts", "ack", str(number), "--note=more money comes in May")
        [known] = [alert for alert in json.loads(service.asbb("alerts", "list", "--output=json"))
                   if alert["id"] == number]
        told = [(delivery["channel"], delivery["status"]) for delivery in known["deliveries"]]
        if known["note"] != "more money comes in May" or told != [("hook", "sent"), ("mail", "sent")]:
            raise AssertionError(known)
        time.sleep(3)  # some more looks: nobody is told again
        if titles() != ["proj001 has spent 50 % of its USD budget", "proj001 has spent 100 % of its USD budget"]:
            raise AssertionError(f"told: {titles()}")
        ids = [message_id for message_id, _ in Webhook.received]
        if len(set(ids)) != len(ids) or sum(one.startswith("digest ") for one in ids) > 2:
            raise AssertionError(f"told twice: {ids}")
        [(receivers, message)] = MailServer.received
        if receivers != ["hpc@example.org", "bob@example.net", "pi@example.org"]:
            raise AssertionError(f"the e-mail went to {receivers}")
        if message["Subject"] != "[asbb] proj001 has spent 100 % of its USD budget":
            raise AssertionError(f"{receivers}: {message}")
        if "asbb deposit proj001" not in message.get_payload(decode=True).decode():
            raise AssertionError("the e-mail does not say what to do")


if __name__ == "__main__":
    run(sys.argv[1])
    print("each alert was told once on each channel")
