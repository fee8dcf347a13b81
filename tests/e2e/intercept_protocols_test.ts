/** A laptop gets its own requests of a workload, and no others, whatever they are made of and by whatever way they come. */
import assert from "node:assert/strict";
import { say } from "../cluster/mod.ts";
import {
  ask,
  askUntilRight,
  assertAllRight,
  curlInCluster,
  type Expected,
} from "../support/asked.ts";
import { EchoPlace } from "../support/echo_place.ts";
import { peakMiB } from "../support/pod_memory.ts";

const mine = ["--http-header", "x-user=a", "--mount=false"];
const both: Expected = { "x-user: a": "a", none: "echo-*" };

Deno.test("a laptop has its own requests of a workload, in every protocol on HTTP and by every way", async (t) => {
  await using place = await EchoPlace.open();
  const { cluster, namespace } = place;
  const a = await place.join("a");
  const kubectl = async (...args: string[]) => {
    const all = ["--namespace", namespace, ...args];
    const { code, stdout, stderr } = await cluster.kubectl(all);
    assert.equal(code, 0, stderr);
    return stdout;
  };
  const echo = `echo.${namespace}`;
  /** Asks, and says how it went. */
  const right = async (args: string[], expect = both, timeoutMs = 60_000) => {
    const told = await ask(cluster, namespace, args, { expect, timeoutMs });
    assertAllRight(told, args.join(" "));
    return told;
  };
  const many = ["-requests", "300", "-workers", "4"];
  const ports = ["--port", "8080:http", "--port", "9090:grpc"];
  await a.tp.ok(["intercept", "echo", ...ports, ...mine]);

  /** Once the pods have been replaced by such with an agent. */
  const settled = (url: string, none: string) =>
    askUntilRight(cluster, namespace, ["http", "-url", url], {
      expect: { "x-user: a": "a", none },
    });
  await settled(`http://${echo}/who`, "echo-*");

  await t.step("HTTP/1.1, mixed on each connection that is kept", async () => {
    const told = await right(["http", "-url", `http://${echo}/who`, ...many]);
    assert.equal(told.connections, 4);
  });
  await t.step("HTTP/2, mixed on one connection", async () => {
    const url = ["-url", `http://${echo}/who`];
    const told = await right(["http", "-h2", ...url, ...many]);
    assert.equal(told.connections, 1);
  });
  await t.step("gRPC, calls and streams, mixed on one connection", async () => {
    const told = await right([
      ...["grpc", "-address", `${echo}:9090`, "-messages", "20", ...many],
    ]);
    assert.equal(told.connections, 1);
  });
  await t.step("WebSocket", async () => {
    await right(["ws", "-url", `ws://${echo}/ws`, ...many]);
  });
  await t.step("server-sent events, each as it is sent", async () => {
    const url = `http://${echo}/sse?count=4&every=300`;
    const began = performance.now();
    const format = ["-N", "-w", "first %{time_starttransfer}\n"];
    const told = await curlInCluster(cluster, namespace, [
      ...[...format, "-H", "x-user: a", url],
    ]);
    const events = [...told.matchAll(/^data: (.*)$/gm)].map(([, text]) => text);
    assert.deepEqual(events, ["a 0", "a 1", "a 2", "a 3"]);
    const firstMs = Number(/first (.*)/.exec(told)![1]) * 1000;
    assert.ok(firstMs < 500, `${firstMs} ms`);
    assert.ok(performance.now() - began > 900);
    const others = await curlInCluster(cluster, namespace, [url]);
    assert.match(others, /^data: echo-\S+ 3$/m);
  });
  await t.step("an upload of 1 GiB, with bounded memory", async () => {
    const began = performance.now();
    const url = ["-url", `http://${echo}/who`];
    const body = ["-body", String(2 ** 30), "-patience", "3m"];
    await right(["http", ...url, ...body], { "x-user: a": "a" }, 200_000);
    const seconds = (performance.now() - began) / 1000;
    say(`1 GiB in ${seconds.toFixed(1)} s`);
    if (!cluster.isBed) return;
    const agent = await peakMiB(cluster, {
      ...{ namespace, selector: "app=echo", container: "traffic-agent" },
    });
    const manager = await peakMiB(cluster, {
      namespace: place.manager.namespace,
      selector: "app.kubernetes.io/name=traffic-manager",
      container: "traffic-manager",
    });
    say(`most memory: agent ${agent} MiB, manager ${manager} MiB`);
    assert.ok(agent < 256, `${agent} MiB`);
    assert.ok(manager < 512, `${manager} MiB`);
  });
  await t.step("IPv6", async () => {
    const get = ["get", "service", "echo", "--output"];
    const ips = await kubectl(...get, "jsonpath={.spec.clusterIPs[*]}");
    const ipv6 = ips.split(" ").find((ip) => ip.includes(":"));
    assert.ok(ipv6, ips);
    await right(["http", "-url", `http://[${ipv6}]/who`, ...many]);
    await right(["grpc", "-address", `[${ipv6}]:9090`, ...many]);
  });
  await t.step("NodePort", async () => {
    const patch = { spec: { type: "NodePort" } };
    await kubectl("patch", "service", "echo", "-p", JSON.stringify(patch));
    const port = await kubectl(
      ...["get", "service", "echo", "--output"],
      'jsonpath={.spec.ports[?(@.name=="http")].nodePort}',
    );
    const node = await kubectl(
      ...["get", "pods", "--selector=app=client", "--output"],
      "jsonpath={.items[0].status.hostIP}",
    );
    await right(["http", "-url", `http://${node}:${port}/who`, ...many]);
  });
  await t.step("each pod by its own name", async () => {
    await a.tp.ok(["leave", "echo"]);
    await a.tp.ok([
      "intercept",
      "echo-headless",
      "--port",
      "8080:8080",
      ...mine,
    ]);
    for (const pod of ["echo-headless-0", "echo-headless-1"]) {
      const url = `http://${pod}.echo-headless.${namespace}:8080/who`;
      const expect = { "x-user: a": "a", none: pod };
      await settled(url, pod);
      await right(["http", "-url", url, ...many], expect);
    }
    await a.tp.ok(["leave", "echo-headless"]);
  });
  await t.step("ports by number", async () => {
    await a.tp.ok(["intercept", "echo-number", ...ports, ...mine]);
    const url = ["-url", `http://echo-number.${namespace}/who`];
    await settled(url[1]!, "echo-number-*");
    await right(["http", ...url, ...many]);
    await right(["http", "-h2", ...url, ...many]);
    await right(["grpc", "-address", `echo-number.${namespace}:9090`, ...many]);
  });
  await t.step(
    "the app, told so, when nothing listens on the laptop",
    async () => {
      const url = `http://echo-number.${namespace}/who`;
      const get = ["-i", "-H", "x-user: a", url];
      assert.doesNotMatch(
        await curlInCluster(cluster, namespace, get),
        /x-tp-fallback/i,
      );
      await a.serveNoMore();
      const told = await curlInCluster(cluster, namespace, get);
      assert.match(told, /^x-tp-fallback: echo-number\r$/im);
      assert.match(told, /"who": *"echo-number-/);
      const expect = { "x-user: a": "echo-number-*", none: "echo-number-*" };
      await right(["http", "-url", url, ...many], expect);
      await right([
        "grpc",
        "-address",
        `echo-number.${namespace}:9090`,
        ...many,
      ], expect);
      await a.serve();
    },
  );
});
