"""What is said in the configuration of syslog that is taken."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from pydantic import Field, model_validator

from api.follow_settings import TenantName, ZoneName, zone_of
from api.section import Count, Section
from detector.errors import ConfigError

if TYPE_CHECKING:
    import ssl

    from pipelines.syslog.receiving import Address, Bounds, Senders

__all__ = ["SyslogSection"]

_Address = Annotated[str, Field(pattern=r"^(?:[\w.-]*|\[[0-9a-fA-F:]+\]):\d{1,5}$")]


class SyslogTlsSection(Section):
    """Certificates towards senders."""

    cert_file: Path | None = None
    key_file: Path | None = None
    ca_file: Path | None = None

    @model_validator(mode="after")
    def is_whole(self) -> SyslogTlsSection:
        """Only with a certificate of ours can those of senders be asked for."""
        if self.cert_file is None and (self.key_file or self.ca_file):
            raise ValueError("key_file and ca_file need a cert_file")
        return self

    def context(self) -> ssl.SSLContext | None:
        """What speaks TLS; `ConfigError` names a file that cannot be used."""
        import ssl

        if self.cert_file is None:
            return None
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        try:
            context.load_cert_chain(self.cert_file, self.key_file)
            if self.ca_file is not None:
                context.load_verify_locations(self.ca_file)
                context.verify_mode = ssl.CERT_REQUIRED
        except OSError as error:
            raise ConfigError(f"logs.syslog.tls: certificates cannot be used: {error}") from error
        return context


class SyslogSection(Section):
    """Syslog that is taken."""

    tcp: _Address | None = None
    udp: _Address | None = None
    tls: SyslogTlsSection = SyslogTlsSection()
    tenant: TenantName = "default"
    service: str = ""
    namespace: str = ""
    cluster: str = ""
    zone: ZoneName = ""
    mapping: str = "auto"
    connections: Count = 256
    message_kb: Count = 64
    waiting_mb: Count = 16

    @model_validator(mode="after")
    def tls_is_over_tcp(self) -> SyslogSection:
        """Certificates that nothing uses are a mistake."""
        if self.tls.cert_file is not None and self.tcp is None:
            raise ValueError("tls needs tcp: give an address such as 0.0.0.0:6514")
        return self

    def bounds(self) -> Bounds:
        """What is taken at once, in the words of the door."""
        from pipelines.syslog.receiving import Bounds

        return Bounds(
            connections=self.connections,
            message=self.message_kb * 1024,
            waiting=self.waiting_mb * 2**20,
        )

    def senders(self) -> Senders:
        """Whose lines come, in the words of the door."""
        from detector.logs.lines import Origin
        from pipelines.syslog.receiving import Senders

        return Senders(
            tenant=self.tenant,
            origin=Origin(service=self.service, namespace=self.namespace, cluster=self.cluster),
            zone=zone_of(self.zone),
        )

    def tcp_address(self) -> Address | None:
        """Where connections are taken."""
        return None if self.tcp is None else _address(self.tcp, self.tls.context())

    def udp_address(self) -> Address | None:
        """Where datagrams are taken."""
        return None if self.udp is None else _address(self.udp)


def _address(text: str, tls: ssl.SSLContext | None = None) -> Address:
    from pipelines.syslog.receiving import Address

    host, _, port = text.rpartition(":")
    return Address(host=host.strip("[]") or "0.0.0.0", port=int(port), tls=tls)  # noqa: S104 - as it is written
