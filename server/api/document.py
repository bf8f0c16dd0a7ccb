"""The OpenAPI document: what FastAPI makes of the routes; and who may call each, and how it can refuse."""

from typing import Any, get_type_hints

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute, RouteContext, iter_route_contexts

from server.api.problems import MEDIA
from server.http import calls

Operation = dict[str, Any]

SCHEME = "token"
SCHEMES = {
    SCHEME: {
        "type": "http",
        "scheme": "bearer",
        "description": "What joining gives a player. A host's was shown when the server started; hosts give observers"
        " and other hosts theirs. Workers have their own, which opens nothing but `/worker`.",
    }
}
VISITORS = {calls.VisitOf, calls.JoinOf}  # nobody needs a token for these
CHARGED = {calls.JoinOf, calls.UploadOf, calls.PlayOf, calls.BeginOf, calls.PreviewOf, calls.ReceiptOf, calls.MeasureOf}
WITH_BODY = {"POST", "PUT", "PATCH", "DELETE"}

#: Refusals, and when each is given.
TOLD = {
    400: "The body is not JSON, or not whole",
    401: "No token, or one that is not good",
    403: "Not allowed",
    404: "No such thing",
    409: "Not in this state",
    413: "The body is too large",
    415: "The body is of another media type",
    422: "A field is wrong",
    429: "A limit is reached; come back after `Retry-After` seconds",
    503: "A part of the server is away; come back after `Retry-After` seconds",
}
#: Of the routes that only look, those that also hang on the state of what is looked at.
CONFLICTS = {"get_receipt", "get_second_judge", "list_revealed_moves", "get_revealed_move", "preview_reveal"}
#: Those that send no field, and may find one of what they act on wrong by now.
OUTDATED = {"publish_round", "duplicate_round"}
#: Those that cost nothing, and that one participant may not have at work as often as they like.
LIMITED = {"list_events", "claim_jobs", "announce_worker", "add_tokenizer_part", "introduce_judge"}


def named(route: APIRoute) -> str:
    """The name of an operation, by which generated clients call it: that of its function."""
    return route.name


def of(app: FastAPI) -> dict[str, Any]:
    """The document, made once."""
    if app.openapi_schema is None:
        made = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
        for route in iter_route_contexts(app.routes):
            for method in route.methods or ():
                if operation := made["paths"].get(route.path_format, {}).get(method.lower()):
                    _complete(operation, method, route)
        made["components"]["securitySchemes"] = SCHEMES
        for name in ("HTTPValidationError", "ValidationError"):  # FastAPI's own refusals; ours are problems
            made["components"]["schemas"].pop(name, None)
        app.openapi_schema = made
    return app.openapi_schema


def _complete(operation: Operation, method: str, route: RouteContext) -> None:
    operation["summary"] = route.summary or operation["operationId"].replace("_", " ").capitalize()
    if "health" in operation["tags"]:
        return
    asked = set(get_type_hints(route.endpoint, include_extras=True).values())
    operation["security"] = [{}, {SCHEME: []}] if asked & VISITORS else [{SCHEME: []}]
    operation["responses"].pop("422", None)
    for status in sorted(_refusals(operation, method, asked)):
        operation["responses"][str(status)] = {
            "description": TOLD[status],
            "content": {MEDIA: {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }


def _refusals(operation: Operation, method: str, asked: set[Any]) -> set[int]:
    """The statuses with which it can refuse. asked: what its function asks for."""
    refusals = {503}
    where = {each["in"] for each in operation.get("parameters", ())}
    if calls.VisitOf not in asked:
        refusals |= {403}
    if not asked & VISITORS:
        refusals |= {401}
    if "path" in where or calls.JoinOf in asked:
        refusals |= {404}
    if where - {"path"} or "requestBody" in operation or operation["operationId"] in OUTDATED:
        refusals |= {422}
    if method in WITH_BODY:
        refusals |= {400, 413, 415}
    if (method in WITH_BODY and refusals & {404, 422}) or operation["operationId"] in CONFLICTS:
        refusals |= {409}
    if asked & CHARGED or operation["operationId"] in LIMITED:
        refusals |= {429}
    return refusals
