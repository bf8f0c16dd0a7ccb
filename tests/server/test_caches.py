"""A cache that is bounded by size keeps what was used last, as much as fits."""

from server.caches import SizedCache


def _fill(cache: SizedCache[str, str], *texts: str) -> list[str]:
    """Those of the texts that had to be made."""
    made: list[str] = []

    def make(text: str) -> str:
        made.append(text)
        return text

    for each in texts:
        assert cache.get(each, lambda each=each: make(each), len) == each  # type: ignore[misc]
    return made


def test_what_is_kept_is_not_made_again() -> None:
    cache = SizedCache[str, str](10)
    assert _fill(cache, "aaaa", "bbbb", "aaaa", "bbbb") == ["aaaa", "bbbb"]


def test_what_was_used_longest_ago_goes_first() -> None:
    cache = SizedCache[str, str](10)
    _fill(cache, "aaaa", "bbbb", "aaaa", "cccc")
    assert _fill(cache, "aaaa", "cccc") == []
    assert _fill(cache, "bbbb") == ["bbbb"]


def test_many_small_ones_stay_where_a_large_one_would_not() -> None:
    cache = SizedCache[str, str](100)
    _fill(cache, *map(str, range(50)))
    assert _fill(cache, "x" * 101, "x" * 101) == ["x" * 101] * 2
    assert _fill(cache, *map(str, range(50))) == []


def test_a_large_one_pushes_out_as_many_as_it_takes_room() -> None:
    cache = SizedCache[str, str](10)
    _fill(cache, "a", "b", "cc", "x" * 8)
    assert _fill(cache, "cc", "x" * 8) == []
    assert _fill(cache, "a", "b") == ["a", "b"]
