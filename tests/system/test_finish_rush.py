"""Many people finish at once: uploads, edits and deletions from many connections, while the server is killed again and
again (all of its processes, in a cluster).

EKIDEN_RUSH_PEOPLE, EKIDEN_RUSH_KILLS, EKIDEN_RUSH_UPLOADS make it longer or shorter."""

import os
import time

import pytest

from harness.rush import Rush, check_all, differences

KILLS = int(os.environ.get("EKIDEN_RUSH_KILLS", 20))


def kill_again_and_again(rush, rng):
    """Kills at points of the work that the seed draws, not at times. Returns how often."""
    done = 0
    for point in sorted(rng.random() for _ in range(KILLS)):
        while rush.progress < point and rush.is_running:
            time.sleep(0.002)
        time.sleep(rng.random() * 0.15)
        rush.server.kill()
        rush.server.start()
        done += 1
    return done


@pytest.fixture
def rush(make_server, rng, capsys):
    rush = Rush(make_server({"user.access_token_ttl": "2h"}), rng)
    kills = rush.run(lambda running: kill_again_and_again(running, rng))
    with capsys.disabled():
        print(f"\n{rush.summary()}, {kills} kills")
    assert kills == KILLS
    return rush


def test_boards_equal_the_files_after_a_rush_under_kill_9(rush, rng):
    """Whoever crashed and whatever came twice: no upload is lost, every board is what the files alone give."""
    server, expected = rush.server, rush.expected_boards()
    rush.check()

    # Everything again: offsets go back, published events are published once more.
    assert server.stop() == 0
    assert server.stores.rewind_offsets(1.0, rng) > 0
    assert server.stores.publish_again("workout", 0.5, rng) > 0
    assert server.stores.publish_again("user", 0.5, rng) > 0
    server.start()
    check_all(server, rush.people, rush.finishers, expected)

    # And the projection in memory is what a rebuild makes of the ledger.
    made = server.ekiden("rebuild", "ranking")
    assert made.returncode == 0, made
    assert not differences(server, rush.people[0], expected)
