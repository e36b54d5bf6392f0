# SPDX-License-Identifier: Apache-2.0
# ctest: smoke long
"""What all programs have in common: flags, files, ready lines, ends."""

import re
import signal
import socket

import farm
from wire import Web, host_port

SERVERS = ("frameq-broker", "frameq-agent", "frameq-node")
ALL = SERVERS + ("frameq",)

# (program, flag, a value it refuses)
BAD_VALUES = [
    ("frameq-broker", "--http", "nowhere"),
    ("frameq-broker", "--http", "127.0.0.1:70000"),
    ("frameq-broker", "--zmq", "1.2.3.4"),
    ("frameq-broker", "--lanes", "30000-20000"),
    ("frameq-broker", "--batch", "0"),
    ("frameq-broker", "--max-attempts", "none"),
    ("frameq-broker", "--lease-ttl", "-1"),
    ("frameq-broker", "--orphan-grace", "soon"),
    ("frameq-broker", "--results", "maybe"),
    ("frameq-broker", "--keep", "x"),
    ("frameq-agent", "--broker", "ftp://x"),
    ("frameq-agent", "--name", "a b"),
    ("frameq-agent", "--slots", "-2"),
    ("frameq-node", "--slots", "many"),
    ("frameq-node", "--device", "abacus"),
    ("frameq-node", "--sandbox", "perhaps"),
    ("frameq-node", "--threads", "-1"),
]

# Every flag of the promise with a value it takes, but what --print-config
# does not print.
FLAGS = {
    "frameq-broker": [
        "--http", "127.0.0.1:0", "--zmq", "127.0.0.1:0", "--lanes",
        "21000-21999", "--data", "d", "--batch", "5", "--max-attempts", "2",
        "--lease-ttl", "10", "--orphan-grace", "3", "--results", "keep",
        "--keep", "7"],
    "frameq-agent": [
        "--broker", "http://127.0.0.1:4000", "--node",
        "http://127.0.0.1:3001", "--name", "a.b-c_1", "--slots", "2",
        "--tags", "a,b", "--state", "s", "--start-node", "--frames-dir", "f"],
    "frameq-node": [
        "--listen", "127.0.0.1:0", "--blend", "x.blend", "--blend-root", "r",
        "--blend-root", "q", "--output", "o", "--blender", "blender",
        "--slots", "auto", "--threads", "0", "--nice", "10", "--device",
        "cpu", "--allow-scripts", "--sandbox", "off", "--warm", "off",
        "--insecure"],
}


class Programs(farm.FarmTest):
    def assert_one_line(self, text):
        self.assertEqual(len(text.strip().splitlines()), 1, text)

    def test_help(self):
        for name in ALL:
            done = self.run_program(name, "--help")
            self.assertEqual((done.returncode, done.stderr), (0, ""), name)
            self.assertIn(name, done.stdout)
            for flag in FLAGS.get(name, []):
                if flag.startswith("--"):
                    self.assertIn(flag, done.stdout)

    def test_help_of_frameq_fits_a_screen(self):
        lines = self.run_program("frameq", "--help").stdout.splitlines()
        self.assertLessEqual(len(lines), 24)
        self.assertLessEqual(max(map(len, lines)), 80)

    def test_version(self):
        for name in ALL:
            done = self.run_program(name, "--version")
            self.assertEqual(done.returncode, 0, name)
            self.assertRegex(done.stdout, rf"\A{name} \d+\.\d+\.\d+\n\Z")

    def test_unknown_flag(self):
        for name, flag, nearest in (
                ("frameq-broker", "--htp", "--http"),
                ("frameq-broker", "--max-attempt=3", "--max-attempts"),
                ("frameq-agent", "--brokr", "--broker"),
                ("frameq-node", "--lisen", "--listen")):
            done = self.run_program(name, flag, "x")
            self.assertEqual(done.returncode, 2, (name, done))
            self.assert_one_line(done.stderr)
            self.assertIn(nearest, done.stderr)
            self.assertEqual(done.stdout, "")

    def test_unknown_verb(self):
        done = self.run_program("frameq", "stats")
        self.assertEqual(done.returncode, 2)
        self.assertIn("status", done.stderr)

    def test_bad_values(self):
        for name, flag, value in BAD_VALUES:
            with self.subTest(name=name, flag=flag, value=value):
                done = self.run_program(name, flag, value)
                self.assertEqual(done.returncode, 2, done)
                self.assert_one_line(done.stderr)
                self.assertIn(flag, done.stderr)

    def test_operands_are_refused(self):
        for name in SERVERS:
            self.assertEqual(self.run_program(name, "x").returncode, 2, name)

    def test_config_round_trip(self):
        for name, flags in FLAGS.items():
            with self.subTest(name=name):
                first = self.run_program(name, *flags, "--print-config")
                self.assertEqual(first.returncode, 0, first)
                file = self.folder / f"{name}.conf"
                file.write_text(first.stdout)
                again = self.run_program(name, "--config", file,
                                         "--print-config")
                self.assertEqual((again.returncode, again.stderr), (0, ""))
                self.assertEqual(again.stdout, first.stdout)

    def test_default_config_round_trip(self):
        for name in SERVERS:
            file = self.folder / f"{name}.conf"
            first = self.run_program(name, "--print-config")
            file.write_text(first.stdout)
            again = self.run_program(name, "--config", file, "--print-config")
            self.assertEqual(again.stdout, first.stdout, name)

    def printed(self, *args, **env):
        done = self.run_program("frameq-broker", *args, "--print-config",
                                env=env)
        self.assertEqual(done.returncode, 0, done)
        return re.search(r"^\s*max-attempts\s*=\s*\"?(\d+)", done.stdout,
                         re.MULTILINE)[1]

    def test_flag_beats_variable_beats_file_beats_default(self):
        file = self.folder / "conf"
        file.write_text('max-attempts = "5"\n')
        self.assertEqual(self.printed(), "3")
        self.assertEqual(self.printed("--config", file), "5")
        self.assertEqual(self.printed("--config", file,
                                      FRAMEQ_MAX_ATTEMPTS="6"), "6")
        self.assertEqual(self.printed("--config", file, "--max-attempts", "7",
                                      FRAMEQ_MAX_ATTEMPTS="6"), "7")

    def test_bad_files(self):
        file = self.folder / "conf"
        file.write_text('max-attemps = "5"\n')
        done = self.run_program("frameq-broker", "--config", file)
        self.assertEqual(done.returncode, 2, done)
        self.assertIn("max-attempts", done.stderr)
        file.write_text('max-attempts = "x"\n')
        done = self.run_program("frameq-broker", "--config", file)
        self.assertEqual(done.returncode, 2, done)
        missing = self.run_program("frameq-broker", "--config", "none")
        self.assertIn(missing.returncode, (1, 2))
        self.assertIn("none", missing.stderr)

    def test_bad_variable(self):
        done = self.run_program("frameq-broker",
                                env={"FRAMEQ_BATCH": "often"})
        self.assertEqual(done.returncode, 2, done)
        self.assertIn("FRAMEQ_BATCH", done.stderr)


