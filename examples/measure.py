"""Ask the packaged judge at home: how many bits does a hint save in the frame of a game, and what does the game say?

python examples/measure.py        needs the judge: pip install 'xentarena[judge]'
"""

from xentarena import Judge, Pair, play

TEXT = "Waves rolled in, and gulls cried over the harbour."
FRAME = "Topic: {}\n---\n"  # as Condense has it
HINTS = ["a storm at sea", "tax law committee"]


def main() -> None:
    judge = Judge.load("pocket")
    alone, *after = judge.measure([Pair(FRAME.format(hint), TEXT) for hint in ("", *HINTS)])
    print(f"{sum(alone):9.3f} bits  in the empty frame")
    for hint, bits in zip(HINTS, after, strict=True):
        print(f"{sum(bits):9.3f} bits  after {hint!r}: {sum(alone) - sum(bits):.3f} saved")
    for hint in HINTS:
        outcome = play("condense", [TEXT], [hint], judge=judge)
        print(f"{outcome.rewards['black']:9.3f} bits  for {hint!r} in Condense")


if __name__ == "__main__":
    main()
