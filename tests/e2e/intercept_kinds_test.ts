/** What else than all of a port's traffic a laptop can have of a workload. */
import assert from "node:assert/strict";
import {
  appBinary,
  deployIntercepts,
  Laptop,
  makeUser,
  openCluster,
  waitFor,
} from "../cluster/mod.ts";
import { writeLaptopFile } from "../support/kubeconfig_file.ts";
import { executable, Tp } from "../support/laptop_tp.ts";
import { managerPlace } from "../support/manager_place.ts";
import { sampleService } from "../support/sample_application.ts";

const ofLaptop = /"who": *"laptop"/;

Deno.test("a laptop has of a workload what it asks for", async (t) => {
  const cluster = await openCluster();
  await using laptop = await Laptop.open(cluster);
  await using manager = await managerPlace(cluster);
  await using shop = await cluster.namespace("shop");
  const { name: namespace } = shop;
  await deployIntercepts(cluster, namespace);
  const tp = new Tp(laptop);
  await using _ = await tp.connected([...manager.flag]);
  const who = sampleService(await appBinary(), "who");
  const server = laptop.spawn([...who, "-grpc", "", "-tcp", ""], {
    env: { WHO: "laptop" },
    stderr: "null",
  });
  const own = ["--namespace", namespace];
  const curl = async (...args: string[]) => {
    const { stdout, stderr } = await laptop.run(
      ["curl", "-sS", "-m", "10", ...args],
    );
    return stdout + stderr;
  };

  await t.step("requests with a header, and no others", async () => {
    const told = await tp.ok([
      ...["intercept", "echo", ...own, "--port", "8080:http"],
      ...["--http-header", "x-user=an*", "--mount", "false"],
    ]);
    assert.match(
      told,
      /Intercepting +: HTTP requests with header 'x-user: an\*'/,
    );
    const url = `echo.${namespace}/who`;
    // Nodes may lead to pods that end for a moment more.
    await waitFor("the laptop's answer", async () => {
      const told = await curl("-H", "x-user: anna", url);
      return ofLaptop.test(told) || told;
    }, { timeoutMs: 5_000 });
    assert.doesNotMatch(await curl("-H", "x-user: ben", url), ofLaptop);
    assert.doesNotMatch(await curl(url), ofLaptop);
  });
  await t.step("single labels of its namespace", async () => {
    assert.match(await curl("-H", "x-user: anna", "echo/who"), ofLaptop);
    await tp.ok(["leave", "echo"]);
    assert.match(await curl("echo/who"), /Could not resolve/);
    await tp.ok(["intercept", "names", ...own, "--local-only"]);
    assert.doesNotMatch(await curl("echo/who"), /Could not resolve/);
    assert.match(
      await tp.ok(["list", ...own]),
      /^names: local-only intercept$/m,
    );
    await tp.ok(["leave", "names"]);
  });
  await t.step("datagrams", async () => {
    await tp.ok([
      ...[
        "intercept",
        "echo",
        ...own,
        "--port",
        "5005:udp",
        "--mount",
        "false",
      ],
    ]);
    const { stdout } = await laptop.run([
      "sh",
      "-c",
      `echo hello | socat -t 5 - UDP:echo.${namespace}:5005`,
    ]);
    assert.match(stdout, /^laptop hello/);
    await tp.ok(["leave", "echo"]);
  });
  await t.step("a copy", async () => {
    const tap = laptop.spawn([
      ...["socat", "TCP-LISTEN:8081,fork,reuseaddr"],
      "SYSTEM:cat >>/root/tap",
    ]);
    await tp.ok([
      ...["wiretap", "echo", ...own, "--port", "8081:http", "--mount", "false"],
    ]);
    await waitFor("copy", async () => {
      const told = await curl(`echo.${namespace}/copied`);
      assert.match(told, /"who": *"echo-/);
      const { stdout } = await laptop.run(["cat", "/root/tap"]);
      return /^GET \/copied HTTP\/1\.1\r$/m.test(stdout) || stdout;
    }, { timeoutMs: 5_000 });
    await tp.ok(["leave", "echo"]);
    tap.kill();
    await tap.status;
    await laptop.run(["rm", "/root/tap"]);
  });
  await t.step("copies of datagrams, once somebody has the port", async () => {
    const port = ["--port", "8082:udp"];
    await tp.ok(["wiretap", "echo", ...own, ...port, "--mount", "false"]);
    // All by one port of the client's, so of one flow; the paces keep them apart.
    const { stdout } = await laptop.run(["sh", "-c", copiedFlow(namespace)]);
    const lines = stdout.trim().split("\n");
    assert.match(lines.pop()!, /^copied( \d+)* 20$/);
    assert.equal(lines.length, 20, stdout);
    for (const [i, line] of lines.entries()) {
      assert.match(line, new RegExp(`^echo-\\S+ ${i + 1}$`));
    }
    await tp.ok(["leave", "echo"]);
  });
  await t.step(
    "datagrams that nobody on the laptop has the port for",
    async () => {
      await tp.ok([
        ...["intercept", "echo", ...own, "--port", "8083:udp"],
        ...["--mount", "false"],
      ]);
      const client = laptop.spawn(["sh", "-c", flowUntilLaptop(namespace)]);
      const answers = async () => {
        const { stdout } = await laptop.run(["cat", "/root/answers"]);
        return stdout.trim().split("\n");
      };
      await waitFor("answers of the app", async () => {
        const told = await answers();
        return told.length >= 5 || told.join();
      });
      await waitFor("events of the intercept and the pod", async () => {
        const { stdout } = await cluster.kubectl([
          ...["get", "events", "--namespace", namespace],
          ...["--field-selector", "reason=LaptopRefused,type=Warning"],
          ...["--output", "jsonpath={.items[*].involvedObject.kind}"],
        ]);
        return stdout.split(" ").sort().join() === "Intercept,Pod" || stdout;
      });
      const beginMs = performance.now();
      const none = ["-http", "", "-grpc", "", "-tcp", ""];
      const later = laptop.spawn([...who, ...none, "-udp", ":8083"], {
        env: { WHO: "laptop" },
        stderr: "null",
      });
      const { success } = await client.status;
      const tookMs = performance.now() - beginMs;
      const told = await answers();
      assert.ok(success && tookMs < 14_000, `${tookMs} ms: ${told.join()}`);
      // Not one is lost, or another one's, on the way to the app and back.
      const ofLaptop = told.findIndex((line) => line.startsWith("laptop "));
      for (const [i, line] of told.entries()) {
        const who = i < ofLaptop ? "echo-\\S+" : "laptop";
        assert.match(line, new RegExp(`^${who} ${i + 1}$`));
      }
      await tp.ok(["leave", "echo"]);
      later.kill();
      await later.status;
      await laptop.run(["rm", "/root/answers"]);
    },
  );
  await t.step("environment and volumes", async () => {
    const { code, stdout, stderr } = await tp.run([
      ...["ingest", "files", ...own, "--"],
      ...["sh", "-c", "ls $TELEPRESENCE_ROOT/var/run/secrets/kubernetes.io"],
    ]);
    assert.equal(stdout, "serviceaccount\n", stderr);
    assert.equal(code, 0);
  });
  await t.step("what the image says of its environment", async () => {
    const { stdout, stderr } = await tp.run([
      ...["ingest", "client", "--container", "tools", ...own, "--"],
      ...["sh", "-c", "echo $TOOLS_IMAGE"],
    ]);
    assert.equal(stdout, "of the image\n", stderr);
  });
  await t.step("a port of the pod's loopback address", async () => {
    await tp.ok([
      ...["ingest", "echo", ...own, "--to-pod", "7000", "--mount", "false"],
    ]);
    const greet = ["socat", "-t", "5", "-", "TCP:127.0.0.1:7000"];
    const { stdout } = await laptop.run(greet, { stdin: "hello\n" });
    assert.match(stdout, /^echo-\S+\nhello\n$/);
    await tp.ok(["leave", "echo"]);
    assert.notEqual((await laptop.run(greet)).code, 0);
  });
  await t.step("a container's place", async () => {
    await tp.ok(["replace", "echo-number", ...own, "--mount", "false"]);
    const list = JSON.parse(
      await tp.ok(["list", ...own, "-r", "--output", "json"]),
    );
    assert.equal(list[0].name, "echo-number");
    assert.match(await curl(`echo-number.${namespace}/who`), ofLaptop);
    await tp.ok(["leave", "echo-number"]);
  });
  await t.step("the place of a container without ports", async () => {
    const { stdout } = await tp.run([
      ...["replace", "client", ...own, "--mount", "false", "--"],
      ...["sh", "-c", "echo $TELEPRESENCE_CONTAINER"],
    ]);
    assert.equal(stdout, "client\n");
  });
  server.kill();
  await server.status;
});

Deno.test("tp intercept that is interrupted while pods are on their way leaves no object", async () => {
  const cluster = await openCluster();
  await using laptop = await Laptop.open(cluster);
  await using manager = await managerPlace(cluster);
  await using shop = await cluster.namespace("shop");
  const { name: namespace } = shop;
  await deployIntercepts(cluster, namespace);
  const tp = new Tp(laptop);
  await using _ = await tp.connected([...manager.flag, "-n", namespace]);
  const get = ["get", "intercepts", "--namespace", namespace, "--no-headers"];
  const child = laptop.spawn(
    [executable, "intercept", "echo", "--port", "8080:http"],
    { stdout: "piped", stderr: "null" },
  );
  await waitFor("object", async () => {
    const { stdout } = await cluster.kubectl(get);
    return stdout !== "" || "none";
  }, { everyMs: 20 });
  child.kill("SIGINT");
  const since = performance.now();
  const { code, stdout } = await child.output();
  assert.equal(code, 130);
  assert.match(new TextDecoder().decode(stdout), /Interrupted\n$/);
  assert.ok(performance.now() - since < 2_000);
  assert.equal((await cluster.kubectl(get)).stdout, "");
});

Deno.test("who may not intercept is told what an admin would run", async () => {
  const cluster = await openCluster();
  await using laptop = await Laptop.open(cluster);
  await using manager = await managerPlace(cluster);
  await using shop = await cluster.namespace("shop");
  const admin = new Tp(laptop);
  await admin.ok(["install", ...manager.flag]);
  const name = `person-${crypto.randomUUID().slice(0, 8)}`;
  await using _ = await manager.grant(`--user=${name}`);
  const kubeconfig = "/root/person";
  await writeLaptopFile(laptop, kubeconfig, await makeUser(cluster, { name }));
  const tp = new Tp(laptop);
  await using __ = await tp.connected([
    ...[...manager.flag, "--kubeconfig", kubeconfig],
  ]);
  const told = await tp.fails(["intercept", "web", "-n", shop.name]);
  const [cause, ...details] = told.trimEnd().split("\n");
  assert.equal(
    cause,
    `tp: Cannot intercept in namespace "${shop.name}": user "${name}" lacks rights in the cluster`,
  );
  assert.equal(
    details.at(-1),
    "    Ask an admin of the cluster to run `kubectl create rolebinding " +
      `tp-intercept-${name} --namespace ${shop.name} ` +
      `--clusterrole tp-intercept --user ${name}\``,
  );
  const list = await tp.fails(["list", "-n", shop.name]);
  assert.match(list, /lacks rights in the cluster/);
});

/** Twenty questions to the app, and before the last ten of them somebody who takes copies; then what came there. */
function copiedFlow(namespace: string): string {
  return `
    ask() { for i in $(seq $1 $2); do echo $i; sleep 0.1; done; }
    within5s() { for _ in $(seq 50); do "$@" && return; sleep 0.1; done; false; }
    listens() { ss -Hlun sport = :8082 | grep -q .; }
    {
      ask 1 10
      timeout 20 socat -u UDP-RECV:8082 CREATE:/root/copies &
      within5s listens && ask 11 20 && within5s grep -q 20 /root/copies
      kill $!
    } | timeout 20 socat -t 2 - UDP:echo.${namespace}:5005
    echo copied $(cat /root/copies)
    rm /root/copies`;
}

/** Questions by one port of the client's, until the laptop answers one; for 30 s at most, which is a failure. */
function flowUntilLaptop(namespace: string): string {
  return `
    {
      for i in $(seq 150); do
        echo $i; sleep 0.2
        if grep -q ^laptop /root/answers; then break; fi
      done
    } | timeout 40 socat -t 1 - UDP:echo.${namespace}:5005 >/root/answers
    grep -q ^laptop /root/answers`;
}
