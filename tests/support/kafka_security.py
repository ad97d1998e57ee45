"""A broker that wants to know whom it talks to: TLS with a CA of its own, SASL logins, and mutual TLS.

The certificates are made by the `openssl` program and are good for a day.
"""

from __future__ import annotations

import base64
import json
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from confluent_kafka.admin import (  # type: ignore[attr-defined]
    AclBinding,
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    AdminClient,
    ResourcePatternType,
    ResourceType,
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialAlteration,
    UserScramCredentialUpsertion,
)
from java_server import free_ports
from kafka_broker import KafkaBroker, free_nodes
from typing_extensions import override

USER, PASSWORD = "capi", "journey-kafka-password"
OIDC_CLIENT, OIDC_SECRET = "capi-client", "journey-oidc-secret"
LOGINS = "org.apache.kafka.common.security"


class SecuredBroker:
    """A running broker: `plain` is open, `secure` wants SASL over TLS, `mutual` a certificate of the client."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        make_certificates(folder)
        node = free_nodes(1)[0]
        secure, mutual = free_ports(2)
        self.secure, self.mutual = f"127.0.0.1:{secure}", f"127.0.0.1:{mutual}"
        addresses = {"PLAINTEXT": node.broker_port, "SECURE": secure, "MUTUAL": mutual}
        listeners = ",".join(f"{name}://127.0.0.1:{port}" for name, port in addresses.items())
        self._broker = KafkaBroker(
            nodes=[node],
            overrides={
                "listeners": f"{listeners},CONTROLLER://127.0.0.1:{node.controller_port}",
                "advertised.listeners": listeners,
                "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SECURE:SASL_SSL,MUTUAL:SSL",
                "ssl.keystore.type": "PEM",
                "ssl.keystore.location": str(folder / "broker.pem"),
                "ssl.truststore.type": "PEM",
                "ssl.truststore.location": str(folder / "ca.crt"),
                "listener.name.mutual.ssl.client.auth": "required",
                # Who logs in may do everything until a test forbids something; who comes by the open door always may.
                "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
                "allow.everyone.if.no.acl.found": "true",
                "super.users": "User:ANONYMOUS",
                **_sasl(),
            },
        )

    @property
    def plain(self) -> str:
        """The open listener, for the test itself."""
        return self._broker.bootstrap_servers

    def deny_writes(self, topic: str) -> None:
        """Let the user write to a topic no more; the rest stays allowed."""
        # Where there is one rule, what no rule allows is forbidden: so the rest has to be allowed in so many words.
        rules = [
            AclBinding(ResourceType.TOPIC, topic, ResourcePatternType.LITERAL, f"User:{USER}", "*", operation, what)
            for operation, what in (
                (AclOperation.ALL, AclPermissionType.ALLOW),
                (AclOperation.WRITE, AclPermissionType.DENY),
            )
        ]
        admin = AdminClient({"bootstrap.servers": self.plain})
        for done in admin.create_acls(rules).values():
            done.result()

    def allow_writes(self, topic: str) -> None:
        """Take the rules of a topic back."""
        every = (None, None, AclOperation.ANY, AclPermissionType.ANY)
        rules = [AclBindingFilter(ResourceType.TOPIC, topic, ResourcePatternType.LITERAL, *every)]
        admin = AdminClient({"bootstrap.servers": self.plain})
        for done in admin.delete_acls(rules).values():
            done.result()

    @contextmanager
    def running(self) -> Iterator[None]:
        """Run it, with the SCRAM user made."""
        with self._broker:
            admin = AdminClient({"bootstrap.servers": self.plain})
            how = ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, 4096)
            wanted: list[UserScramCredentialAlteration] = [UserScramCredentialUpsertion(USER, how, PASSWORD.encode())]
            admin.alter_user_scram_credentials(wanted)[USER].result()
            yield


def _sasl() -> dict[str, str]:
    """Return the logins of the listener SECURE. Tokens are unsigned: Kafka checks their claims and no signature."""
    prefix = "listener.name.secure"
    return {
        f"{prefix}.sasl.enabled.mechanisms": "PLAIN,SCRAM-SHA-512,OAUTHBEARER",
        f"{prefix}.plain.sasl.jaas.config": f'{LOGINS}.plain.PlainLoginModule required user_{USER}="{PASSWORD}";',
        f"{prefix}.scram-sha-512.sasl.jaas.config": f"{LOGINS}.scram.ScramLoginModule required;",
        f"{prefix}.oauthbearer.sasl.jaas.config": f"{LOGINS}.oauthbearer.OAuthBearerLoginModule required;",
    }


def make_certificates(folder: Path) -> None:
    """Write `ca.crt`, `broker.pem` (key and certificate), `client.crt` and `client.key`."""
    _openssl(folder, "req", "-x509", *_KEY, "-keyout", "ca.key", "-out", "ca.crt", "-subj", "/CN=Journey CA")
    for name in ("broker", "client"):
        (folder / "names").write_text("subjectAltName=IP:127.0.0.1\n", encoding="ascii")
        _openssl(folder, "req", *_KEY, "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", f"/CN={name}")
        signed = ["-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-days", "1", "-extfile", "names"]
        _openssl(folder, "x509", "-req", "-in", f"{name}.csr", "-out", f"{name}.crt", *signed)
    both = (folder / "broker.key").read_bytes() + (folder / "broker.crt").read_bytes()
    (folder / "broker.pem").write_bytes(both)


_KEY = ("-newkey", "rsa:2048", "-nodes")


def _openssl(folder: Path, *arguments: str) -> None:
    subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)


@contextmanager
def token_endpoint() -> Iterator[str]:
    """Serve OIDC's client-credentials grant; yield the address. Who has another secret gets 401."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Tokens)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/token"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Tokens(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        """Answer with an unsigned token (RFC 7519, section 6) for the client."""
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        login = base64.b64encode(f"{OIDC_CLIENT}:{OIDC_SECRET}".encode()).decode()
        known = self.headers.get("Authorization") == f"Basic {login}"
        body = json.dumps({"access_token": _token(), "token_type": "Bearer", "expires_in": 300}).encode()
        self.send_response(200 if known else 401)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(body if known else b'{"error":"invalid_client"}')

    @override
    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


def _token() -> str:
    now = int(time.time())
    parts = ({"alg": "none"}, {"sub": OIDC_CLIENT, "iat": now, "exp": now + 300})
    head, claims = (base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts)
    return f"{head}.{claims}."
