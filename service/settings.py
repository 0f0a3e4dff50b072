"""Which settings does the service have, within which bounds, with which defaults? docs/service.md lists them."""

import ipaddress
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

MAX_CONFIG_BYTES = 256 * 1024


class SettingsError(ValueError):
    """A setting that cannot be used: the message names the file, the setting, what was given and what is allowed."""


class JwtSettings(BaseModel):
    """Tokens of an identity provider. `jwks` is a file, or an https address that is asked again every few minutes."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    issuer: str = Field(min_length=1)
    audience: str = Field(min_length=1)
    jwks: str = Field(min_length=1)
    groups_claim: str = "groups"
    user_claim: str = "sub"
    scopes: list[str] = ["ask"]
    algorithms: list[str] = ["RS256", "ES256", "PS256", "EdDSA"]
    leeway: float = Field(30.0, ge=0, le=300)


class Settings(BaseModel):
    """
    Everything that can be set; seconds, megabytes (10^6 bytes) and tokens where nothing else is said.

    Each field's description is what docs/service.md says of it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    host: str = Field("127.0.0.1", description="address to listen on; without any key only the loopback is allowed")
    port: int = Field(8000, ge=0, le=65535, description="port; 0 takes a free one")
    health_port: int = Field(0, ge=0, le=65535, description="a second port for /health alone, on a thread of its own")
    pipelines: str = Field("embedded", description="a set that comes with Excerpt, or a folder with index and ask.yaml")
    data: Path = Field(
        Path(".excerpt-service"), description="folder of keys, uploads, jobs, feedback and the audit log"
    )
    hosts: list[str] = Field([], description="names this server is reached by, beside localhost and IP addresses")
    public_docs: bool = Field(False, description="show /docs and /openapi.json without a key")
    public_metrics: bool = Field(False, description="show /metrics without a key")

    rules: Path | None = Field(None, description="file of rules who may see which paths")
    sidecars: bool = Field(False, description="read who may see a file from FILE.allow beside it")
    jwt: JwtSettings | None = Field(None, description="accept tokens of an identity provider beside keys")
    audit: bool = Field(True, description="write who was shown what to audit.jsonl")
    audit_texts: bool = Field(False, description="write questions and answers there, too")
    audit_mb: float = Field(
        10.0, gt=0, le=1000, description="size at which the audit log is rotated; 9 old ones are kept"
    )

    max_question_characters: int = Field(1000, ge=1, le=100_000, description="longest question")
    max_questions: int = Field(64, ge=1, le=1000, description="questions in one request")
    max_top_k: int = Field(50, ge=1, le=1000, description="answers a question, passages a page")
    max_search_depth: int = Field(500, ge=10, le=10_000, description="how far results of a search can be paged")
    max_body_mb: float = Field(1.0, gt=0, le=100, description="largest request other than an upload")
    max_upload_mb: float = Field(256.0, gt=0, le=100_000, description="largest upload, all its files together")
    max_upload_files: int = Field(64, ge=1, le=1000, description="files in one upload")
    max_waiting_jobs: int = Field(10_000, ge=1, description="uploads that may wait to be indexed")

    timeout: float = Field(30.0, gt=0, description="what a request may take, when it does not say X-Request-Timeout")
    max_timeout: float = Field(120.0, gt=0, description="most that X-Request-Timeout may ask for")
    receive_timeout: float = Field(20.0, gt=0, description="a client must have sent a request's head within this")
    stall_timeout: float = Field(20.0, gt=0, description="longest pause of a client that sends or takes a body")
    upload_timeout: float = Field(900.0, gt=0, description="what receiving an upload may take in all")
    max_connections: int = Field(1000, ge=10, description="open connections; more are closed at once")
    drain: float = Field(30.0, ge=0, description="after SIGTERM, what is in flight may take this long")

    seconds_in_flight: float = Field(
        2.0, gt=0, le=60, description="seconds of work, by the pace that was learnt, handed to the pipeline at once"
    )
    tokens_in_flight: int = Field(200_000, ge=1000, description="most tokens of passages in the pipeline at once")
    tokens_waiting: int = Field(2_000_000, ge=0, description="tokens of passages that may wait for their turn")
    key_share: float = Field(1.0, gt=0, le=1, description="part of the waiting room that one key may fill")
    busy_passages: int = Field(
        0, ge=0, description="passages read for a question under load (said as degraded); 0: all"
    )
    canary_every: float = Field(2.0, gt=0, description="a canary question goes through the queue this often")
    ready_within: float = Field(10.0, gt=0, description="ready only if a canary was answered within this")
    hang_after: float = Field(12.0, gt=0, description="without any answer for this long, waiters get 503")

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can reach the server."""
        if self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False


def read_settings(file: Path | None, given: dict[str, Any]) -> Settings:
    """
    The settings of a YAML file, with those given on the command line before them; None is not given.

    Paths in the file are relative to it.

    :raises SettingsError: naming file and setting.
    """
    values: dict[str, Any] = {}
    if file is not None:
        values = _read_yaml(file)
        for name in ("data", "rules"):
            if isinstance(values.get(name), str):
                values[name] = file.parent / values[name]
    values.update({name: value for name, value in given.items() if value is not None})
    try:
        return Settings(**values)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        name = ".".join(map(str, first["loc"]))
        known = f"; known are {', '.join(Settings.model_fields)}" if first["type"] == "extra_forbidden" else ""
        raise SettingsError(f"{file or 'settings'}: `{name}`: {first['msg']}{known}") from None


def _read_yaml(file: Path) -> dict[str, Any]:
    try:
        if file.stat().st_size > MAX_CONFIG_BYTES:
            raise SettingsError(f"{file}: more than {MAX_CONFIG_BYTES:,} bytes")
        content = yaml.safe_load(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(f"{file}: cannot be read: {error.strerror}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise SettingsError(f"{file}: is not valid YAML") from error
    if not isinstance(content, dict | None):
        raise SettingsError(f"{file}: must map settings to values, such as `port: 8000`")
    return content or {}
