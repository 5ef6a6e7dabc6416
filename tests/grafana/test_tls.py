"""Certificates are checked unless somebody said no, against the usual authorities or those of a file."""

from __future__ import annotations

import contextlib
import ipaddress
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from apps.grafana import address
from apps.grafana.errors import Unreachable
from apps.grafana.transport import Credentials, Patience, Transport
from tests.grafana.double import Double
from tests.grafana.double.server import TOKEN


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for 127.0.0.1 that signed itself; its key is beside it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "double")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(1)
        .not_valid_before(now - timedelta(hours=1)).not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    folder = tmp_path_factory.mktemp("tls")
    (folder / "key.pem").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    path = folder / "certificate.pem"
    path.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    return path


@pytest.fixture
def secure(certificate: Path) -> Iterator[Double]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, certificate.with_name("key.pem"))
    with contextlib.closing(Double(tls=context)) as made:
        yield made


def ask(double: Double, *, verify_tls: bool = True, authorities: str = "") -> object:
    transport = Transport(
        address.parse(double.url), Credentials(TOKEN), org_id=1, private=True, verify_tls=verify_tls,
        authorities=authorities, patience=Patience(tries=3),
    )  # fmt: skip
    with contextlib.closing(transport):
        return transport.ask("GET", "/api/org", doing="Asking")


def test_a_certificate_that_nobody_vouches_for_is_refused_at_once(
    secure: Double, monkeypatch: pytest.MonkeyPatch, certificate: Path
) -> None:
    # Nothing of the environment makes it good.
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
    with pytest.raises(Unreachable, match="certificate of https://127") as refused:
        ask(secure)
    assert not refused.value.transient
    assert secure.log == []


def test_a_file_of_authorities_vouches_for_it(secure: Double, certificate: Path) -> None:
    assert ask(secure, authorities=str(certificate))


@pytest.mark.filterwarnings("ignore::urllib3.exceptions.InsecureRequestWarning")
def test_who_says_so_is_not_asked_for_one(secure: Double) -> None:
    assert ask(secure, verify_tls=False)
