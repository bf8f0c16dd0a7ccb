"""Plays of a game as an environment of `verifiers` (its `v1` loader): the id of the task set is `xentarena-verifiers`.

    config = XentEnvConfig(taskset={"id": "xentarena-verifiers", "game": "condense", "passages": [[passage]]})
    environment = verifiers.v1.load_environment(config)

A task is a round, asked for as `bots.chat` asks: the rules, what may be seen, and a line `MOVE: …` at the end of the
answer. The model makes one move after another until the play is over, and is told what each gave. It runs in this
process and on this machine (the `subprocess` runtime). A package of its own, since verifiers finds one by its name
without dots. Needs the extras `train` and `judge`.
"""

import asyncio
from collections.abc import Iterable
from functools import lru_cache

import httpx
import verifiers.v1 as vf

from bots.chat import prompt
from bots.chat.answers import move_of
from xentarena.models import Outcome
from xentarena.offline import OfflineRound
from xentarena.rounds import OfflineRounds
from xentarena.telling import scene

__all__ = ["XentEnv", "XentHarness", "XentTaskset"]

SECONDS = 600.0  # that one answer of the model may take


class XentData(vf.TaskData):
    """refused: the reward where nothing was earned: no move in an answer, or a play that ends without a score."""

    game: str
    passages: tuple[str, ...]
    judge: str
    refused: float


@lru_cache
def _rounds(game: str, judge: str) -> OfflineRounds:
    return OfflineRounds(game, judge=judge, profile="arena", seed="0", dtype="float32")


def _round(data: XentData) -> OfflineRound:
    return _rounds(data.game, data.judge)(data.passages)


def _told(data: XentData, moves: list[str], outcome: Outcome) -> str:
    program = _rounds(data.game, data.judge).program
    return f"{scene(program.title, program.description, moves, outcome)} End with a line MOVE: {prompt.EXAMPLE}"


class XentTask(vf.Task[XentData, vf.State, vf.TaskConfig]):
    @vf.reward
    async def bits(self, trace: vf.Trace) -> float:
        """What the play earned, as the API scores it."""
        moves: list[str] = []
        for message in trace.assistant_messages:
            move = move_of(message.content or "")
            if move is None:
                return float(self.data.refused)
            moves.append(move)
        outcome = await asyncio.to_thread(_round(self.data).play, moves)
        return next(iter(outcome.rewards.values())) if outcome.status == "scored" else float(self.data.refused)


class XentTasksetConfig(vf.TasksetConfig):
    """game: a packaged one's name, or a .xent file. passages: those of each round. judge: a name."""

    game: str = "condense"
    passages: list[list[str]] = []  # noqa: RUF012 - pydantic copies it
    judge: str = "pocket"
    refused: float = -10.0


class XentTaskset(vf.Taskset[XentTask, XentTasksetConfig]):
    def load(self) -> Iterable[XentTask]:
        """Raises `InputError` for a game or passages that cannot be used."""
        config = self.config
        how = {"game": config.game, "judge": config.judge, "refused": config.refused, "system_prompt": prompt.SYSTEM}
        for passages in config.passages or [[]]:
            data = XentData(passages=tuple(passages), **how)
            yield XentTask(data.model_copy(update={"prompt": _told(data, [], _round(data).play())}), config.task)


class XentHarnessConfig(vf.HarnessConfig):
    pass


class XentHarness(vf.Harness[XentHarnessConfig]):
    """Asks the model for a move, makes it, tells what it gave, and asks again while the play goes on."""

    APPENDS_SYSTEM_PROMPT = True
    EXECUTES_CODE = False
    NEEDS_CONTAINER = False

    async def launch(
        self,
        ctx: vf.ModelContext,
        trace: vf.Trace,
        runtime: vf.Runtime,
        endpoint: str,
        secret: str,
        mcp_urls: dict[str, str],
        data: XentData,
    ) -> vf.ProgramResult:
        system, asked = self.resolve_text_prompt(data)
        messages = [{"role": "system", "content": system or ""}, {"role": "user", "content": asked or ""}]
        moves: list[str] = []
        async with httpx.AsyncClient(headers={"Authorization": f"Bearer {secret}"}, timeout=SECONDS) as client:
            while True:
                body = {"model": ctx.model, "messages": messages}
                reply = await client.post(f"{endpoint}/chat/completions", json=body)
                if reply.status_code != httpx.codes.OK:
                    return vf.ProgramResult(1, "", f"the model's endpoint answered {reply.status_code}: {reply.text}")
                said = reply.json()["choices"][0]["message"]["content"] or ""
                move = move_of(said)
                if move is None:
                    break
                moves.append(move)
                outcome = await asyncio.to_thread(_round(data).play, moves)
                if outcome.status != "awaiting_move":
                    break
                told = {"role": "user", "content": _told(data, moves, outcome)}
                messages += [{"role": "assistant", "content": said}, told]
        return vf.ProgramResult(0, "", "")


class XentEnvConfig(vf.EnvConfig):
    agent: vf.AgentConfig = vf.AgentConfig(runtime=vf.SubprocessConfig())


class XentEnv(vf.Env[XentEnvConfig]):
    async def run(self, task: XentTask, agents: vf.Agents) -> None:
        await agents.agent.run(task)
