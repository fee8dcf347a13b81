/** Connection and intercepts of a file: brought about, changed where it changes, and ended. */
import assert from "node:assert/strict";
import {
  appBinary,
  deployIntercepts,
  Laptop,
  openCluster,
  waitFor,
} from "../cluster/mod.ts";
import { writeLaptopFile } from "../support/kubeconfig_file.ts";
import { executable, Tp } from "../support/laptop_tp.ts";
import { managerPlace } from "../support/manager_place.ts";
import { sampleService } from "../support/sample_application.ts";

const ofLaptop = /"who": *"laptop"/;
const path = "/root/shop/state.yaml";

async function openPlace() {
  await using building = new AsyncDisposableStack();
  const cluster = await openCluster();
  const laptop = building.use(await Laptop.open(cluster));
  const manager = building.use(await managerPlace(cluster));
  const { name: namespace } = building.use(await cluster.namespace("shop"));
  await deployIntercepts(cluster, namespace);
  await laptop.run(["mkdir", "-p", "/root/shop"]);
  const who = sampleService(await appBinary(), "who");
  const command = [...who, "-grpc", "", "-tcp", ""];
  // What it has beside it outlives it.
  const script = 'sleep 3600 & WHO=laptop exec "$@"';
  /** Writes the file: one attachment that takes requests of `user`, one of its environment. */
  const declare = (user: string, more: Record<string, unknown> = {}) => {
    const state = {
      apiVersion: "tp.dev/v1",
      kind: "WorkstationState",
      connection: { namespace, managerNamespace: manager.namespace },
      attachments: [
        {
          ...{ type: "intercept", name: "mine", workload: "echo" },
          ...{ ports: ["8080:http"], httpHeaders: { "x-user": user } },
          ...{ mount: false, env: { file: "mine.env" } },
          command: ["sh", "-c", script, "sh", ...command],
        },
        { type: "ingest", name: "files", mount: false },
      ],
      ...more,
    };
    return writeLaptopFile(laptop, path, JSON.stringify(state, null, 2));
  };
  const asked = async (user: string): Promise<string> => {
    const { stdout, stderr } = await laptop.run([
      ...["curl", "-sS", "-m", "10", "-H", `x-user: ${user}`],
      `echo.${namespace}/who`,
    ]);
    return stdout + stderr;
  };
  const intercepts = async (): Promise<string[]> => {
    const get = ["get", "intercepts", "--namespace", namespace];
    const { stdout } = await cluster.kubectl([...get, "--output", "name"]);
    return stdout.split("\n").filter((line) => line !== "");
  };
  return {
    ...{ laptop, tp: new Tp(laptop), namespace, manager },
    ...{ declare, asked, intercepts, moved: building.move() },
  };
}

