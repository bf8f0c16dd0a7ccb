"""Join a competition as a program, play a few moves in every open round, and print scores and board.

python examples/play.py http://127.0.0.1:8000 K7QWPX
"""

import sys
import uuid

from xentarena import ApiError, Client

MOVES = ["sailor captain voyage", "ships at sea, morning", "seaside journey"]


def main(server: str, code: str) -> None:
    with Client(server) as client:
        client.join(code, f"example {uuid.uuid4().hex[:6]}")  # keep client.token to come back as the same player
        for round in client.rounds():
            if round.state == "open":
                print(round.game, round.id)
                play(client, round.id)


def play(client: Client, round_id: str) -> None:
    for move, outcome in zip(MOVES, client.submit_batch(round_id, MOVES), strict=True):
        if isinstance(outcome, ApiError):
            print(f"  refused: {outcome.detail}")
            continue
        submission = client.wait_for(outcome)
        if submission.bits is not None:
            print(f"  {submission.bits:9.3f} bits  {move}")
        else:
            print(f"  {submission.state}: {submission.reason.detail if submission.reason else 'no score'}")
    for entry in client.leaderboard(round_id)[:5]:
        print(f"  {entry.rank}. {entry.player.name}: {entry.bits:.3f} bits")


if __name__ == "__main__":
    main(*sys.argv[1:])
