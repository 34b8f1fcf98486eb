"""Philox4x32-10 over arrays of counters (Salmon et al., SC 2011)."""

import numpy as np

_WORD = np.uint64(0xFFFFFFFF)
_MULTIPLIERS = (np.uint64(0xD2511F53), np.uint64(0xCD9E8D57))
_WEYL = (0x9E3779B9, 0xBB67AE85)


def first_words(key: tuple[int, int], count: int) -> np.ndarray:
    """The first word of the counters (i, 0, 0, 0), i < count, as uint64."""
    lanes = [np.arange(count, dtype=np.uint64)] + [np.zeros(count, dtype=np.uint64) for _ in range(3)]
    keys = list(key)
    for _ in range(10):
        left = _MULTIPLIERS[0] * lanes[0]
        right = _MULTIPLIERS[1] * lanes[2]
        lanes = [
            (right >> np.uint64(32)) ^ lanes[1] ^ np.uint64(keys[0]),
            right & _WORD,
            (left >> np.uint64(32)) ^ lanes[3] ^ np.uint64(keys[1]),
            left & _WORD,
        ]
        keys = [(k + w) & 0xFFFFFFFF for k, w in zip(keys, _WEYL)]
    return lanes[0]
