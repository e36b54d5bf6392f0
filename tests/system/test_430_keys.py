# SPDX-License-Identifier: Apache-2.0
# ctest: smoke long
"""A farm whose agents need keys: joined, used, cut off; and what those get who
have no key, a wrong one, or another agent's."""

import re
import shutil

import curve
import farm
from test_022_hostile_zmq import (forged_completions, lease_number, pack,
                                  state)
from wire import Zmtp


class KeysTest(farm.FarmTest):
    """A broker whose agents need keys; its people need none."""

    broker_flags = ()

    def setUp(self):
        super().setUp()
        self.host = self.broker("--curve", "on", *self.broker_flags)

    def add(self, name, *flags):
        """Makes a key; returns the join string."""
        result = self.cli(self.host, "agents", "add", name, *flags)
        self.assertEqual(result.returncode, 0, result)
        words = result.stdout.split()
        self.assertEqual([words[0], words[1], words[3]],
                         ["frameq-agent", "--join", "--start-node"])
        return words[2]

    def remove(self, name, code=0):
        result = self.cli(self.host, "agents", "remove", name)
        self.assertEqual(result.returncode, code, result)

    def join(self, join, node, wait=True, **options):
        return Joined(self, "--join", join, "--node", node.url, "--state",
                      self.folder / f"agent-{self.count()}", wait=wait,
                      **options)

    def peer(self, kind, name, join=None, keys=None, **options):
        """A libzmq socket to one of the broker's, by the keys of a join
        string."""
        if join:
            server, secret, *_ = curve.read_join(join)
            keys = (server, curve.public_of(secret), secret)
        address = self.host.ready.get(name, name)
        peer = curve.Peer(kind, address, keys, **options)
        self.addCleanup(peer.close)
        return peer

    def lane_address(self, agent):
        port = re.search(r"event=lane .*port=(\d+)", agent.log_text())[1]
        return f"{farm.HOST}:{port}"

    def log_has(self, program, *words):
        farm.until(f"the log says {words}", lambda: all(
            word in program.log_text() for word in words))


class Joined(farm.Program):
    name = "frameq-agent"
    stop_seconds = 6


class Joining(KeysTest):
    def test_a_job_from_end_to_end(self):
        fake = self.fake(frame_ms=5)
        agent = self.join(self.add("n1"), fake)
        self.host.await_agents("n1")
        self.host.await_job(self.host.render(1, 20))
        self.assert_each_once(range(1, 21), fake)
        self.assertTrue(agent.running())

    def test_several_each_by_its_own_key(self):
        fakes = [self.fake(frame_ms=20) for _ in range(3)]
        for i, fake in enumerate(fakes):
            self.join(self.add(f"n{i}"), fake, wait=False)
        self.host.await_agents("n0", "n1", "n2")
        self.host.await_job(self.host.render(1, 60, batch=2))
        self.assert_each_once(range(1, 61), *fakes)
        self.assertTrue(all(fake.rendered() for fake in fakes))

    def test_the_broker_restarts(self):
        fake = self.fake(frame_ms=5)
        self.join(self.add("n1"), fake)
        self.host.await_agents("n1")
        self.host.kill()
        self.host.restart()
        self.host.await_agents("n1")
        self.host.await_job(self.host.render(1, 5))

    def test_the_file_is_private_and_tells_no_agents_key(self):
        join = self.add("n1")
        path = self.host.data / "keys"
        self.assertEqual(path.stat().st_mode & 0o777, 0o600)
        _, secret, *_ = curve.read_join(join)
        self.assertNotIn(secret.decode(), path.read_text())
        self.host.terminate()
        path.chmod(0o640)
        result = self.run_program("frameq-broker", "--curve", "on", "--data",
                                  self.host.data, "--http", f"{farm.HOST}:0",
                                  "--zmq", f"{farm.HOST}:0")
        self.assertEqual(result.returncode, 1, result)
        self.assertIn("0600", result.stderr)

    def test_what_is_refused(self):
        self.add("n1")
        web = self.host.web()
        for body, status, words in (
                ({"name": "n1"}, 409, "n1 has a key"),
                ({"name": "a b"}, 400, "`name`: may hold only letters"),
                ({"name": "a" * 65}, 400, "`name`"),
                ({}, 400, "`name`: missing"),
                ({"name": "n2", "broker": "farm"}, 400, "`broker`"),
                ({"name": "n2", "key": 1}, 400, "unknown field `key`")):
            answer = web.post("/v1/agents", body)
            self.assertEqual(answer.status, status, answer)
            self.assertIn(words, answer.text)
        self.assertEqual(web.delete("/v1/agents/n2").status, 404)
        self.remove("n2", code=4)

    def test_a_farm_without_keys_says_so(self):
        plain = self.broker()
        answer = plain.web().post("/v1/agents", {"name": "n1"})
        self.assertEqual(answer.status, 409)
        self.assertIn("--curve on", answer.text)

    def test_the_join_string(self):
        """It says the name and the address; half of one is refused."""
        join = self.add("n1", "--address", "http://farm.example:4000")
        *_, name, broker = curve.read_join(join)
        self.assertEqual((name, broker), ("n1", "http://farm.example:4000"))
        for flags, words in ((["--join", join[:-9]], "not all of one"),
                             (["--join", join, "--name", "n2"],
                              "--join is for the agent n1")):
            result = self.run_program("frameq-agent", *flags)
            self.assertEqual(result.returncode, 2, result)
            self.assertIn(words, result.stderr)

    def test_no_settings_tell_a_secret(self):
        join = self.add("n1")
        result = self.run_program("frameq-agent", "--join", join, "--token",
                                  "fq_secret", "--print-config")
        self.assertNotIn(join, result.stdout)
        self.assertNotIn("fq_secret", result.stdout)
        self.assertIn("# join = (set)", result.stdout)
        self.assertIn("# token = (set)", result.stdout)


