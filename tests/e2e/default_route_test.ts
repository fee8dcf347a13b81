/** A laptop whose default route is a VPN's: it leads to the cluster, too, and may come and go. */
import assert from "node:assert/strict";
import { Laptop } from "../cluster/mod.ts";
import { BigCluster, page } from "../support/big_cluster/big_cluster.ts";
import { large, namespaceName, scaled } from "../support/big_cluster/shape.ts";
import { Tp } from "../support/laptop_tp.ts";
import {
  type Conversation,
  LaptopUse,
  type Used,
} from "../support/laptop_use.ts";
import { assertSameState } from "../support/same_state.ts";
import { openDefaultVpn } from "./default_vpn.ts";

const withinMs = 5_000;
const echoPort = 7000;
const service = (n: number) => `service-${n}.${namespaceName(0)}`;

const used: Used = {
  names: [1, 2, 3, 4].map(service),
  page: { url: `http://${service(0)}/`, text: page },
  converse: openEcho,
};

for (const way of ["two halves", "a table"] as const) {
  Deno.test(`a VPN that takes everything by ${way} leads to the cluster, and may come and go`, async () => {
    await using cluster = await BigCluster.open(scaled(large, 0.01));
    cluster.start(
      ["socat", `TCP-LISTEN:${echoPort},fork,reuseaddr`, "EXEC:cat"],
    );
    await using laptop = await Laptop.open(cluster.ofLaptop);
    const tp = new Tp(laptop);
    const apiServer = cluster.ofLaptop.apiServerAddress.host;
    const before = await laptop.snapshot();
    {
      await using _vpn = await openDefaultVpn(laptop, way);
      const withVpn = await laptop.snapshot();
      const { stdout } = await laptop.run(["ip", "route", "get", apiServer]);
      assert.match(stdout, /dev vpn0/);
      await tp.ok(["connect"]);
      {
        await using use = await LaptopUse.start(laptop, used);
        await use.outlive({
          name: `connected through a VPN of ${way}`,
          make: () => Promise.resolve(),
        }, { withinMs });
        await use.finish();
        await assertNothingVirtual(tp);
      }
      await tp.ok(["quit"]);
      assertSameState(await laptop.snapshot(), withVpn);
    }
    assertSameState(await laptop.snapshot(), before);

    await tp.ok(["connect"]);
    {
      await using use = await LaptopUse.start(laptop, used);
      await using vpn = new AsyncDisposableStack();
      await use.outlive({
        name: `a VPN of ${way} that comes`,
        make: async () => void vpn.use(await openDefaultVpn(laptop, way)),
      }, { withinMs });
      await assertNothingVirtual(tp);
      await use.outlive({
        name: `a VPN of ${way} that goes`,
        make: () => vpn.disposeAsync(),
      }, { withinMs });
      await use.finish();
    }
    await tp.ok(["quit"]);
    assertSameState(await laptop.snapshot(), before);
  });
}

/** Whose way everything is has no addresses in mind. */
async function assertNothingVirtual(tp: Tp): Promise<void> {
  const text = await tp.ok(["status", "--output", "json"]);
  const { virtual_subnets: subnets } = JSON.parse(text)["root_daemon"];
  assert.deepEqual(subnets, []);
}

/** A connection to a service that says what it hears. */
async function openEcho(laptop: Laptop): Promise<Conversation> {
  const child = laptop.spawn(["socat", "-", `TCP:${service(5)}:${echoPort}`], {
    stdin: "piped",
    stdout: "piped",
  });
  const writer = child.stdin.getWriter();
  const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  let [said, heard] = ["", ""];
  const hear = async () => {
    while (heard.length < said.length) {
      const { value, done } = await reader.read();
      assert.ok(!done, "the connection has ended");
      heard += value;
    }
  };
  const conversation: Conversation = {
    say: async () => {
      const words = `${said.length}\n`;
      said += words;
      await writer.write(new TextEncoder().encode(words));
      await hear();
    },
    finish: () => Promise.resolve(assert.equal(heard, said)),
    [Symbol.asyncDispose]: async () => {
      await writer.close().catch(() => {});
      await child.status;
      await reader.cancel();
    },
  };
  await conversation.say();
  return conversation;
}
