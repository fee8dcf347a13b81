/** All traffic of a workload comes to a laptop, or a copy of it, whatever it is. */
import assert from "node:assert/strict";
import { say, sleep, waitFor } from "../cluster/mod.ts";
import {
  ask,
  askUntilRight,
  assertAllRight,
  curlInCluster,
} from "../support/asked.ts";
import { DatabaseSession } from "../support/database_session.ts";
import { EchoPlace } from "../support/echo_place.ts";
import { deployDatabase } from "../support/sample_application.ts";

const many = ["-requests", "100", "-workers", "4"];

/** The parts of a workload that another one can be made of. */
interface Workload {
  spec: {
    selector: { matchLabels: { app: string } };
    template: {
      metadata: { labels: { app: string } };
      spec: { containers: { args?: string[] }[] };
    };
  };
}

interface Pod {
  metadata: { deletionTimestamp?: string };
  spec: { containers: { name: string; args?: string[] }[] };
  status: {
    conditions: { type: string; status: string }[];
    containerStatuses: { restartCount: number }[];
  };
}

Deno.test("a laptop has all traffic of a workload, or a copy", async (t) => {
  await using place = await EchoPlace.open();
  const { cluster, namespace } = place;
  const a = await place.join("a");
  const kubectl = async (args: string[], stdin = "") => {
    const all = ["--namespace", namespace, ...args];
    const { code, stdout, stderr } = await cluster.kubectl(all, { stdin });
    assert.equal(code, 0, stderr);
    return stdout;
  };
  const podsOf = async (app: string): Promise<Pod[]> => {
    const get = ["get", "pods", `--selector=app=${app}`, "--output=json"];
    const { items } = JSON.parse(await kubectl(get));
    return (items as Pod[]).filter(({ metadata }) =>
      !metadata.deletionTimestamp
    );
  };
  const answeredBy = async (who: string, args: string[]) => {
    const told = await ask(cluster, namespace, [...args, ...many], {
      expect: { none: who },
    });
    assertAllRight(told, args.join(" "));
    return told;
  };
  /** As {@link answeredBy}, after pods have been replaced. */
  const soonAnsweredBy = async (who: string, args: string[]) => {
    const expect = { none: who };
    await askUntilRight(cluster, namespace, args, { expect });
    return await answeredBy(who, args);
  };
  const intercept = (name: string, ...ports: string[]) =>
    a.tp.ok([
      ...["intercept", name, "--mount=false"],
      ...ports.flatMap((port) => ["--port", port]),
    ]);
  const leave = (name: string) => a.tp.ok(["leave", name]);

  await t.step(
    "who keeps his connection is the laptop's too, though nothing listens there at first",
    async () => {
      await a.serveNoMore();
      const some = ["-list", "-time", "28s", "-pause", "40ms"];
      const http = ["http", "-method", "GET", "-url"];
      const callers = [
        ["HTTP/1", ...http, `http://echo.${namespace}/who`, "-workers", "4"],
        ["HTTP/2", ...http, `http://echo.${namespace}/who`, "-h2"],
        ["gRPC", "grpc", "-address", `echo.${namespace}:9090`],
      ] as const;
      const asking = callers.map(([, ...args]) =>
        ask(cluster, namespace, [...args, ...some])
      );
      await sleep(2_000);
      await intercept("echo", "8080:http", "9090:grpc");
      const activeMs = Date.now();
      await a.serve();
      await sleep(6_000);
      const leaveMs = Date.now();
      await leave("echo");
      const leftMs = Date.now();
      for (const [i, told] of (await Promise.all(asking)).entries()) {
        const [what] = callers[i]!;
        const answers = told.list!.map((line) => {
          const [ms = "", , who = ""] = line.split(" ");
          return { ms: Number(ms), isLaptops: who === "a" };
        });
        const between = answers.filter(({ ms }) =>
          ms >= activeMs && ms < leaveMs
        );
        const lastOfApp = between.findLast(({ isLaptops }) => !isLaptops);
        const lastOfLaptop = answers.findLast(({ isLaptops }) => isLaptops);
        const appMs = (lastOfApp?.ms ?? activeMs) - activeMs;
        const laptopMs = (lastOfLaptop?.ms ?? 0) - leftMs;
        const { right, failed, connections } = told;
        say(
          `${what}: ${right} answers by ${connections} connections, ${failed} failed; the last of the app came ${appMs} ms after ACTIVE, the last of the laptop ${laptopMs} ms after tp leave`,
        );
        assert.deepEqual(told.faults ?? [], [], what);
        assert.ok(between.length > 20, `${between.length} answers`);
        assert.ok(appMs < 2_000, `${what}: the app's after ${appMs} ms`);
        assert.ok(laptopMs < 1_000, `${what}: the laptop's ${laptopMs} ms`);
        assert.ok(answers.some(({ ms }) => ms > leftMs + 1_000), what);
      }
    },
  );
  for (const name of ["echo", "echo-number"]) {
    await t.step(
      `${name}: TCP in which the server speaks first, and UDP`,
      async () => {
        const tcp = ["tcp", "-address", `${name}.${namespace}:7000`];
        const udp = ["udp", "-address", `${name}.${namespace}:5005`];
        const http = ["http", "-url", `http://${name}.${namespace}/who`];
        const [t, u] = name === "echo" ? ["greeting", "udp"] : ["7000", "5005"];
        await intercept(name, `7000:${t}`, `5005:${u}`);
        await soonAnsweredBy("a", tcp);
        await answeredBy("a", udp);
        await answeredBy(`${name}-*`, http);
        await leave(name);
        await answeredBy(`${name}-*`, tcp);
        await answeredBy(`${name}-*`, udp);
      },
    );
  }
  await t.step("PostgreSQL", async () => {
    await deployDatabase(cluster, namespace);
    const forward = "TCP:postgres.default:5432";
    const server = a.laptop.spawn(
      ["socat", "TCP-LISTEN:5432,fork,reuseaddr", forward],
    );
    const host = `postgres.${namespace}`;
    const address = async () => {
      await using session = await DatabaseSession.open(a.laptop, { host });
      return await session.ask("select inet_server_addr()");
    };
    const own = await address();
    await intercept("postgres", "5432");
    const taken = await address();
    assert.notEqual(taken, own);
    await leave("postgres");
    // The pod has changed with the first intercept.
    const after = await address();
    assert.notEqual(after, taken);
    server.kill();
    await server.status;
  });
  await t.step(
    "probes keep the pods ready, whatever a laptop answers",
    async () => {
      await a.serveNoMore();
      await a.serve({ STATUS: "500" });
      await intercept("echo", "8080:http");
      const ended = performance.now() + 6_000;
      const url = `http://echo.${namespace}/healthz`;
      const code = ["-o", "/dev/null", "-w", "%{http_code}", url];
      while (performance.now() < ended) {
        assert.equal(await curlInCluster(cluster, namespace, code), "500");
        await sleep(500);
      }
      const pods = await podsOf("echo");
      assert.equal(pods.length, 3);
      for (const { status } of pods) {
        const ready = status.conditions.find(({ type }) => type === "Ready");
        assert.equal(ready?.status, "True");
        for (const one of status.containerStatuses) {
          assert.equal(one.restartCount, 0);
        }
      }
      await leave("echo");
      await a.serveNoMore();
      await a.serve();
    },
  );
  await t.step("a wiretap gets copies, and holds nobody", async () => {
    const http = ["http", "-url", `http://echo.${namespace}/copied`];
    await a.tp.ok(["wiretap", "echo", "--port", "8080:http", "--mount=false"]);
    await answeredBy("echo-*", http);
    await waitFor("copies", async () => {
      const copies = (await a.requests()).filter((one) =>
        one === "POST /copied"
      );
      return copies.length === 100 || `${copies.length} copies`;
    }, { timeoutMs: 10_000 });
    {
      using _ = a.pauseServing();
      const { slowestMs } = await answeredBy("echo-*", http);
      say(
        `a laptop that is stopped taps: the slowest answer took ${slowestMs} ms`,
      );
      assert.ok(slowestMs < 1_500, `${slowestMs} ms`);
    }
    await leave("echo");
  });
  await t.step(
    "a container that is replaced does not run, and comes back",
    async () => {
      const http = ["http", "-url", `http://echo-number.${namespace}/who`];
      const isRunning = async () => {
        const [pod] = await podsOf("echo-number");
        return pod!.spec.containers.find(({ name }) => name === "echo")!.args;
      };
      assert.deepEqual(await isRunning(), ["who"]);
      await a.tp.ok(["replace", "echo-number", "--mount=false"]);
      assert.deepEqual(await isRunning(), ["agent-pause"]);
      await soonAnsweredBy("a", http);
      await leave("echo-number");
      await waitFor("the app", async () => {
        const args = await isRunning();
        return args?.[0] === "who" || String(args);
      });
      await cluster.rolledOut("deployment/echo-number", { namespace });
      await soonAnsweredBy("echo-number-*", http);
    },
  );
  for (const kind of ["DaemonSet", "ReplicaSet"]) {
    await t.step(`a ${kind}`, async () => {
      const name = `echo-${kind.toLowerCase()}`;
      const get = ["get", "deployment", "echo-number", "--output=json"];
      const { spec: { template } }: Workload = JSON.parse(await kubectl(get));
      template.metadata.labels.app = name;
      const selector = { matchLabels: { app: name } };
      const ports = [{ port: 80, targetPort: 8080 }];
      const made = [
        ...[{ apiVersion: "apps/v1", kind, spec: { selector, template } }],
        ...[{
          ...{ apiVersion: "v1", kind: "Service" },
          spec: { selector: selector.matchLabels, ports },
        }],
      ];
      const items = made.map((one) => ({ ...one, metadata: { name } }));
      const list = { apiVersion: "v1", kind: "List", items };
      await kubectl(["apply", "-f", "-"], JSON.stringify(list));
      await waitFor(`a ready pod of ${name}`, async () => {
        const [pod] = await podsOf(name);
        const ready = pod?.status.conditions?.find(({ type }) =>
          type === "Ready"
        );
        return ready?.status === "True" || "none";
      });
      const http = ["http", "-url", `http://${name}.${namespace}/who`];
      await soonAnsweredBy(`${name}-*`, http);
      await intercept(name, "8080:80");
      await soonAnsweredBy("a", http);
      await leave(name);
      await answeredBy(`${name}-*`, http);
    });
  }
});
