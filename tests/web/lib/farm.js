// A farm of real programs for one test, as tests/system/farm.py has it: every
// one on a port the kernel picks, on a loopback address of this process alone,
// in a folder of its own; ended by its own pid when the test is over.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createWriteStream, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";

const BIN = resolve(process.env.FRAMEQ_BIN ?? new URL("../../../build/dev/bin", import.meta.url).pathname);
const { pid } = process;
const HOST = `127.${1 + ((pid >> 16) % 250)}.${(pid >> 8) % 256}.${pid % 256}`;

export class Program {
  constructor(farm, name, flags) {
    Object.assign(this, { farm, name, flags, log: join(farm.folder, `${name}-${farm.programs.length}.log`) });
    farm.programs.push(this);
  }

  /** Starts it; resolves with the addresses of its ready line. */
  async start() {
    this.child = spawn(join(BIN, this.name), this.flags, { cwd: this.farm.folder, stdio: ["ignore", "pipe", "pipe"] });
    this.child.stderr.pipe(createWriteStream(this.log, { flags: "a" }));
    const lines = createInterface(this.child.stdout);
    const first = await Promise.race([once(lines, "line"), once(this.child, "exit")]);
    if (!String(first[0]).startsWith("ready"))
      throw new Error(`${this.name} is not ready: ${first}\n${readFileSync(this.log, "utf8")}`);
    return Object.fromEntries(first[0].split(" ").slice(1).map((pair) => pair.split("=")));
  }

  async end(signal = "SIGTERM") {
    if (!this.child || this.child.exitCode !== null || this.child.signalCode !== null) return;
    const exit = once(this.child, "exit");
    this.child.kill(signal);
    await exit;
  }
}

export class Farm {
  constructor() {
    this.folder = mkdtempSync(join(tmpdir(), "frameq-web-"));
    this.programs = [];
    this.agents = 0;
  }

  async program(name, ...flags) {
    const program = new Program(this, name, flags.map(String));
    return [program, await program.start()];
  }

  /** A broker with these flags; `url` is its address from now on. */
  async broker(...flags) {
    const [program, ready] = await this.program(
      "frameq-broker", "--http", `${HOST}:0`, "--zmq", `${HOST}:0`, "--data", join(this.folder, "data"), ...flags);
    this.served = program;
    this.address = ready.http;
    this.url = `http://${ready.http}`;
    program.flags[program.flags.indexOf("--http") + 1] = ready.http; // restarted there
    return this;
  }

  /** A node without a Blender and its agent; resolves with what steers the node. */
  async agent({ name = `node-${++this.agents}`, frameMs = 20, flags = [], tags = "" } = {}) {
    const [, ready] = await this.program(
      "frameq-fakenode", "--listen", `${HOST}:0`, "--superset", "--slots", 1, "--frame-ms", frameMs,
      "--frames-dir", join(this.folder, "frames"), ...flags);
    const node = `http://${ready.node}`;
    const [program] = await this.program(
      "frameq-agent", "--broker", this.url, "--node", node, "--name", name, "--state", join(this.folder, name),
      ...(tags ? ["--tags", tags] : []));
    const trick = (tricks) => this.ask("POST", `${node}/fake/tricks`, tricks);
    return { name, node, program, trick };
  }

  async ask(method, path, body, headers = {}) {
    const answer = await fetch(new URL(path, this.url), {
      method, headers: { Accept: "application/json", "Content-Type": "application/json", ...headers }, body: body && JSON.stringify(body),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
    return text && answer.headers.get("content-type")?.includes("json") ? JSON.parse(text) : text;
  }

  submit(fields) {
    return this.ask("POST", "/v1/jobs", fields);
  }

  job(id) {
    return this.ask("GET", `/v1/jobs/${id}`);
  }

  /** Waits, by long poll, until a job is as holds() says. */
  async until(id, holds) {
    for (let job = await this.job(id), tag; ; ) {
      if (holds(job)) return job;
      const answer = await fetch(`${this.url}/v1/jobs/${id}?wait=5`, { headers: tag ? { "If-None-Match": tag } : {} });
      tag = answer.headers.get("etag");
      if (answer.status === 200) job = await answer.json();
    }
  }

  async end() {
    for (const program of [...this.programs].reverse()) await program.end();
    rmSync(this.folder, { recursive: true, force: true });
  }

  logs() {
    return this.programs.map(({ log }) => `--- ${log}\n${readFileSync(log, "utf8").split("\n").slice(-30).join("\n")}`).join("\n");
  }
}