class Strangers(KeysTest):
    def setUp(self):
        super().setUp()
        self.node = self.fake(frame_ms=5)
        self.joined = self.add("n1")
        self.agent = self.join(self.joined, self.node)
        self.host.await_agents("n1")

    def assert_all_rendered(self):
        """100 batches, every one by the agent they were meant for."""
        self.host.await_job(self.host.render(1, 100, batch=1), seconds=60)
        self.assert_each_once(range(1, 101), self.node)

    def test_without_a_key(self):
        thief = self.peer(curve.PULL, self.lane_address(self.agent))
        ear = self.peer(curve.SUB, "control")
        feed = self.peer(curve.SUB, "feed")
        liar = self.peer(curve.PUB, "status")
        for seq in range(1, 50):
            liar.send(b"S/evil/", pack(state("evil", seq)))
        self.assert_all_rendered()
        for peer in (thief, ear, feed):
            self.assertIsNone(peer.receive())
        self.assertNotIn("evil", self.host.agents())

    def test_with_a_key_nobody_knows(self):
        server, *_ = curve.read_join(self.joined)
        keys = (server, *curve.new_pair())
        thief = self.peer(curve.PULL, self.lane_address(self.agent), keys=keys)
        ear = self.peer(curve.SUB, "control", keys=keys)
        feed = self.peer(curve.SUB, "feed", keys=keys)
        liar = self.peer(curve.PUB, "status", keys=keys)
        self.log_has(self.host, "event=key_refused", keys[1].decode())
        self.assertGreater(self.host.metric(
            'frameq_refused_total{why="key"}'), 0)
        for seq in range(1, 50):
            liar.send(b"S/evil/", pack(state("evil", seq)))
        self.assert_all_rendered()
        for peer in (thief, ear, feed):
            self.assertIsNone(peer.receive())
        self.assertNotIn("evil", self.host.agents())
        self.assertLess(self.host.log_text().count("event=key_refused"), 4)

    def test_an_agents_key_on_anothers_lane(self):
        """The key is good, and opens nothing of the other's."""
        other = self.add("n2")
        thief = self.peer(curve.PULL, self.lane_address(self.agent), other)
        feed = self.peer(curve.SUB, "feed", other)
        self.log_has(self.host, "event=key_refused")
        self.assert_all_rendered()
        self.assertIsNone(thief.receive())
        self.assertIsNone(feed.receive())

    def test_a_forged_state(self):
        """A member reports under its own name only."""
        liar = self.peer(curve.PUB, "status", self.add("n2"))
        farm.until("its own STATE is heard", lambda: (
            liar.send(b"S/n2/", pack(state("n2", 1))),
            "n2" in self.host.agents())[1])
        for seq in range(1, 200):
            liar.send(b"S/n1/", pack(state("n1", 1000000 + seq, slots=0)))
            liar.send(b"S/n3/", pack(state("n3", seq)))
        self.log_has(self.host, "event=state_refused", "key_of=n2")
        self.assert_all_rendered()
        agents = self.host.agents()
        self.assertEqual(agents["n1"]["slots"], 1)
        self.assertGreater(self.host.metric(
            'frameq_refused_total{why="identity"}'), 0)
        self.assertNotIn("n3", agents)
        self.assertLess(self.host.log_text().count("event=state_refused"), 3)

    def member(self):
        """Another agent, n2, that is heard."""
        other = self.peer(curve.PUB, "status", self.add("n2"))
        farm.until("its own STATE is heard", lambda: (
            other.send(b"S/n2/", pack(state("n2", 1, slots=0))),
            "n2" in self.host.agents())[1])
        return other

    def test_a_replayed_state(self):
        """By the agent it was of, or by another member."""
        member = self.member()
        before = self.host.refused("stale")
        member.send(b"S/n2/", pack(state("n2", 1)))
        farm.until("it is refused", lambda: self.host.refused("stale") > before)
        member.send(b"S/n1/", pack(state("n1", 1)))
        farm.until("it is refused", lambda: self.host.refused("identity") == 1)
        self.assertEqual(self.host.agents()["n2"]["slots"], 0)

    def test_a_forged_completion(self):
        """A member's, of another's frame."""
        member = self.member()
        self.node.trick(hang_frame=1)
        job = self.host.render(1, 1)
        agent = farm.until("it is leased", lambda: (
            lambda a: a if a["leases"] else None)(self.host.agents()["n1"]))
        member.send(b"S/n2/", pack(state("n2", 2, slots=0, leases=(
            forged_completions(self.host.farm()["epoch"], job,
                               lease_number(agent))))))
        farm.until("it is refused", lambda: self.host.refused("lease") == 3)
        self.assertEqual(self.host.job(job)["counts"]["done"], 0)
        self.host.web().delete(f"/v1/jobs/{job}")

    def test_an_agent_without_a_key(self):
        """It is told what to do; once."""
        self.agent2 = self.agent_of("x1")
        self.log_has(self.agent2, "frameq agents add")
        self.host.await_job(self.host.render(1, 50, batch=1))
        self.assertEqual(self.agent2.log_text().count("broker_not_found"), 1)
        self.assertNotIn("x1", self.host.agents())

    def agent_of(self, name):
        return farm.Agent(self, self.host, self.node, name, wait=False)

    def test_plain_words_are_not_understood(self):
        peer = Zmtp(None, self.host.ready["status"])
        self.addCleanup(peer.close)
        with self.assertRaises(OSError):
            peer.greet("PUB")
            peer.read(1)