class Running(farm.FarmTest):
    def test_broker_ready_line(self):
        broker = self.broker()
        for name, address in broker.ready.items():
            host, port = host_port(address)
            self.assertEqual(host, farm.HOST, name)
            self.assertGreater(port, 0, name)
        ports = broker.farm()["ports"]
        self.assertEqual(ports["http"], host_port(broker.address)[1])
        self.assertEqual(ports["control"], ports["status"] + 1)
        self.assertEqual(ports["feed"], ports["status"] + 2)

    def test_folders_are_made(self):
        deep = self.folder / "a/b/c"
        self.broker(data=deep)
        self.assertTrue(deep.is_dir())

    def test_log_lines(self):
        broker = self.broker()
        broker.render(1, 2)
        broker.terminate()
        lines = broker.log_text().splitlines()
        self.assertTrue(lines)
        for line in lines:
            self.assertRegex(line, r"\A(<\d>)?[a-z_]+=\S")

    def test_sigterm_and_sigint(self):
        for how in (signal.SIGTERM, signal.SIGINT):
            fake = self.fake()
            broker = self.broker()
            agent = self.agent(broker, fake, "a1")
            broker.await_agents("a1")
            for program, seconds in ((agent, 5), (broker, 2)):
                program.process.send_signal(how)
                self.assertEqual(program.wait(seconds), 0, program.name)

    def test_broker_ends_with_requests_open(self):
        broker = self.broker()
        job = broker.render(1, 2)
        events = broker.events()
        tag = broker.web().get(f"/v1/jobs/{job}").headers["ETag"]
        waiting = Web(broker.address)
        connection = waiting._connect(20)
        waiting._send(connection, "GET", f"/v1/jobs/{job}", None,
                      {"Prefer": "wait=30", "If-None-Match": tag})
        self.assertEqual(broker.terminate(), 0)
        self.assertIn(waiting._read(connection).status, (200, 304, 503))
        waiting.close()
        self.assertEqual(events.response.read()[-1:], b"\n")

    def test_agent_with_a_job_gives_it_back(self):
        fake = self.fake(frame_ms=10000)
        broker = self.farm(fake)
        job = broker.render(1, 4)
        farm.until("a frame is leased",
                   lambda: "l" in broker.states(job))
        agent = next(p for p in self.programs if p.name == "frameq-agent")
        self.assertEqual(agent.terminate(), 0)
        farm.until("the frames are free again",
                   lambda: broker.states(job) == "qqqq")

    def test_second_broker_on_one_ledger(self):
        broker = self.broker()
        done = self.run_program("frameq-broker", "--http", "127.0.0.1:0",
                                "--zmq", "127.0.0.1:0", "--data", broker.data)
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertIn(str(broker.data), done.stderr)
        self.assertEqual(broker.web().get("/health").status, 200)

    def test_a_port_in_use(self):
        broker = self.broker()
        done = self.run_program("frameq-broker", "--http", broker.address,
                                "--zmq", "127.0.0.1:0", "--data", "other")
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertIn(broker.address, done.stderr)

    def test_hosts_by_name_and_ipv6(self):
        for host in ("localhost", "[::1]"):
            fake = self.fake(frame_ms=1)
            broker = self.broker(listen=("--http", f"{host}:0",
                                         "--zmq", f"{host}:0"))
            for address in broker.ready.values():
                self.assertTrue(address.startswith(f"{host}:"), address)
            self.agent(broker, fake, "a1")
            broker.await_agents("a1")
            broker.await_job(broker.render(1, 3))

    def test_hosts_and_ports_that_are_none(self):
        for address, reason in (("nowhere.invalid:0", "nowhere.invalid"),
                                ("127.0.0.1:65534", "65533"),
                                ("127.0.0.1:65535", "65533")):
            done = self.run_program("frameq-broker", "--http", "127.0.0.1:0",
                                    "--zmq", address, "--insecure")
            self.assertEqual((done.returncode, done.stdout), (1, ""), done)
            self.assertIn(reason, done.stderr.splitlines()[-1])

    def test_tokens_that_are_not_there(self):
        done = self.run_program("frameq-broker", "--http", "127.0.0.1:0",
                                "--zmq", "127.0.0.1:0", "--tokens", "none")
        self.assertEqual((done.returncode, done.stdout), (1, ""), done)
        self.assertRegex(done.stderr.splitlines()[-1],
                         "--tokens: none: .*frameq token add")

    def test_second_agent_of_a_name(self):
        fake = self.fake()
        broker = self.farm(fake)
        other = farm.Agent(self, broker, fake, "a1",
                           state=self.folder / "other", wait=False)
        self.assertEqual(other.wait(15), 1)
        self.assertIn("a1", other.log_text())
        broker.await_agents("a1")

    def test_off_loopback_needs_a_word(self):
        for name, flag, *rest in (
                ("frameq-broker", "--http", "--zmq", "127.0.0.1:0"),
                ("frameq-node", "--listen")):
            done = self.run_program(name, flag, "0.0.0.0:0", *rest)
            self.assertEqual((done.returncode, done.stdout), (1, ""), name)
            self.assertIn("--insecure", done.stderr)

    def test_insecure_is_the_word(self):
        broker = self.broker("--insecure",
                             listen=("--http", "0.0.0.0:0",
                                     "--zmq", "0.0.0.0:0"))
        port = host_port(broker.address)[1]
        self.assertEqual(Web(f"127.0.0.1:{port}").get("/health").status, 200)

    def test_check_reads_a_ledger(self):
        broker = self.broker()
        broker.render(1, 20)
        broker.kill()
        done = self.run_program("frameq-broker", "--check", "--data",
                                broker.data)
        self.assertEqual(done.returncode, 0, done)

    def test_check_finds_damage(self):
        broker = self.broker()
        broker.render(1, 20)
        broker.terminate()
        for file in broker.data.glob("*"):
            if file.stat().st_size > 4096 and file.suffix in (".db", ".sqlite",
                                                              ".ledger"):
                with open(file, "r+b") as ledger:
                    ledger.seek(2048)
                    ledger.write(b"\xff" * 3000)
        done = self.run_program("frameq-broker", "--check", "--data",
                                broker.data)
        self.assertEqual(done.returncode, 1, done)

    def test_a_second_signal_stops_at_once(self):
        fake = self.fake(frame_ms=10000)
        broker = self.farm(fake)
        job = broker.render(1, 4)
        farm.until("a frame is leased", lambda: "l" in broker.states(job))
        agent = next(p for p in self.programs if p.name == "frameq-agent")
        agent.process.send_signal(signal.SIGTERM)
        agent.process.send_signal(signal.SIGINT)
        agent.wait(2)

    def test_broker_unreachable(self):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
        done = self.run_program("frameq", "status", "--broker",
                                f"http://127.0.0.1:{port}")
        self.assertEqual(done.returncode, 3, done)
        self.assert_not_a_dump(done.stderr)

    def assert_not_a_dump(self, text):
        self.assertLess(len(text.splitlines()), 5, text)

    def test_killed_programs_leave_nothing(self):
        """A broker killed at any time comes back on its folder."""
        broker = self.broker()
        for _ in range(3):
            job = broker.render(1, 20)
            broker.kill()
            broker.restart()
            self.assertEqual(broker.job(job)["counts"]["total"], 20)


if __name__ == "__main__":
    farm.main()
