/** `tp run`: one command with the cluster in its network, by a user without root, on a laptop that does not change. */
import assert from "node:assert/strict";
import { Laptop, openCluster, outside, waitFor } from "../cluster/mod.ts";
import { executable, Tp } from "../support/laptop_tp.ts";
import { assertSameState } from "../support/same_state.ts";

const user = "tp-test" as const;
const page = "http://verylargejavaservice.default:8080";

/** What `tp run` says before the command does. */
const connected = /^Connected to context \S+ \(https:\/\/\S+\)$/m;

/** A laptop that is compared with what it was at the end of the scope. */
async function openUnchanged() {
  const cluster = await openCluster();
  const laptop = await Laptop.open(cluster);
  const tp = new Tp(laptop, { user });
  const before = await laptop.snapshot();
  const sh = (script: string, options = {}) =>
    tp.run(["run", "--", "sh", "-c", script], options);
  return {
    ...{ cluster, laptop, tp, sh },
    async [Symbol.asyncDispose]() {
      try {
        assertSameState(await laptop.snapshot(), before);
      } finally {
        await laptop[Symbol.asyncDispose]();
      }
    },
  };
}

Deno.test("tp run gives a command of a user without root names and addresses of the cluster, and all others as before", async (t) => {
  await using place = await openUnchanged();
  const { sh, cluster } = place;
  const { stdout: dns } = await cluster.kubectl([
    ...["get", "service", "-n", "kube-system", "kube-dns"],
    ...["-o", "jsonpath={.spec.clusterIP}"],
  ]);
  const fromOutside = outside.page;
  const cases: [what: string, script: string, printed: RegExp | string][] = [
    ["curl", `curl -sS -m 10 ${page}`, /EdgyCorp WebApp/],
    ["a short name", "getent hosts verylargejavaservice", /^\d+\.\S+ +very/],
    [
      "a static Go program",
      "kubectl --kubeconfig /dev/null --server http://bench.default:5004 get --raw /bytes/10 | wc -c",
      "10\n",
    ],
    [
      "the cluster's API server by the user's kubeconfig",
      "kubectl get namespace default -o name",
      "namespace/default\n",
    ],
    [
      "psql",
      "psql -h postgres.default -U postgres -Atc 'select 6 * 7'",
      "42\n",
    ],
    [
      "UDP to the cluster",
      `dig +short +tries=1 @${dns} redis.default.svc.cluster.local`,
      /^10\./,
    ],
    ["a name over TCP", "dig +tcp +short redis.default", /^10\./],
    ["a host outside", `curl -sS -m 10 http://${outside.name}`, fromOutside],
    [
      "its address of IPv6",
      `curl -sS -m 10 'http://[${outside.web.ipv6}]'`,
      fromOutside,
    ],
    [
      "UDP to outside",
      `dig +short @${outside.dns.ipv4} txt ${outside.name}`,
      `"${outside.text}"\n`,
    ],
    [
      "a name of outside that comes truncated",
      `dig +short txt ${outside.bigName} | wc -c`,
      /^\d{4,}\n$/,
    ],
  ];
  for (const [what, script, printed] of cases) {
    await t.step(what, async () => {
      const { code, stdout, stderr } = await sh(script);
      assert.equal(code, 0, stdout + stderr);
      if (typeof printed === "string") assert.equal(stdout, printed, stderr);
      else assert.match(stdout, printed, stderr);
      assert.match(stderr, connected);
    });
  }
});