class Removed(KeysTest):
    def test_its_work_goes_elsewhere_at_once(self):
        slow, quick = self.fake(frame_ms=60000), self.fake(frame_ms=5)
        first = self.join(self.add("slow"), slow)
        self.host.await_agents("slow")
        job = self.host.render(1, 3, batch=3)
        farm.until("it renders", slow.started)
        second = self.join(self.add("quick"), quick)
        self.host.await_agents("quick")
        start = farm.now()
        self.remove("slow")
        farm.until("another renders it", lambda: 1 in quick.started(),
                   seconds=2)
        self.assertLess(farm.now() - start, 2 * farm.SLOW)
        self.host.await_job(job)
        self.assertEqual(self.host.agents()["slow"]["state"], "lost")
        self.log_has(first, "key_refused")
        self.assertTrue(first.running() and second.running())
        self.host.await_job(self.host.render(1, 3))
        self.assertEqual(self.host.agents()["slow"]["state"], "lost")

    def test_its_connections_are_closed(self):
        """It hears nothing more of control, says nothing more, and its HTTP
        token is worth nothing. Who stayed goes on."""
        joined, node = self.add("bad"), self.fake(frame_ms=5)
        self.join(self.add("good"), node)
        ear = self.peer(curve.SUB, "control", joined)
        mouth = self.peer(curve.PUB, "status", joined)
        while ear.receive() is None:
            pass
        farm.until("it is heard", lambda: (
            mouth.send(b"S/bad/", pack(state("bad", 1))),
            "bad" in self.host.agents())[1])
        self.remove("bad")
        while ear.receive() is not None: # BEATs that were on their way
            pass
        for seq in range(2, 50):
            mouth.send(b"S/bad/", pack(state("bad", seq)))
        self.assertIsNone(ear.receive())
        self.host.await_job(self.host.render(1, 20, batch=1))
        self.assert_each_once(range(1, 21), node)
        self.assertEqual(self.host.agents()["bad"]["state"], "lost")

    def test_it_may_come_back_by_a_new_key(self):
        node = self.fake(frame_ms=5)
        old = self.join(self.add("n1"), node)
        self.host.await_agents("n1")
        self.remove("n1")
        self.log_has(old, "key_refused")
        new = self.add("n1")
        old.terminate()
        self.join(new, node)
        self.host.await_agents("n1")
        self.host.await_job(self.host.render(1, 5))

    def test_the_removed_are_forgotten_on_disk_too(self):
        joined = self.add("n1")
        self.remove("n1")
        self.host.terminate()
        self.host.restart()
        agent = self.join(joined, self.fake(), wait=False)
        self.log_has(agent, "key_refused")
        self.assertEqual(self.host.agents(), {})


