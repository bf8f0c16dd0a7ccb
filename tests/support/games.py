"""Games that tests bring along: programs nobody else has, hostile ones, and where the transcripts lie."""

import secrets
from pathlib import Path

import httpx

from tests.support.server import RunningApp

BODY = "\nassign(s=story())\nelicit(x, 10)\nreward(xed(s | x))\n"


def program(title: str = "Own game", note: str = "") -> str:
    """A program that no other test has."""
    return f"# {title}\n#\n# Say something. {note or secrets.token_hex(4)}\n{BODY}"


def new_name() -> str:
    return f"own-{secrets.token_hex(4)}"


def upload(house: RunningApp, source: str, name: str | None = None) -> httpx.Response:
    return house.host.post("/games", json={"source": source} | ({} if name is None else {"name": name}))


TWO_STEPS = """\
# Two steps

assign(s=story())
elicit(x, 10)
elicit(y, 10)
reward(xed(s | x + y))
"""


WRITTEN = """\
# Written
#
# The judge wrote two texts; say what makes the first one likely.

assign(s=generate("Once upon a time", 6), l=generate_list(story(), 2))
elicit(x, 8)
reward(xed(s | x))
"""


ESCAPES = [
    "assign(s=s.__class__)",
    "assign(s=s.__class__())",
    'assign(s="".__class__.__mro__[1].__subclasses__())',
    "assign(s=().__class__.__bases__[0])",
    'assign(s=__import__("os").system("true"))',
    'assign(s=eval("1"))',
    'assign(s=open("/etc/passwd"))',
    "assign(__class__=s)",
    "assign(s=__builtins__)",
    "assign(s=globals())",
    'assign(s=getattr(s, "x"))',
    'assign(s="{0.__class__}".format(s))',
    'assign(s=f"{s.__class__}")',
    'assign(s="%s" % [1])',
    "assign(s=(lambda: 1)())",
    'assign(s=[x for x in "a"][0])',
    "assign(s=(s := t))",
    "assign(s=xent.__globals__)",
    "assign(s=story.__call__())",
    "assign(s=s.split.__self__)",
    "assign(s=s.join)",
    "await(s)",
    "assign(s=(yield))",
    "story = xent",
    "import os",
    "assign(xent=s)",
    "assign(story=s)",
    "assign(black=s)",
    "assign(len=s)",
    "elicit(story, 5)",
    "beacon(xent)",
    "ѕtory()",
    "assign(ѕ=story())",
    "ａssign(s=story())",
    "assign(s=ªbc)",
    "assign(s=𝐬𝐭𝐨𝐫𝐲())",
    "assign(s=1e999)",
    "assign(s=inf)",
    "assign(s=9**9**9**9)",
    "assign(s=9" + "9" * 1500 + ")",
    "assign(s=0x" + "f" * 1500 + ")",
    "assign(s=1j)",
    "assign(s=" + "(" * 900 + "s" + ")" * 900 + ")",
    "assign(s=" + "[" * 51 + "]" * 51 + ")",
    "ensure(" + "not " * 400 + "True)",
    "assign(s=" + "-" * 1900 + "1)",
    "assign(s=" + "**".join(["9"] * 600) + ")",
    "assign(s=" + " if s else ".join(["s"] * 150) + ")",
    "assign(s=" + "lambda:" * 200 + "s)",
    "assign(s=s" + ".x" * 900 + ")",
    "assign(s=s" + "[0]" * 600 + ")",
    "assign(s=story" + "()" * 600 + ")",
    "assign(s=" + "+".join(["s"] * 150) + ")",
    "# " + "x" * 2_000,
    "assign(s=story())\0",
    "assign(s=story())\u0085",
    "assign(s=story()) \ud800",
    "\n" * 70_000,
]


GOLDEN = Path(__file__).parents[1] / "games" / "golden"
