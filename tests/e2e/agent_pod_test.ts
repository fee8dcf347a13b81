/** The agent's init step and the agent, in a network namespace that is a pod's; clients are in another one. */
import assert from "node:assert/strict";
import { selfCommand } from "../../build.ts";
import type { AgentConfig } from "../../manager/api.ts";
import { Child } from "./daemon_namespace.ts";

const [podV4, podV6] = ["192.0.2.2", "2001:db8::2"];
const addresses = [podV4, podV6];
const [tcp, udp, probe] = [8080, 5353, 9902];

const config: AgentConfig = {
  namespace: "shop",
  workload: { apiVersion: "apps/v1", kind: "Deployment", name: "web" },
  manager: "agents.shop.invalid",
  anyManager: "any.shop.invalid",
  ports: [
    {
      ...{ port: tcp, protocol: "TCP", agentPort: 9900, redirect: true },
      probePort: probe,
    },
    { port: udp, protocol: "UDP", agentPort: 9901, redirect: true },
  ],
  containers: [],
};
const env = [
  "env",
  "DENO_NO_UPDATE_CHECK=1",
  `TP_AGENT=${JSON.stringify(config)}`,
  "POD_NAME=web-1",
  `POD_IPS=${addresses}`,
];

const setUp = `set -e
mount --make-rprivate /
mount -t tmpfs none /run
ip netns add pod
ip link add client type veth peer name eth0 netns pod
ip link set lo up
ip address add 192.0.2.1/24 dev client
ip address add 2001:db8::1/64 dev client nodad
ip link set client up
ip -n pod link set lo up
ip -n pod address add ${podV4}/24 dev eth0
ip -n pod address add ${podV6}/64 dev eth0 nodad
ip -n pod link set eth0 up
echo ready
exec sleep infinity
`;

/** The namespace of the clients; the pod's is named in its `/run`. */
class Place implements AsyncDisposable {
  readonly #holder: Child;

  private constructor(holder: Child) {
    this.#holder = holder;
  }

  static async open(): Promise<Place> {
    const namespaces = ["unshare", "--net", "--mount"];
    const holder = new Child([...namespaces, "sh", "-c", setUp]);
    assert.equal(await holder.line(), "ready");
    return new Place(holder);
  }

  inPod(command: string[]): string[] {
    return this.outside(["ip", "netns", "exec", "pod", ...command]);
  }

  outside(command: string[]): string[] {
    const target = `--target=${this.#holder.pid}`;
    return ["nsenter", target, "--net", "--mount", "--", ...command];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#holder.signal("SIGKILL");
    await this.#holder[Symbol.asyncDispose]();
  }
}

function harness(...args: (string | number)[]): string[] {
  const path = new URL("agent_pod_harness.ts", import.meta.url).pathname;
  const deno = ["env", "DENO_NO_UPDATE_CHECK=1", Deno.execPath()];
  return [...deno, "run", "-A", "--quiet", path, ...args.map(String)];
}

async function read(command: string[]): Promise<string> {
  const [program, ...args] = command;
  const { stdout, stderr, success } = await new Deno.Command(program!, { args })
    .output();
  assert.ok(success, new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout).trim();
}

/** What is heard from a port of the pod: from outside by both families, and from inside. */
async function ask(place: Place, protocol: "tcp" | "udp", port: number) {
  const heard = (wrap: (command: string[]) => string[]) =>
    Promise.all(
      addresses.map((ip) => read(wrap(harness("ask", protocol, ip, port)))),
    );
  return {
    outside: await heard((command) => place.outside(command)),
    inPod: await heard((command) => place.inPod(command)),
  };
}

const both = (answer: string) => [answer, answer];

Deno.test({
  name:
    "the init step leads clients to the agent, the agent and probes to the app",
  ignore: Deno.build.os !== "linux" || Deno.uid() !== 0,
  fn: async (test) => {
    await using place = await Place.open();
    await using app = new Child(
      place.inPod(harness("app", tcp, udp, ...addresses)),
    );
    assert.equal(await app.line(), "ready");

    await test.step("as it is, clients reach the app", async () => {
      assert.deepEqual(await ask(place, "tcp", tcp), {
        ...{ outside: both("app"), inPod: both("app") },
      });
    });

    await test.step("run twice, it redirects what comes from outside, and nothing else", async () => {
      const init = place.inPod([...env, ...selfCommand(["agent-init"])]);
      await read(init);
      const once = await read(place.inPod(["nft", "list", "ruleset"]));
      await read(init);
      const twice = await read(place.inPod(["nft", "list", "ruleset"]));
      assert.equal(twice, once);
      assert.deepEqual(await ask(place, "tcp", tcp), {
        ...{ outside: both("refused"), inPod: both("app") },
      });
      assert.deepEqual(await ask(place, "udp", udp), {
        ...{ outside: both("silence"), inPod: both("app") },
      });
    });

    await test.step("probes reach the app by the port that is theirs", async () => {
      const { outside } = await ask(place, "tcp", probe);
      assert.deepEqual(outside, both("app"));
    });

    await test.step("with the agent clients reach the app by way of it", async () => {
      await using agent = new Child(
        place.inPod([...env, ...selfCommand(["agent"])]),
      );
      await listening(place, 9900);
      assert.deepEqual(await ask(place, "tcp", tcp), {
        ...{ outside: both("app"), inPod: both("app") },
      });
      assert.deepEqual((await ask(place, "udp", udp)).outside, both("app"));
      const start = performance.now();
      agent.signal("SIGTERM");
      const { code, signal } = await agent.ended;
      assert.equal(await agent.line(), undefined);
      const ms = Math.round(performance.now() - start);
      // deno-lint-ignore no-console
      console.log(`left ${ms} ms after SIGTERM`);
      assert.deepEqual({ code, signal }, { code: 0, signal: null });
    });
    app.signal("SIGKILL");
  },
});

async function listening(place: Place, port: number): Promise<void> {
  const list = place.inPod(["ss", "-Hltn", `sport = :${port}`]);
  while (await read(list) === "") {
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

Deno.test({
  name: "what a replaced container runs stands until it is told to end",
  ignore: Deno.build.os !== "linux",
  fn: async () => {
    await using pause = new Child(["env", ...selfCommand(["agent-pause"])]);
    while (!await handles(pause.pid, 15)) {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    pause.signal("SIGTERM");
    const { code, signal } = await pause.ended;
    assert.equal(await pause.line(), undefined);
    assert.deepEqual({ code, signal }, { code: 0, signal: null });
  },
});

/** Whether a process has a handler for this signal: it has come so far. */
async function handles(pid: number, signal: number): Promise<boolean> {
  const status = await Deno.readTextFile(`/proc/${pid}/status`);
  const caught = BigInt(`0x${/^SigCgt:\s*(\w+)$/m.exec(status)![1]}`);
  return (caught >> BigInt(signal - 1) & 1n) === 1n;
}