class Replaced(KeysTest):
    """Keys are replaced while a job is rendered: the farm goes on, and every
    frame is rendered once."""

    def setUp(self):
        super().setUp()
        self.nodes = [self.fake(frame_ms=20) for _ in range(2)]
        self.joined = [self.start(i) for i in range(2)]
        self.host.await_agents("n0", "n1")

    def start(self, i, join=None):
        return Joined(self, "--join", join or self.add(f"n{i}"), "--node",
                      self.nodes[i].url, "--state", self.folder / f"state{i}",
                      wait=False)

    def test_an_agents_key(self):
        job = self.host.render(1, 300, batch=2)
        farm.until("it renders", self.nodes[0].rendered)
        self.assertEqual(self.cli(self.host, "drain", "n0").returncode, 0)
        farm.until("it has ended its work", lambda: not self.host.agents()[
            "n0"]["leases"])
        self.remove("n0")
        self.joined[0].terminate()
        before = [len(node.rendered()) for node in self.nodes]
        self.start(0)
        self.host.await_agents("n0")
        self.assertEqual(self.cli(self.host, "drain", "n0", "--off").returncode,
                         0)
        farm.until("both render", lambda: all(
            len(node.rendered()) > n for node, n in zip(self.nodes, before)))
        self.host.await_job(job)
        self.assert_each_once(range(1, 301), *self.nodes)

    def test_the_brokers_key(self):
        """Agents with the old one are not let in; their nodes render on, and
        who comes with a new join string brings what they rendered."""
        old = (self.host.data / "keys").read_text()
        job = self.host.render(1, 100, batch=50)
        farm.until("both render", lambda: all(
            node.rendered() for node in self.nodes))
        self.host.terminate()
        (self.host.data / "keys").unlink()
        self.host.restart()
        self.assertNotEqual((self.host.data / "keys").read_text(), old)
        self.assertEqual(self.host.job(job)["state"], "running")
        for i in range(2):
            self.joined[i].kill()
            self.start(i)
        self.host.await_agents("n0", "n1")
        self.host.await_job(job)
        self.assert_each_once(range(1, 101), *self.nodes)


