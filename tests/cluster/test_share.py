"""What each worker gets of this machine."""

import pytest

from tf_style.cluster.share import Share, share
from tf_style.run import machine


@pytest.mark.parametrize("asked, cores, limit, expected", [
    # Cores are shared out.
    (("auto", "auto", 40, 1e9), 4, 8e9, Share(4, 1, 2e9)),
    ((2, "auto", 40, 1e9), 4, 8e9, Share(2, 2, 4e9)),
    ((3, "auto", 40, 1e9), 4, 9e9, Share(3, 1, 3e9)),
    (("auto", 2, 40, 1e9), 5, 8e9, Share(2, 2, 4e9)),
    ((8, "auto", 40, 1e9), 2, 8e9, Share(8, 1, 1e9)),
    # There are no more than there are tasks, or memory for.
    (("auto", "auto", 2, 1e9), 4, 8e9, Share(2, 2, 4e9)),
    (("auto", "auto", 40, 3e9), 4, 8e9, Share(2, 2, 4e9)),
    (("auto", "auto", 40, 9e9), 4, 8e9, Share(1, 4, 8e9)),
    # Whoever says how many there are to be gets them.
    ((2, "auto", 40, 9e9), 4, 8e9, Share(2, 2, 4e9)),
    (("auto", "auto", 40, 9e9), 4, None, Share(4, 1, None)),
    (("auto", 8, 40, 1e9), 4, 8e9, Share(1, 8, 8e9)),
])
def test_shares(asked, cores, limit, expected, monkeypatch):
    monkeypatch.setattr(machine, "cores", lambda: cores)
    monkeypatch.setattr(machine, "memory_limit", lambda: limit)
    assert share(*asked) == expected
