"""Programs that try to hold the engine: its tests run them, and its benchmark takes the time of the worst."""

import string


def _lines(*lines: str) -> str:
    return "\n".join(lines)


def _doubled(text: str, times: int, *lines: str) -> str:
    """The text doubled so many times in s, then the lines over and over."""
    return _lines(
        f'assign(s="{text}")',
        "beacon(flag_1)",
        "assign(s=s + s)",
        f"replay(flag_1, {times - 1})",
        "beacon(flag_2)",
        *lines,
        "replay(flag_2, 100)",
    )


#: Two characters each, and a separator in each.
_SIGNS = [sign + letter for sign in "!#$%&()*+,-./:;<=>?@[" for letter in string.ascii_letters]

#: Programs that try to hold the engine, by what they try. Each passes the check or is refused by it.
ATTACKS = {
    "ten megabytes": "assign(s=story())\n" * 600_000,
    "deep brackets": "assign(s=" + "(" * 900 + "story()" + ")" * 900 + ")",
    "deep signs": "assign(s=" + "-" * 1900 + "1)",
    "long power": "assign(s=" + "**".join(["9"] * 600) + ")",
    "long sums": "\n".join(["assign(s=" + "+".join(["x"] * 95) + ")"] * 64),
    "wide lines": "\n".join(["assign(l=[" + ",".join(["x"] * 980) + "])"] * 32),
    "many errors": "\n".join(["assign(q=" + "+".join(["q"] * 95) + ")"] * 64),
    "endless replay": _lines(
        "beacon(flag_1)", "beacon(flag_2)", "assign(t=x)", "replay(flag_2, 100)", "replay(flag_1, 100)"
    ),
    "text doubling": _lines("assign(s=story())", "beacon(flag_1)", "assign(s=s + s)", "replay(flag_1, 100)"),
    "list doubling": _lines("assign(l=[story()])", "beacon(flag_1)", "assign(l=l + l)", "replay(flag_1, 100)"),
    "word removal": _lines(
        "assign(s=story() + story())",
        "beacon(flag_1)",
        "assign(t=" + " + ".join(["remove_common_words(s, s)"] * 60) + ")",
        "replay(flag_1, 100)",
    ),
    "list removal": _lines(
        "assign(s=story(), l=story().split())",
        "beacon(flag_1)",
        "assign(t=remove_common_words(s, l))",
        "replay(flag_1, 100)",
    ),
    "strict removal": _lines(
        "assign(s=story())",
        "beacon(flag_1)",
        "assign(t=remove_banned_words(s, s + story()))",
        "replay(flag_1, 100)",
    ),
    "compounds": _lines(
        'assign(s=story() + story(), t="-".join(s.split()))',
        "beacon(flag_1)",
        "assign(t=remove_banned_words(t, s))",
        "replay(flag_1, 100)",
    ),
    "clipped": _lines(
        "assign(s=story())",
        "elicit(x, 1)",
        "beacon(flag_1)",
        "reward(" + " + ".join([f"clip(xent(s) / {n}, {n})" for n in range(1, 60)]) + ")",
        "replay(flag_1, 100)",
    ),
    "the greatest": _lines(
        "assign(s=story())",
        "elicit(x, 1)",
        "beacon(flag_1)",
        "reward(" + " + ".join(["greatest(xent(s)) * (s == s)"] * 60) + ")",
        "replay(flag_1, 100)",
    ),
    "glued": _doubled("a ", 12, "assign(t=" + " + ".join(["first_n_words(glue(s, s), 999)"] * 20) + ")"),
    "told again and again": _lines(
        "assign(s=story() + story())",
        "beacon(flag_1)",
        "elicit(x, 5)",
        "assign(t=x + s)",
        "ensure(" + ", ".join(['not only_uses_words("q", t)', "only_uses_words(s, t)"] * 30) + ")",
        "replay(flag_1, 100)",
    ),
    "one long word": _doubled("a", 14, "assign(t=remove_banned_words(s, s + t))"),
    "ligatures": _doubled("\ufdfa", 14, "assign(t=remove_banned_words(s, s + t))"),
    "combining marks": _doubled("\u0301\u0323", 13, "assign(t=remove_banned_words(s, s + t))"),
    "near matches": _doubled("a ", 13, 'assign(t=remove_common_words(s, [first_n_tokens(s, 4000) + "b"]))'),
    "shuffles": _lines(
        "assign(l=story().split())", "beacon(flag_1)", "assign(l=shuffle(shuffle(l)))", "replay(flag_1, 100)"
    ),
    "joins": _lines(
        'assign(l=story().split(" "))',
        "beacon(flag_1)",
        "assign(s=" + " // ".join(['"-".join(l)'] * 60) + ")",
        "replay(flag_1, 100)",
    ),
    "searches": _lines(
        "assign(s=story() + story())",
        "elicit(x, 5)",
        "beacon(flag_1)",
        "ensure(" + ", ".join(["(s + x) not in s"] * 60) + ")",
        "replay(flag_1, 100)",
    ),
    "tokens": _lines(
        "assign(s=story() + story())",
        "beacon(flag_1)",
        "assign(s=first_n_tokens(s + story(), len(s)))",
        "replay(flag_1, 100)",
    ),
    "many short items": _lines(
        f'assign(l="{" ".join(_SIGNS[:500])}".split())',
        f'assign(l1="{" ".join(_SIGNS[500:999])}".split())',
        "assign(l=l + l1)",
        "beacon(flag_1)",
        "assign(t=" + " + ".join(['remove_common_words("", l)'] * 20) + ")",
        "replay(flag_1, 100)",
    ),
    "shown": _doubled("\U0001d49c", 14, "reveal(" + ", ".join(["s"] * 600) + ")"),
    "shown in lists": _doubled("\U0001d49c", 9, "reveal(" + ", ".join(["[s, s, s, s]"] * 100) + ")"),
    "shown as bits": _doubled("a ", 9, "reveal(" + ", ".join(["xent(s)"] * 100) + ")"),
    "told in conditions": _lines(
        "assign(s=story() + story())",
        "beacon(flag_1)",
        "elicit(x, 5)",
        "ensure(" + ", ".join(["s == x"] * 100) + ")",
        "replay(flag_1, 100)",
    ),
    "registers": _doubled("a", 14, "assign(s1=s, s2=s, s3=s, t=s, t1=s, t2=s, t3=s, p=s, p1=s, p2=s)", "elicit(x, 5)"),
    "measured": _doubled("a ", 14, 'assign(t="b" + t)', "reward(" + " + ".join(["xent(s | t)"] * 2) + ")"),
    "rewards": _lines(
        "assign(s=story() + story())",
        "elicit(x, 5)",
        "beacon(flag_1)",
        "reward(" + " + ".join(["xent(s) + xent(story())"] * 20) + ")",
        "replay(flag_1, 100)",
    ),
}

#: Those that the check refuses.
REFUSED = {"ten megabytes", "deep brackets", "deep signs", "long power", "long sums", "wide lines", "many errors"}
