/**
 * Starts the real binary on an empty data folder and speaks to it as a person with the admin token does.
 *
 * Every test that needs a server uses this. It needs nothing but Node and the path of the binary in `RUNPLANE_BIN`.
 */
import { execFile, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

const START_WITHIN_MS = 30_000;
const STOP_WITHIN_MS = 10_000;
const LOOK_EVERY_MS = 20;

/** The path of the binary, or an error that says how to get one. */
export function binary() {
  const path = process.env.RUNPLANE_BIN;
  if (path === undefined || path === "") {
    throw new Error("RUNPLANE_BIN is not set: build the server with `cargo build -p runplane` and set RUNPLANE_BIN to the path of the binary");
  }
  if (!existsSync(path)) throw new Error(`RUNPLANE_BIN names no file: \`${path}\``);
  return path;
}

/** Makes a data folder, starts the server on a free port and waits until it is ready. Call `stop()` at the end. */
export async function startServer() {
  const bin = binary();
  const folder = await mkdtemp(join(tmpdir(), "runplane-"));
  const env = { ...process.env };
  for (const name of Object.keys(env)) if (name.startsWith("RUNPLANE_")) delete env[name];
  try {
    const { stdout } = await promisify(execFile)(bin, ["init", "--data", join(folder, "data"), "--json"], { env });
    const installed = JSON.parse(stdout);
    const server = new RealServer(bin, env, folder, await freePort(), installed);
    await server.start();
    return server;
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
}

class RealServer {
  #bin;
  #env;
  #folder;
  #listen;
  #child;
  #log = "";
  #exited;

  constructor(bin, env, folder, port, { agentId, agentKey, adminToken }) {
    this.#bin = bin;
    this.#env = env;
    this.#folder = folder;
    this.#listen = `127.0.0.1:${port}`;
    this.baseUrl = `http://${this.#listen}`;
    this.agent = { id: agentId, key: agentKey };
    this.adminToken = adminToken;
  }

  /** Starts the process and waits until it is ready. */
  async start() {
    const child = spawn(this.#bin, ["serve", "--data", join(this.#folder, "data"), "--listen", this.#listen], {
      env: this.#env,
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.#child = child;
    // A test process that ends early leaves no server behind.
    process.once("exit", () => child.kill("SIGKILL"));
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8");
      stream.on("data", (text) => (this.#log = (this.#log + text).slice(-8_192)));
    }
    this.#exited = new Promise((done) => child.once("exit", (code, signal) => done(`exit code ${code}, signal ${signal}`)));
    await this.#ready();
  }

  async #ready() {
    const until = performance.now() + START_WITHIN_MS;
    const exited = this.#exited.then((how) => Promise.reject(new Error(`the server stopped at once (${how}):\n${this.#log}`)));
    exited.catch(() => undefined);
    for (;;) {
      const response = await Promise.race([fetch(`${this.baseUrl}/readyz`).catch(() => undefined), exited]);
      if (response?.ok) return;
      if (performance.now() > until) {
        await this.stop();
        throw new Error(`the server was not ready within ${START_WITHIN_MS} ms:\n${this.#log}`);
      }
      await look();
    }
  }

  /** Ends the server, waits for it and removes its folder. */
  async stop() {
    await this.#end("SIGTERM");
    await rm(this.#folder, { recursive: true, force: true });
  }

  /** Kills the process without a warning and starts it again on the same folder and port. */
  async killAndRestart() {
    await this.#end("SIGKILL");
    await this.start();
  }

  async #end(signal) {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    this.#child.kill(signal);
    const timer = setTimeout(() => this.#child.kill("SIGKILL"), STOP_WITHIN_MS);
    await this.#exited;
    clearTimeout(timer);
  }

  /** One request with any key; gives `{ status, headers, text, body }`, `body` undefined when the answer is not JSON. */
  async request(method, path, { key, body, text, headers = {} } = {}) {
    const response = await fetch(this.baseUrl + path, {
      method,
      headers: {
        ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
        ...(body === undefined && text === undefined ? {} : { "content-type": "application/json" }),
        ...headers,
      },
      ...(body === undefined && text === undefined ? {} : { body: text ?? JSON.stringify(body) }),
    });
    const answer = await response.text();
    return { status: response.status, headers: response.headers, text: answer, body: parsed(answer) };
  }

  /** A request as a person; anything but 2xx is an error of the test. */
  async admin(method, path, body, headers) {
    const answer = await this.request(method, `/api/v1${path}`, { key: this.adminToken, body, headers });
    if (answer.status < 200 || answer.status > 299) {
      throw new Error(`${method} ${path} answered ${answer.status}: ${answer.text}`);
    }
    return answer.body;
  }

  /** A new agent with a key of its own. */
  async createAgent(name, environment = "production") {
    const made = await this.admin("POST", "/agents", { name, environment });
    return { id: made.id, key: made.key.key };
  }

  settings(patch) {
    return this.admin("PATCH", "/settings", patch);
  }

  approval(id) {
    return this.admin("GET", `/approvals/${id}`);
  }

  approve(id, comment) {
    return this.admin("POST", `/approvals/${id}/approve`, comment === undefined ? {} : { comment });
  }

  deny(id, comment) {
    return this.admin("POST", `/approvals/${id}/deny`, comment === undefined ? {} : { comment });
  }

  /** Waits until this agent has an action held, and gives its approval. */
  async heldBy(agent) {
    const until = performance.now() + START_WITHIN_MS;
    for (;;) {
      const { approvals } = await this.admin("GET", `/approvals?status=pending&agent=${agent.id}`);
      if (approvals.length > 0) return approvals[0];
      if (performance.now() > until) throw new Error(`no action of ${agent.id} was held`);
      await look();
    }
  }

  /** Waits until the condition gives something truthy. */
  async eventually(condition, what) {
    const until = performance.now() + START_WITHIN_MS;
    for (;;) {
      const found = await condition();
      if (found) return found;
      if (performance.now() > until) throw new Error(`did not happen: ${what}`);
      await look();
    }
  }
}

function look() {
  return new Promise((done) => setTimeout(done, LOOK_EVERY_MS));
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function freePort() {
  return new Promise((found, failed) => {
    const probe = createServer();
    probe.once("error", failed);
    probe.listen(0, "127.0.0.1", () => {
      const { port } = probe.address();
      probe.close(() => found(port));
    });
  });
}