class WithTokens(KeysTest):
    """People need tokens, and agents have theirs by their key."""

    def setUp(self):
        farm.FarmTest.setUp(self)
        self.tokens = self.folder / "tokens"
        self.admin, self.submit = (self.token("add", "--role", role, role)
                                   for role in ("admin", "submit"))
        self.host = self.broker("--curve", "on", "--tokens", self.tokens)

    def token(self, *args):
        result = self.run_program("frameq", "token", *args, "--tokens",
                                  self.tokens)
        self.assertEqual(result.returncode, 0, result)
        return result.stdout.strip()

    def ask(self, *args, token, **options):
        return self.run_program("frameq", *args, env={
            "FRAMEQ_BROKER": self.host.url, "FRAMEQ_TOKEN": token}, **options)

    def test_from_end_to_end(self):
        self.assertEqual(self.ask("agents", "add", "n1",
                                  token=self.submit).returncode, 4)
        result = self.ask("agents", "add", "n1", token=self.admin)
        join, node = result.stdout.split()[2], self.fake(frame_ms=5)
        agent = self.join(join, node)
        result = self.ask("submit", "-f", "1-5", "--wait", token=self.submit)
        self.assertEqual(result.returncode, 0, result)
        self.assertEqual(self.ask("agents", "remove", "n1",
                                  token=self.submit).returncode, 4)
        self.assertEqual(self.ask("agents", "remove", "n1",
                                  token=self.admin).returncode, 0)
        self.log_has(agent, "does not know this agent")

    def test_frames_are_sent_by_the_agents_own_token(self):
        output = self.folder / "output"
        output.mkdir()
        self.host = self.broker("--curve", "on", "--tokens", self.tokens,
                                "--results", "keep")
        join = self.ask("agents", "add", "n1",
                        token=self.admin).stdout.split()[2]
        self.join(join, self.fake("--superset", frames=output))
        job = self.ask("submit", "-f", "1-5", "--wait",
                       token=self.submit).stdout.strip()
        farm.until("all frames at the broker", lambda: len(list(
            (self.host.data / "blobs").glob("??/*"))) == 5)
        shutil.rmtree(output)
        result = self.ask("fetch", job, self.folder / "home",
                          token=self.submit)
        self.assertIn("5 fetched", result.stdout)

    def test_the_log_of_another(self):
        """A member of the farm puts nothing under another's frames."""
        n1, n2 = (self.ask("agents", "add", name,
                           token=self.admin).stdout.split()[2]
                  for name in ("n1", "n2"))
        output = self.folder / "output"
        output.mkdir()
        self.join(n1, self.fake("--superset", frames=output))
        job = self.ask("submit", "-f", "1", "--wait",
                       token=self.submit).stdout.strip()
        path = f"/v1/jobs/{job}/frames/1/log"

        def kept():
            answer = self.host.web().get(
                path, authorization=f"Bearer {self.submit}")
            return answer if answer.status == 200 else None

        log = farm.until("the log", kept)
        put = f"/v1/leases/{log.headers['Log-Lease']}/frames/1/log?job={job}"
        statuses = [self.host.web().request("PUT", put, b"forged", {
            "Authorization": f"Bearer {token}"}).status for token in (
                curve.http_token(curve.read_join(n2)[1]), "fq_nobodys")]
        self.assertEqual(statuses, [403, 401])
        self.assertEqual(kept().text, log.text)
        self.log_has(self.host, "artifact_refused")
        self.assertEqual(self.host.web().request("PUT", put, b"its own", {
            "Authorization":
                f"Bearer {curve.http_token(curve.read_join(n1)[1])}"}).status,
            204)

    def test_watching(self):
        """Whoever may look is told the watchers' key; it changes when somebody
        may no longer."""
        join = self.ask("agents", "add", "n1",
                        token=self.admin).stdout.split()[2]
        self.join(join, self.fake(frame_ms=5))
        job = self.ask("submit", "-f", "1-5", token=self.submit).stdout.strip()
        result = self.ask("watch", job, token=self.submit, seconds=20)
        self.assertEqual(result.returncode, 0, result)
        web = self.host.web()
        headers = {"Authorization": f"Bearer {self.admin}"}
        told = web.request("GET", "/v1/feed", headers=headers).json()
        keys = [told[name].encode() for name in (
            "server_key", "public_key", "secret_key")]
        feed = self.peer(curve.SUB, "feed", keys=keys, wait=0.5)
        control = self.peer(curve.SUB, "control", keys=keys, wait=3)
        farm.until("the feed speaks", lambda: (
            self.ask("submit", "-f", "1", token=self.submit),
            feed.receive())[1])
        self.assertIsNone(control.receive())
        self.token("rm", "submit")
        farm.until("the key is another", lambda: web.request(
            "GET", "/v1/feed", headers=headers).json() != told)
        while feed.receive() is not None:
            pass
        self.ask("submit", "-f", "1", token=self.admin)
        self.assertIsNone(feed.receive())


class Doors(farm.FarmTest):
    """What a broker refuses to open."""

    def run_broker(self, *flags):
        return self.run_program("frameq-broker", "--data",
                                self.folder / "data", *flags)

    def test_http_off_loopback_without_tokens(self):
        result = self.run_broker("--http", "0.0.0.0:0", "--zmq",
                                 f"{farm.HOST}:0")
        self.assertEqual(result.returncode, 1)
        self.assertIn("frameq token add", result.stderr)
        self.assertIn("--insecure", result.stderr)

    def test_zmq_off_loopback_has_keys(self):
        host = self.broker(listen=("--http", f"{farm.HOST}:0", "--zmq",
                                   "0.0.0.0:0"))
        self.assertIsNotNone(host.farm()["server_key"])

    def test_unless_insecure(self):
        host = self.broker("--insecure", listen=("--http", f"{farm.HOST}:0",
                                                 "--zmq", "0.0.0.0:0"))
        self.assertIsNone(host.farm()["server_key"])


if __name__ == "__main__":
    farm.main()
