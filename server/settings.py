"""What can be set, by flag or by environment (``XENTARENA_…``). Built once, at the edge; importing does nothing."""

import json
import re
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import quote, urlsplit

from platformdirs import user_data_path
from pydantic import AfterValidator, BeforeValidator, Field, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from judge.loading.packages.store import usual_judge


def _listed(value: Any) -> Any:
    """A list as an environment variable can say it: `pocket`, or `pocket,gpt2`, or JSON."""
    if not isinstance(value, str):
        return value
    return (
        json.loads(value)
        if value.lstrip().startswith("[")
        else [part.strip() for part in value.split(",") if part.strip()]
    )


Names = Annotated[list[str], NoDecode, BeforeValidator(_listed)]


def _web_address(text: str) -> str:
    """Without a slash at its end. Raises ValueError."""
    if not re.fullmatch(r"https?://(\[[0-9a-fA-F:.]+\]|[^\s/?#@:\[\]\"]+)(:[0-9]{1,5})?(/[^\s?#%\"<>]*)?", text):
        raise ValueError(f"{text!r} is no address of a server, like https://arena.school.example")
    return text.rstrip("/")


def _path_prefix(text: str) -> str:
    """Nothing, or with a slash before it and none behind. Raises ValueError."""
    made = text.rstrip("/")
    if made and (not made.startswith("/") or any(c in made for c in '?#%"<>') or any(c.isspace() for c in made)):
        raise ValueError(f"{text!r} is no beginning of paths, like /arena")
    return made


def _proxies(texts: list[str]) -> list[str]:
    for text in texts:
        if text != "*":
            ip_network(text, strict=False)  # whose ValueError says what is wrong
    return texts


def usual_judges() -> list[str]:
    """What is loaded where nobody says what: the usual judge, and the packaged twins for games that ask two."""
    return list(dict.fromkeys([usual_judge(), "pocket", "pocket-backward"]))


def _with_password(url: str | None, password: str | None) -> str | None:
    """The address with the password, of whatever characters, where it has none yet."""
    if url is None or password is None or url.startswith("sqlite"):
        return url
    scheme, _, rest = url.partition("://")
    user, _, place = rest.rpartition("@")
    return url if ":" in user else f"{scheme}://{user}:{quote(password, safe='')}@{place}"


class Settings(BaseSettings):
    """Settings of every process of a server. Times in seconds."""

    model_config = SettingsConfigDict(env_prefix="XENTARENA_", env_file=None, env_ignore_empty=True, extra="ignore")

    host: str = Field(default="127.0.0.1", description="Address to listen on.")
    port: int = Field(default=8000, ge=0, le=65535, description="Port to listen on; 0 picks a free one.")
    public_url: Annotated[str, AfterValidator(_web_address)] | None = Field(
        default=None, description="Where people reach the server: links begin with it; none: what a request says."
    )
    root_path: Annotated[str, AfterValidator(_path_prefix)] = Field(
        default="", description="What every path begins with outside; none: the path of the public address."
    )
    trusted_proxies: Annotated[Names, AfterValidator(_proxies)] = Field(
        default=["127.0.0.1", "::1"], description="Addresses and networks whose X-Forwarded-* is believed; *: all."
    )
    data: Path = Field(default_factory=lambda: user_data_path("xentarena"), description="Folder for everything kept.")
    database_url: str | None = Field(
        default=None, description="sqlite:///… or postgresql://…; none: a file in the data folder."
    )
    database_password: str | None = Field(default=None, description="Where the database's address has none.")
    redis_url: str | None = Field(default=None, description="redis://…; none: serve starts its own.")
    server: str | None = Field(
        default=None,
        pattern=r"^https?://[^/?#@]+(/[^?#]*)?$",
        description="Of a lent worker: the server's https://HOST/.",
    )
    worker_token: str | None = Field(default=None, min_length=32, description="Of a lent worker: its token.")
    worker_token_file: Path | None = Field(default=None, description="A file with the same.")
    redis_password: str | None = Field(default=None, description="Where the address of Redis has none.")
    judge: Names = Field(
        default_factory=usual_judges, min_length=1, description="Judges to load: a name, a hub id or a folder."
    )
    private_judge: Names = Field(default=[], description="Names of judges that free measurements may not use.")
    dtype: Literal["float32", "bfloat16"] = Field(default="float32", description="Compute type of the judges.")
    device: str | None = Field(
        default=None,
        pattern=r"^(cpu|cuda(:\d+)?)$",
        description="cpu or cuda, and no other; none: cuda if it is there.",
    )
    heartbeat: Path | None = Field(default=None, description="File that a worker touches while the queue knows it.")
    host_token: str | None = Field(default=None, min_length=32, description="A host's token that is always accepted.")
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_json: bool = Field(default=False, description="Write log lines as JSON.")

    lease: float = Field(default=30, gt=0, description="A worker's claim on a job lapses after this, unless renewed.")
    grace: float = Field(
        default=5, ge=0, description="A job not in the queue this long after its commit is queued again."
    )
    sweep: float = Field(default=2, gt=0, description="Pause between two sweeps for lost jobs.")
    remeasure: int = Field(
        default=50, ge=0, description="One in so many measurements is made again by another worker; 0: none is."
    )
    rate_limit: float = Field(default=100, gt=0, description="Submissions per second and participant, sustained.")
    rate_burst: int = Field(default=1_000, ge=1, description="Submissions a participant may send at once.")
    pending_limit: int = Field(default=5_000, ge=1, description="Measurements one participant may have waiting.")
    api_processes: int = Field(
        default=1, ge=1, le=64, description="Processes of the API behind one address; more than one need PostgreSQL."
    )
    submission_limit: int = Field(default=10_000, ge=1, description="Submissions that are kept of one participant.")
    threads: int = Field(default=16, ge=1, description="Database connections, and threads that use them, per process.")

    @model_validator(mode="after")
    def _one_prefix(self) -> Self:
        outside = urlsplit(self.public_url).path if self.public_url else self.root_path
        if self.root_path not in ("", outside):
            raise ValueError(f"the public address is {self.public_url}, and paths begin with {self.root_path}")
        self.root_path = outside
        return self

    @model_validator(mode="after")
    def _whole_addresses(self) -> Self:
        self.database_url = _with_password(self.database_url, self.database_password)
        self.redis_url = _with_password(self.redis_url, self.redis_password)
        return self


def sqlite_url(data: Path) -> str:
    """The database of a data folder."""
    return f"sqlite:///{sqlite_path(data)}"


def sqlite_path(data: Path) -> Path:
    return data / "xentarena.sqlite3"
