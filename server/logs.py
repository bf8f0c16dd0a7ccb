"""Log lines: for people by default, as JSON for machines; always on standard error, and without secrets."""

import logging
import re
import sys
from typing import Any

import structlog

# Libraries that tell at `info` what only their developers want to know.
TALKATIVE = ("alembic", "httpx", "httpcore", "asyncio", "uvicorn", "uvicorn.access", "transformers", "huggingface_hub")


#: Secrets, wherever they stand in a line. Tokens and passwords of ours have 43 letters, and nothing else here has.
SECRETS = (
    (re.compile(r"(?<![\w-])[\w-]{43}(?![\w-])"), "***"),
    (re.compile(r"(://[^\s:/@\"']*:)[^\s/@\"']+(?=@)"), r"\1***"),
    (re.compile(r"(?i)(bearer\s+)[^\s\"'\\,;]+"), r"\1***"),
    (
        re.compile(
            r"(?i)((?:token|password|passwd|secret|authorization|cookie)[\\\"']*\s*[=:]\s*[\\\"']*)(?!bearer)[^\s\"'\\,;&]+"
        ),
        r"\1***",
    ),
)


def without_secrets(line: str) -> str:
    """The line, with *** in place of tokens, cookies and passwords."""
    for pattern, instead in SECRETS:
        line = pattern.sub(instead, line)
    return line


class _Formatter(structlog.stdlib.ProcessorFormatter):
    def format(self, record: logging.LogRecord) -> str:
        return without_secrets(super().format(record))


def configure(level: str = "info", *, as_json: bool = False) -> None:
    """Send all log lines, structlog's and the standard library's, to standard error in one format."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso" if as_json else "%H:%M:%S", utc=as_json),
        structlog.stdlib.ExtraAdder(),
    ]
    if as_json:
        # Without the values of variables: they are what requests and settings hold.
        told = structlog.tracebacks.ExceptionDictTransformer(show_locals=False)
        shared.append(structlog.processors.ExceptionRenderer(told))
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.PositionalArgumentsFormatter(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        _Formatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, _renderer(as_json)],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    quieter = max(logging.WARNING, root.level) if level != "debug" else logging.DEBUG
    for name in TALKATIVE:
        logging.getLogger(name).setLevel(quieter)


def _renderer(as_json: bool) -> Any:
    if as_json:
        return structlog.processors.JSONRenderer(ensure_ascii=False)
    return structlog.dev.ConsoleRenderer(
        colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback, pad_event_to=0
    )
