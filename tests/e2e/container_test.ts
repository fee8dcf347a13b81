/** `tp` in a container, such as a dev container: what it needs to connect, and what works there without. */
import assert from "node:assert/strict";
import {
  type CommandResult,
  Container,
  Laptop,
  openCluster,
  outside,
  say,
} from "../cluster/mod.ts";
import { executable, Tp } from "../support/laptop_tp.ts";
import { assertSameState } from "../support/same_state.ts";

const page = "http://verylargejavaservice.default:8080";

async function doctor(tp: Tp, id: string) {
  const { stdout, stderr } = await tp.run(["doctor", "--output=json"]);
  assert.notEqual(stdout, "", stderr);
  const { checks } = JSON.parse(stdout) as {
    checks: { id: string; state: string; found: string; remedy?: string }[];
  };
  const { state, found, remedy } = checks.find((one) => one.id === id)!;
  say(`${state} ${id}: ${found}${remedy ? ` -> ${remedy}` : ""}`);
  return { state, found, remedy };
}

function assertPage({ code, stdout, stderr }: CommandResult): void {
  assert.equal(code, 0, stderr);
  assert.match(stdout, /<title>.*EdgyCorp/, stderr);
}

Deno.test("tp connect works in a container with /dev/net/tun and NET_ADMIN", async () => {
  const cluster = await openCluster();
  await using laptop = await Laptop.open(cluster);
  await using container = await Container.open(laptop, { withTun: true });
  const tp = new Tp(container);
  assert.equal((await doctor(tp, "tun")).state, "ok");
  {
    await using _ = await tp.connected();
    assertPage(await container.run(["curl", "-sS", "-m", "10", page]));
    const other = await container.run(
      ["curl", "-sS", "-m", "10", `http://${outside.name}`],
    );
    assert.equal(other.stdout, outside.page, other.stderr);
    // The file is a mount point, so it is written in place.
    assert.equal((await doctor(tp, "resolver-file")).state, "ok");
    assert.equal((await doctor(tp, "getaddrinfo")).state, "ok");
  }
});

Deno.test("without them tp connect says so, and what it offers instead works", async () => {
  const cluster = await openCluster();
  await using laptop = await Laptop.open(cluster);
  await using container = await Container.open(laptop, { withTun: false });
  const tp = new Tp(container);
  const before = await container.snapshot();
  const told = await tp.fails(["connect"]);
  say(told.trim());
  assert.match(told, /^tp: Cannot open the TUN device: root may not open TUN/);
  const flags = /`--device \/dev\/net\/tun --cap-add NET_ADMIN`/;
  const instead = /`tp run -- COMMAND` and `tp proxy` reach the cluster/;
  for (const words of [flags, instead]) assert.match(told, words);
  const { state, remedy } = await doctor(tp, "tun");
  assert.equal(state, "failed");
  for (const words of [flags, instead]) assert.match(remedy!, words);

  const run = await tp.run(["run", "--", "curl", "-sS", "-m", "10", page]);
  assertPage(run);
  say(run.stderr.trim());
  assert.match(run.stderr, /gets the environment of a proxy/);
  const script = `"$0" proxy >/tmp/proxy & pid=$!
until grep -q no_proxy /tmp/proxy; do kill -0 $pid; sleep 0.1; done
. /tmp/proxy; curl -sS -m 10 ${page}; kill $pid; wait $pid; rm /tmp/proxy`;
  assertPage(await container.run(["sh", "-euc", script, executable]));
  assertSameState(await container.snapshot(), before);
});
