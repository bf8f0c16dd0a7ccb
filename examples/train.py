"""Train a small language model to write hints for one passage: GRPO with the bits of Condense as its reward.

python examples/train.py --minutes 10 --seeds 1 2 3        needs pip install 'xentarena[judge,train]'

The policy is `pocket`, which is also the judge; it is asked to go on after `Topic:`, as the game's frame begins. For
each seed it says what the untrained policy earns, what the last steps earned, and the best hint that was written.
"""

import argparse
import time
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean
from tempfile import TemporaryDirectory
from typing import Any

from datasets import Dataset
from transformers import AutoModelForCausalLM, AutoTokenizer, TrainerCallback
from trl import GRPOConfig, GRPOTrainer

import judge as judge_package
from xentarena import Judge
from xentarena.rewards import OfflineReward

PASSAGE = (
    "The tide came in over the flats before the boats were home. Mara stood at the end of the pier with a lamp and "
    "counted sails until there was only one missing."
)
POCKET = Path(judge_package.__file__).parent / "pocket"
PROMPT = "<|endoftext|>Topic:"  # every text begins with that token
REFUSED = -10.0  # bits; an empty hint would be worth 0, which most first attempts are not
TOGETHER = 32  # hints of one step
LAST = 50  # steps at the end that count
UNTRAINED = 10  # steps without learning, to compare with
RATE = 1e-4


def hint(text: str) -> list[str]:
    """What stands on the first line is the move."""
    return [text.partition("\n")[0].strip()]


@dataclass
class Ledger:
    """The reward, with the mean of each step and the best hint kept."""

    reward: OfflineReward
    means: list[float] = field(default_factory=list)
    best: tuple[float, str] = (REFUSED, "")

    def __call__(self, prompts: list[str], completions: list[str], **columns: object) -> list[float | None]:
        bits = self.reward(prompts, completions)
        earned = [REFUSED if each is None else each for each in bits]
        self.means.append(fmean(earned))
        self.best = max(self.best, *zip(earned, (hint(each)[0] for each in completions), strict=True))
        return bits


class Clock(TrainerCallback):
    """Ends the training when its time is up."""

    def __init__(self, seconds: float) -> None:
        self._deadline = time.monotonic() + seconds

    def on_step_end(self, args: Any, state: Any, control: Any, **more: Any) -> None:
        if time.monotonic() > self._deadline:
            control.should_training_stop = True


def train(judge: Judge, seed: int, *, rate: float, seconds: float, steps: int) -> Ledger:
    """So long, or so many steps. rate: of learning; with 0 the policy stays what it was."""
    tokenizer = AutoTokenizer.from_pretrained(POCKET)
    policy = AutoModelForCausalLM.from_pretrained(POCKET, dtype="float32")
    ledger = Ledger(OfflineReward("condense", [PASSAGE], judge=judge, refused=REFUSED, moves=hint))
    with TemporaryDirectory() as folder:
        how = GRPOConfig(
            folder,
            seed=seed,
            use_cpu=True,
            learning_rate=rate,
            lr_scheduler_type="constant",
            num_generations=TOGETHER,
            per_device_train_batch_size=TOGETHER,
            max_completion_length=10,
            max_steps=steps,
            activation_checkpointing=False,
            report_to="none",
            save_strategy="no",
            logging_strategy="no",
            disable_tqdm=True,
        )
        prompts = Dataset.from_dict(
            {"prompt": ["<|endoftext|>Topic:"] * TOGETHER}
        )  # a text begins with its first token
        watch = Clock(seconds)
        GRPOTrainer(policy, ledger, how, prompts, processing_class=tokenizer, callbacks=[watch]).train()
    return ledger


def main() -> None:
    parser = argparse.ArgumentParser(description="Train pocket to write hints for one passage.")
    parser.add_argument("--minutes", type=float, default=10, help="of training for each seed")
    parser.add_argument("--steps", type=int, default=100_000, help="at most, for each seed")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    given = parser.parse_args()
    judge = Judge.load("pocket")
    for seed in given.seeds:
        before = fmean(train(judge, seed, rate=0, seconds=60 * given.minutes, steps=min(UNTRAINED, given.steps)).means)
        trained = train(judge, seed, rate=RATE, seconds=60 * given.minutes, steps=given.steps)
        after = fmean(trained.means[-LAST:])
        bits, best = trained.best
        print(f"seed {seed}: {len(trained.means)} steps of {TOGETHER} hints")
        print(f"{before:9.3f} bits  untrained, mean of {UNTRAINED} steps")
        print(f"{after:9.3f} bits  trained, mean of the last {LAST} steps")
        print(f"{bits:9.3f} bits  the best hint, {best!r}", flush=True)


if __name__ == "__main__":
    main()