Deno.test("tp apply brings about what a file declares, tp delete ends it", async (t) => {
  const place = await openPlace();
  await using _ = place.moved;
  const { laptop, tp, manager, namespace, declare, asked, intercepts } = place;
  await declare("anna");
  const apply = ["apply", "-f", path];
  // Whatever fails, nothing is left on the laptop.
  await using __ = {
    [Symbol.asyncDispose]: () => tp.run(["delete", "-f", path]).then(() => {}),
  };
  const isServed = (user: string) =>
    waitFor("the laptop's answers", async () => {
      const told = await asked(user);
      return ofLaptop.test(told) || told;
    });

  await t.step("a dry run tells it, and does nothing", async () => {
    assert.equal(
      await tp.ok([...apply, "--dry-run"]),
      "connection: would-connect\n" +
        "intercept mine: would-create\n  handler: would-start\n" +
        "ingest files: would-create\n",
    );
    assert.equal(await tp.ok(["status"]), "Not connected\n");
  });
  await t.step("it connects, and makes what is not there", async () => {
    assert.equal(
      await tp.ok(apply),
      "connection: connected\n" +
        "intercept mine: created\n  handler: started\n" +
        "ingest files: created\n",
    );
    assert.equal((await intercepts()).length, 2);
    await isServed("anna");
    assert.doesNotMatch(await asked("ben"), ofLaptop);
  });
  await t.step("its files lie beside it", async () => {
    const { stdout } = await laptop.run(["cat", "/root/shop/mine.env"]);
    assert.match(stdout, /^KUBERNETES_SERVICE_HOST=/m);
    const log = ["cat", "/root/.cache/tp/handlers/mine.log"];
    assert.equal((await laptop.run(log)).code, 0);
  });
  await t.step("once more changes nothing", async () => {
    const before = await intercepts();
    const told = JSON.parse(await tp.ok([...apply, "--output", "json"]));
    assert.deepEqual(told, {
      connection: "reused",
      attachments: [
        {
          ...{ name: "mine", type: "intercept", status: "unchanged" },
          handler: "unchanged",
        },
        { name: "files", type: "ingest", status: "unchanged" },
      ],
    });
    assert.deepEqual(await intercepts(), before);
  });
  await t.step("what is not in the file is left alone", async () => {
    await tp.ok([
      ...["intercept", "other", "--workload", "echo", "--port", "8081:http"],
      ...["--http-header", "x-user=other", "--mount", "false"],
    ]);
    await tp.ok(apply);
    assert.equal((await intercepts()).length, 3);
    await tp.ok(["leave", "other"]);
  });
  await t.step("another header is told, and then made", async () => {
    await declare("ben");
    const drift = "  httpHeaders: x-user=anna -> x-user=ben\n";
    assert.equal(
      await tp.ok([...apply, "--dry-run"]),
      "connection: reused\n" +
        `intercept mine: would-re-create\n${drift}  handler: would-restart\n` +
        "ingest files: unchanged\n",
    );
    assert.match(await asked("anna"), ofLaptop);
    assert.equal(
      await tp.ok(apply),
      "connection: reused\n" +
        `intercept mine: re-created\n${drift}  handler: restarted\n` +
        "ingest files: unchanged\n",
    );
    await isServed("ben");
    assert.doesNotMatch(await asked("anna"), ofLaptop);
  });
  const killProgram = () => {
    const note = "/root/.cache/tp/handlers/mine.json";
    const kill = `kill -9 $(grep -o '"pid":[0-9]*' ${note} | cut -d: -f2)`;
    return laptop.run(["sh", "-c", kill]);
  };
  await t.step(
    "a program that was killed is started again, and what it left is ended",
    async () => {
      await killProgram();
      assert.match(
        await tp.ok([...apply, "--dry-run"]),
        /mine: unchanged\n {2}handler: would-restart\n/,
      );
      assert.match(
        await tp.ok(apply),
        /mine: unchanged\n {2}handler: restarted\n/,
      );
      await isServed("ben");
    },
  );
  await t.step("of a broken file nothing is done", async () => {
    const before = await intercepts();
    await declare("carl", { conection: {} });
    assert.equal(
      await tp.fails(apply),
      `tp: Cannot use "${path}": one thing in it must be put right\n` +
        '    conection: is no property; did you mean "connection"?\n',
    );
    await declare("carl", { connection: { namespace: "kube-system" } });
    assert.match(
      await tp.fails(apply),
      /^tp: Cannot connect to .*: this laptop is connected to .*\n {4}Run `tp quit` first, or add a connection: `tp connect --name NAME`\n$/,
    );
    assert.match(await tp.fails(["delete", "-f", path]), /Run `tp quit` first/);
    assert.deepEqual(await intercepts(), before);
    await isServed("ben");
  });
  await t.step(
    "the first that fails is the last, those before it stay",
    async () => {
      await declare("ben", {
        attachments: [
          { type: "intercept", name: "names", localOnly: true },
          { type: "intercept", name: "nowhere", mount: false },
          { type: "intercept", name: "more", localOnly: true },
        ],
      });
      const { code, stdout, stderr } = await tp.run(apply);
      assert.equal(code, 1);
      assert.equal(
        stdout,
        "connection: reused\n" +
          "intercept names: created\nintercept nowhere: failed\n",
      );
      assert.match(stderr, /^tp: .*nowhere/m);
      await tp.ok(["leave", "names"]);
      await declare("ben");
    },
  );
  await t.step("ports of the laptop change hands", async () => {
    const on = (name: string, port: number) => ({
      ...{ type: "intercept", name, workload: "echo", mount: false },
      ...{ ports: [`${port}:http`], httpHeaders: { "x-user": name } },
    });
    await declare("", { attachments: [on("one", 8091), on("two", 8092)] });
    assert.match(await tp.ok(apply), /one: created\nintercept two: created\n$/);
    await declare("", { attachments: [on("one", 8092), on("two", 8091)] });
    assert.equal(
      await tp.ok(apply),
      "connection: reused\n" +
        "intercept one: re-created\n  ports: 8091:http -> 8092:http\n" +
        "intercept two: re-created\n  ports: 8092:http -> 8091:http\n",
    );
    for (const name of ["one", "two"]) await tp.ok(["leave", name]);
    await declare("ben");
  });
  await t.step("what a running command has is not changed", async () => {
    await tp.ok(["leave", "files"]);
    const child = laptop.spawn([
      ...[executable, "ingest", "files", "--mount", "false"],
      ...["--", "sleep", "300"],
    ], { stdout: "null", stderr: "null" });
    await waitFor("the command's", async () => {
      const found = await intercepts();
      return found.length === 2 || found.join(" ");
    });
    await waitFor("what is told of it", async () => {
      const { code, stderr } = await tp.run(apply);
      return code === 1 && /Cannot change "files": a running command/
            .test(stderr) || stderr;
    });
    child.kill();
    await child.status;
    await waitFor("its end", async () => {
      const found = await intercepts();
      return found.length === 1 || found.join(" ");
    });
    await tp.ok(apply);
  });
  await t.step("tp delete tells what it would end, and ends it", async () => {
    const end = ["delete", "-f", path];
    assert.equal(
      await tp.ok([...end, "--dry-run"]),
      "ingest files: would-remove\n" +
        "intercept mine: would-remove\n  handler: would-stop\n" +
        "connection: would-disconnect\n",
    );
    assert.equal((await intercepts()).length, 2);
    // What it left is ended all the same.
    await killProgram();
    assert.equal(
      await tp.ok(end),
      "ingest files: removed\n" +
        "intercept mine: removed\n  handler: stopped\n" +
        "connection: disconnected\n",
    );
    assert.deepEqual(await intercepts(), []);
    assert.equal(await tp.ok(["status"]), "Not connected\n");
    assert.deepEqual(await laptop.pids(), []);
    assert.equal(
      await tp.ok(end),
      "ingest files: absent\nintercept mine: absent\n" +
        "connection: not connected; nothing to tear down\n",
    );
  });
  await t.step("without a connection in it, a file needs one", async () => {
    const state = "apiVersion: tp.dev/v1\nkind: WorkstationState\n" +
      "attachments:\n- {type: intercept, name: names, localOnly: true}\n";
    const input = { stdin: state };
    assert.equal(
      await tp.fails(["apply", "-f", "-"], input),
      "tp: Cannot apply the file: this laptop is not connected\n" +
        "    Run `tp connect` first\n",
    );
    await using _ = await tp.connected([...manager.flag, "-n", namespace]);
    assert.equal(
      await tp.ok(["apply", "-f", "-"], input),
      "connection: reused\nintercept names: created\n",
    );
    assert.equal(
      await tp.ok(["delete", "-f", "-"], input),
      "intercept names: removed\n",
    );
    assert.match(await tp.ok(["status"]), /^Connected\n/);
  });
});
