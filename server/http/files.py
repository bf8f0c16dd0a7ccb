"""Answers that are kept as files."""

from starlette.responses import Response


def as_file(what: str, of: str, kind: str) -> dict[str, str]:
    """The headers of such an answer."""
    name = f"{of}-{what}.{kind}"
    return {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}


def csv_file(data: bytes, encoding: str, what: str, of: str) -> Response:
    """A table as it is, in its encoding."""
    return Response(data, headers=as_file(what, of, "csv"), media_type=f"text/csv; charset={encoding}")
