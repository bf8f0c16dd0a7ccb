"""Receipts of scores, and the keys that they are signed with."""

from collections.abc import Sequence

from fastapi import APIRouter
from starlette.responses import Response

from server.api import schemas
from server.api.json_route import JsonRoute
from server.arena import receipts, signing_keys
from server.arena.unit import Unit
from server.db.models import SigningKey
from server.http.calls import ReceiptOf, VisitOf, WriteOf
from xentarena.receipts import ALGORITHM, Receipt, canonical

router = APIRouter(tags=["receipts"], route_class=JsonRoute)
well_known = APIRouter(include_in_schema=False)


@router.get("/submissions/{submission_id}/receipt", response_model=Receipt)
async def get_receipt(read: ReceiptOf, submission_id: str) -> Response:
    """What the score of a submission can be computed again from, signed. For its player, hosts, and whoever else may
    see it; `complete` says whether all of it may be told now. `xentarena verify` checks it."""
    document = await read(receipts.receipt, submission_id)
    headers = {
        "Content-Disposition": f'attachment; filename="{submission_id}-receipt.json"',
        "Cache-Control": "no-store",
    }
    return Response(canonical(document), media_type="application/json", headers=headers)


@router.get("/keys")
async def list_signing_keys(read: VisitOf) -> schemas.Items[schemas.SigningKey]:
    """The public keys of this server, that of today first. Older ones stay good. For everybody; also at
    `/.well-known/xentarena-keys.json`."""
    return await read.show(_all, signing_keys.everyone)


@router.post("/keys", status_code=201)
async def replace_signing_key(write: WriteOf) -> schemas.SigningKey:
    """Sign with a new key from now on. The server's owner only."""
    return await write.show(_one, signing_keys.replace)


@well_known.get("/.well-known/xentarena-keys.json")
async def well_known_keys(read: VisitOf) -> schemas.Items[schemas.SigningKey]:
    return await read.show(_all, signing_keys.everyone)


def _all(unit: Unit, rows: Sequence[SigningKey]) -> schemas.Items[schemas.SigningKey]:
    return schemas.Items(items=[_one(unit, row) for row in rows])


def _one(_: Unit, row: SigningKey) -> schemas.SigningKey:
    public = signing_keys.public(row).hex()
    return schemas.SigningKey(id=row.id, algorithm=ALGORITHM, public_key=public, created_at=row.created_at)
