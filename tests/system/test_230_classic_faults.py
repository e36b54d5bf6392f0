# SPDX-License-Identifier: Apache-2.0
# ctest: long
"""A classic node that refuses, lies, hangs, dies or talks nonsense."""

import farm
from bad_node import FRAMES, BadNode, add_tests

FAULTS = {
    "refuses": ("--refuse", 3),
    "always_refuses": ("--refuse", "always"),
    "error_500": ("--error-500", 4),
    "always_error_500": ("--error-500", "always"),
    "nonsense": ("--nonsense", 3),
    "forgets": ("--forget", 1),
    "writes_nothing": ("--fail-frame", "2:2"),
    "writes_half": ("--half-frame", "2:2"),
    "writes_an_empty_file": ("--empty-frame", "2:2"),
    "crashes": ("--quit-at-frame", "2:1"),
    "hangs": ("--hang-frame", 2),
    "freezes": ("--freeze-after", 2),
    "is_a_black_hole": ("--black-hole", "always"),
    "loses_an_answer": ("--lose-answer", 1),
}


class ClassicFaults(BadNode):
    """Those of the table, and some that are told in their own words."""

    def test_dies_and_is_started_again(self):
        frames = self.folder / "frames"
        bad = self.fake("--die-at-frame", 2, frame_ms=50, frames=frames)
        broker = self.broker()
        self.agent(broker, bad, "bad", "--frames-dir", frames)
        job = broker.render(1, FRAMES, batch=3)
        self.assertEqual(bad.wait(20), 3)
        farm.until("the agent says so",
                   lambda: not broker.agents()["bad"]["node"]["up"])
        bad.restart("--die-at-frame", "off")
        broker.await_job(job, seconds=30)

    def test_down_at_first(self):
        fake = self.fake(frame_ms=10)
        fake.terminate()
        broker = self.broker()
        self.agent(broker, fake, "a1")
        job = broker.render(1, FRAMES)
        fake.restart()
        broker.await_job(job, seconds=20)

    def test_a_frame_that_always_fails_does_not_hold_up_the_rest(self):
        frames = self.folder / "frames"
        fakes = [self.fake("--fail-frame", 5, frame_ms=20, frames=frames)
                 for _ in range(2)]
        broker = self.farm(*fakes, agent_flags=("--frames-dir", frames))
        job = broker.render(1, FRAMES, batch=4)
        document = broker.await_job(job, "failed", seconds=30)
        self.assertEqual(document["counts"]["failed"], 1)
        self.assertEqual(document["counts"]["done"], FRAMES - 1)
        self.assertEqual(broker.frames(job)[5]["attempts"], 3)
        tried = sum(fake.started().count(5) for fake in fakes)
        self.assertEqual(tried, 3)

    def test_a_farm_of_one_ends_too(self):
        frames = self.folder / "frames"
        fake = self.fake("--fail-frame", 5, frame_ms=10, frames=frames)
        broker = self.farm(fake, agent_flags=("--frames-dir", frames))
        job = broker.render(1, FRAMES)
        broker.await_job(job, "failed", seconds=30)



add_tests(ClassicFaults, FAULTS)

if __name__ == "__main__":
    farm.main()
