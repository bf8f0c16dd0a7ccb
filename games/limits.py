"""Every limit of a program and of a play. All are counted, none is timed: a play ends the same way everywhere."""

# Of a program, counted before it is parsed.
SOURCE_BYTES = 64 * 1024
LINE_CHARACTERS = 2_000
INSTRUCTIONS = 64
LEVELS = 50
#: Words, numbers, texts and signs, over all lines.
PIECES = 4_000
#: Of the parsed tree: a sum of 90 terms is one bracket level but 90 levels of tree.
TREE_LEVELS = 100
#: No number of a program, written or computed, is further from zero; all of them are exact as floats.
NUMBER = 10**15

# Of an instruction.
ELICIT_TOKENS = 512
REPLAYS = 100
#: Characters of what an author says to players.
SAY, LABEL = 200, 60
ENSURE_FAILURES = 10
GENERATED_TOKENS = 512
GENERATED_ITEMS = 32
#: Of all that a judge writes for one program.
WRITTEN_TOKENS = 8_192

# Of one play: its budgets.
LINES = 1_000
MEASUREMENTS = 256
MOVES = 64
TEXT_CHARACTERS = 20_000
LIST_ITEMS = 1_000
LIST_CHARACTERS = 100_000
#: Units of work, about ten nanoseconds each on a laptop: what an operation costs is counted from the characters,
#: items and tokens that it reads. The other budgets bound how often and how large, this one bounds their product.
WORK = 3_000_000
#: Of it, for a line and for each value in it, whatever they are.
LINE_WORK, VALUE_WORK = 100, 50
#: Of what a play shows and tells beside moves and rewards, and of the registers that a player sees at a move. A value,
#: an item and a token count as ten more.
SHOWN_CHARACTERS = 200_000
#: Of what rewards repeat, in their tokens and their terms, counted alike. Rewards beyond come without: no score hangs
#: on them.
REWARD_CHARACTERS = 400_000
#: Of all different measurements, texts and prefixes.
MEASURED_CHARACTERS = 1_000_000

# Of a text that a person sends.
MOVE_BYTES = 8_192
