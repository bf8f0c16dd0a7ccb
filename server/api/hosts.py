"""Hosts and observers: who else runs competitions, or looks on."""

from fastapi import APIRouter

from server.api import bodies, schemas, views
from server.api.json_route import JsonRoute
from server.api.params import Cursor, Limit
from server.arena import hosts
from server.db.states import Scope
from server.http.calls import ReadOf, WriteOf

router = APIRouter(tags=["hosts"], route_class=JsonRoute)


@router.post("/hosts", status_code=201)
async def add_host(write: WriteOf, body: bodies.HostRequest) -> schemas.IssuedHost:
    """A host who makes competitions of their own and sees no others. The server's owner only."""
    return await write.show(views.issued, hosts.add, body.name)


@router.get("/hosts")
async def list_hosts(read: ReadOf, cursor: Cursor = None, limit: Limit = 1_000) -> schemas.Items[schemas.Host]:
    """The hosts who make competitions of their own. The server's owner only."""
    return await read.show(views.items(views.host, cursor, limit), hosts.everyone)


@router.post("/competitions/{competition_id}/hosts", status_code=201)
async def invite_host(write: WriteOf, competition_id: str, body: bodies.InviteRequest) -> schemas.IssuedHost:
    """A co-host of this competition, or an observer, who sees what hosts see and changes nothing. Hosts only."""
    return await write.show(views.issued, hosts.invite, competition_id, body.name, Scope(body.scope))


@router.get("/competitions/{competition_id}/hosts")
async def list_competition_hosts(
    read: ReadOf, competition_id: str, cursor: Cursor = None, limit: Limit = 1_000
) -> schemas.Items[schemas.Host]:
    """Who runs it and who looks on, but for the server's owner. Hosts and observers only."""
    return await read.show(views.items(views.host, cursor, limit), hosts.of_competition, competition_id)


@router.post("/hosts/{host_id}:renew", summary="Renew a host's token")
async def renew_host(write: WriteOf, host_id: str) -> schemas.IssuedHost:
    """Another token for a host or an observer; the old one ends at once."""
    return await write.show(views.issued, hosts.renew, host_id)


@router.post("/hosts/{host_id}:dismiss")
async def dismiss_host(write: WriteOf, host_id: str) -> schemas.Host:
    """End the token of a host or an observer, and the streams that it opened. What they made stays."""
    return await write.show(views.host, hosts.dismiss, host_id)