Deno.test("tp run refuses as the service does, and carries 64 MiB unharmed both ways", async () => {
  await using place = await openUnchanged();
  const { sh, cluster } = place;
  const { stdout: pod } = await cluster.kubectl([
    ...["get", "pod", "-l", "app=bench"],
    ...["-o", "jsonpath={.items[0].status.podIP}"],
  ]);
  const gone = await sh(
    `curl -sS -m 5 http://${pod}:5009; echo $?; curl -sS -m 5 http://203.0.113.9; echo $?`,
  );
  assert.equal(gone.stdout, "7\n7\n", gone.stderr);
  assert.match(gone.stderr, /Connection refused|Couldn't connect/);
  const bytes = 64 * 1024 ** 2;
  const down = await sh(
    `f=$(mktemp); curl -sSf -m 60 -D $f http://bench.default:5004/bytes/${bytes} | ` +
      "sha256sum; cat $f; rm $f",
    { timeoutMs: 90_000 },
  );
  const sha256 = /^x-sha256: ([0-9a-f]{64})/im.exec(down.stdout)?.[1];
  assert.ok(sha256, down.stderr);
  assert.ok(down.stdout.startsWith(`${sha256}  -\n`), down.stdout);
  const up = await sh(
    `f=$(mktemp); head -c ${bytes} /dev/urandom >$f; sha256sum <$f; ` +
      "curl -sSf -m 60 -T $f http://bench.default:5004/; rm $f",
    { timeoutMs: 90_000 },
  );
  const [sum, answer] = up.stdout.split("  -\n");
  assert.deepEqual(JSON.parse(answer!), { bytes, sha256: sum }, up.stderr);
});

Deno.test("tp run leaves a command what it is: user, directory, environment, terminal, exit code", async (t) => {
  await using place = await openUnchanged();
  const { sh, laptop, tp } = place;
  const command = { user, env: { A_VARIABLE: "its value" }, cwd: "/etc" };
  const script = "id; pwd; umask; echo $A_VARIABLE; " +
    "sort /proc/self/status | grep -E '^(Cap(Eff|Prm|Inh|Amb)|Sig(Blk|Ign)|Groups)'";
  const plain = await laptop.run(["sh", "-c", script], command);
  const inside = await sh(script, command);
  assert.equal(inside.stdout, plain.stdout);

  for (const [how, code] of [["exit 7", 7], ["kill -9 $$", 137]] as const) {
    assert.equal((await sh(how)).code, code, how);
  }
  for (const [program, code] of [["no-such", 127], ["/etc", 126]] as const) {
    const told = await tp.run(["run", "--", program]);
    assert.equal(told.code, code, told.stderr);
    assert.match(told.stderr, /^tp: Cannot run ".*": .*\n {4}.*\n$/);
  }
  await t.step("a shell of its own with job control", async () => {
    const lines = "tty; sleep 0.1 & wait; set -o | grep monitor; exit 9\n";
    const { code, stdout } = await laptop.run(
      ["script", "-qec", `${executable} shell`, "/dev/null"],
      { user, stdin: lines, timeoutMs: 30_000, env: { PS1: "" } },
    );
    assert.match(stdout, /^\/dev\/pts\/\d+\r$/m);
    assert.match(stdout, /^monitor +\ton\r$/m);
    assert.equal(code, 9, stdout);
  });
});

Deno.test("tp run works beside a connection of the laptop's, which goes on", async () => {
  await using place = await openUnchanged();
  const { sh, laptop, tp } = place;
  await tp.ok(["connect"]);
  const inside = await sh(
    `curl -sS -m 10 ${page} && tp0=$(ip -o addr) && ` +
      `curl -sS -m 10 http://${outside.name} && cat /etc/resolv.conf`,
  );
  assert.match(inside.stdout, /EdgyCorp WebApp[^]*hello from outside/);
  assert.match(inside.stdout, /^nameserver 198\.18\.0\.11$/m, inside.stderr);
  const after = await laptop.run(["curl", "-sS", "-m", "10", page], { user });
  assert.match(after.stdout, /EdgyCorp/, after.stderr);
  await tp.ok(["quit"]);
});

Deno.test("the laptop's loopback has a name for a command of tp run", async () => {
  await using place = await openUnchanged();
  const { sh, laptop } = place;
  using _server = killedAtEnd(laptop.spawn(
    ["busybox", "httpd", "-f", "-p", "127.0.0.1:8099", "-h", "/etc"],
    { user, stdout: "null", stderr: "null" },
  ));
  const url = "http://laptop.tp.internal:8099/hostname";
  const { stdout, stderr } = await sh(
    `curl -sS -m 10 --retry 5 --retry-connrefused ${url}`,
  );
  assert.equal(stdout, `tp-lap-${laptop.number}\n`, stderr);
});

Deno.test("what a command of tp run listens on is on the laptop's loopback where it is published", async () => {
  await using place = await openUnchanged();
  const { laptop, tp } = place;
  const publish = ["--publish", "8098:80", "--publish", "8099"];
  const script = `curl -sS -m 10 ${page} | grep '<title>'; ` +
    "busybox httpd -p '[::1]:8099' -h /etc; exec busybox nc -l -p 8000";
  const server = tp.start(["run", ...publish, "--", "sh", "-c", script], {
    ...{ stdin: "null", stdout: "null", stderr: "null" },
  });
  const get = (port: number) =>
    laptop.run(
      ["curl", "-sS", "-m", "10", `http://127.0.0.1:${port}/hostname`],
    );
  await waitFor("what is published", async () => {
    const { stdout, stderr } = await get(8099);
    return stdout === `tp-lap-${laptop.number}\n` || stderr;
  });
  // Nobody listens inside.
  assert.match((await get(8098)).stderr, /reset|connect/);
  assert.match(
    await tp.fails(["run", ...publish, "--", "true"]),
    /^tp: Cannot publish port 8098: 127\.0\.0\.1:8098 is already in use/,
  );
  server.kill("SIGTERM");
  await server.status;
  assert.match((await get(8099)).stderr, /refused|Couldn't connect/);
});

Deno.test("a command of tp run goes on when the laptop has come into another network", async () => {
  await using place = await openUnchanged();
  const { laptop } = place;
  const script =
    `once() { curl -sS -m 10 ${page} | grep -c '<title>'; dig +short ${outside.name}; }; ` +
    "once; echo asked; read -r _; once";
  const child = laptop.spawn([executable, "run", "--", "sh", "-c", script], {
    ...{ user, stdin: "piped", stdout: "piped", stderr: "null" },
  });
  const keyboard = child.stdin.getWriter();
  let printed = "";
  for await (const text of child.stdout.pipeThrough(new TextDecoderStream())) {
    printed += text;
    if (!text.endsWith("asked\n")) continue;
    await using _elsewhere = await laptop.roam();
    await keyboard.write(new TextEncoder().encode("go on\n"));
    await child.status;
  }
  await keyboard.close();
  const answers = `1\n${outside.web.ipv4}\n`;
  assert.equal(printed, `${answers}asked\n${answers}`);
});

Deno.test("programs of tp run do not ask the laptop's own name services", async () => {
  await using place = await openUnchanged();
  const { sh, laptop } = place;
  const path = "/run/nscd/socket";
  await laptop.run(["sh", "-c", `mkdir /run/nscd && chmod 755 /run/nscd`]);
  const listen =
    `const all = Deno.listen({ transport: "unix", path: "${path}" });` +
    `Deno.chmodSync("${path}", 0o666); console.log("it listens"); ` +
    "for await (const one of all) one.close();";
  const service = laptop.spawn([Deno.execPath(), "eval", listen], {
    ...{ stdout: "piped", stderr: "null", env: { NO_COLOR: "1" } },
  });
  const reader = service.stdout.getReader();
  await reader.read();
  try {
    const look = `test -S ${path}; echo $?`;
    const plain = await laptop.run(["sh", "-c", look], { user });
    assert.equal(plain.stdout, "0\n");
    const { stdout, stderr } = await sh(
      `${look}; getent hosts redis.default | wc -l`,
    );
    assert.equal(stdout, "1\n1\n", stderr);
  } finally {
    service.kill("SIGKILL");
    await service.status;
    await reader.cancel();
    await laptop.run(["rm", "-r", "/run/nscd"]);
  }
});

function killedAtEnd(child: Deno.ChildProcess): Disposable {
  return { [Symbol.dispose]: () => child.kill("SIGKILL") };
}
