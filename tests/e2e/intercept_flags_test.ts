/** What the flags of an intercept make of it: its conditions, its environment, and how it is told. */
import assert from "node:assert/strict";
import { parse } from "yaml";
import {
  appBinary,
  type Cluster,
  Laptop,
  makeUser,
  say,
  waitFor,
} from "../cluster/mod.ts";
import { openPlace } from "../support/intercept_place.ts";
import { writeLaptopFile } from "../support/kubeconfig_file.ts";
import { executable, Tp } from "../support/laptop_tp.ts";
import { conditions } from "../support/request_conditions.ts";
import { sampleService } from "../support/sample_application.ts";
import { deploySmall, whoContainer } from "../support/small_workloads.ts";

const ofLaptop = /"who": *"laptop"/;
const ofApp = /"who": *"web-/;

/** What no syntax may take for its own. */
const odd = `it's "5 $now"`;

/** Files of the environment, and what a shell makes of one, or is in one for a program that laptops here lack. */
const syntaxes: [string, script: string, told: string][] = [
  ["docker", "sed -n 's/^ODD=//p' $FILE", odd],
  ["sh", '. $FILE; printf "%s\\n" "$ODD"', odd],
  ["sh:export", ". $FILE; printenv ODD", odd],
  ["compose", "grep ODD $FILE", `ODD="it's \\"5 \\$now\\""`],
  ["csh", "grep ODD $FILE", `set ODD='it'\\''s "5 $now"'`],
  ["csh:export", "grep ODD $FILE", `setenv ODD 'it'\\''s "5 $now"'`],
  ["json", "grep ODD $FILE", `  "ODD": "it's \\"5 $now\\"",`],
  ["ps", "grep ODD $FILE", `$ODD='it''s "5 $now"'`],
  ["ps:export", "grep ODD $FILE", `$Env:ODD='it''s "5 $now"'`],
  ["cmd", "grep PLAIN $FILE", 'set "PLAIN=of the pod"\r'],
];

/** `web`, and beside its app a container whose image has an environment. `other` is nobody's to intercept. */
async function deploy(cluster: Cluster, namespace: string): Promise<void> {
  const registry = Deno.env.get("TP_TEST_IMAGES") ?? "docker.io/local";
  // A pod has variables of the Services that were there before it.
  await deploySmall(cluster, namespace, { name: "other" });
  const env = [{ name: "PLAIN", value: "of the pod" }];
  await deploySmall(cluster, namespace, {
    name: "web",
    pod: {
      containers: [
        whoContainer({ env: [...env, { name: "ODD", value: odd }] }),
        {
          name: "tools",
          image: `${registry}/tools:1`,
          command: ["sleep", "infinity"],
          env,
        },
      ],
    },
  });
  // Another Service that calls a port as the first one does.
  await cluster.apply(JSON.stringify({
    apiVersion: "v1",
    kind: "Service",
    metadata: { name: "web-too", namespace },
    spec: {
      selector: { app: "web" },
      ports: [{ name: "http", port: 80, targetPort: "grpc" }],
    },
  }));
}

Deno.test("an intercept is what its flags say", async (t) => {
  const place = await openPlace();
  await using _ = place.moved;
  const { cluster, laptop, tp, namespace, manager } = place;
  await deploy(cluster, namespace);
  const app = sampleService(await appBinary(), "who");
  const none = ["-grpc", "", "-tcp", "", "-udp", ""];
  const server = laptop.spawn([...app, ...none], {
    env: { WHO: "laptop" },
    stderr: "null",
  });
  const run = async (...argv: string[]) => {
    const { stdout, stderr } = await laptop.run(argv);
    return stdout + stderr;
  };
  const curl = (url: string, ...args: string[]) =>
    run("curl", "-sS", "-m", "10", url, ...args);
  const url = `http://web.${namespace}/`;
  const own = ["web", "--service", "web", "--port", "8080:http"];
  const bare = [...own, "--mount=false"];
  const intercept = (...args: string[]) =>
    tp.ok(["intercept", ...bare, ...args]);
  const leave = () => tp.ok(["leave", "web"]);

  /** One that fails leaves nothing to the next. */
  const step = (name: string, work: () => Promise<void>) =>
    t.step(name, async () => {
      try {
        await work();
      } finally {
        await tp.run(["leave", "web"]);
      }
    });

  for (const [flags, meant, others] of conditions) {
    await step(flags.join(" "), async () => {
      await intercept(...flags);
      for (const http of ["--http1.1", "--http2-prior-knowledge"]) {
        const ask = ([path, ...args]: string[]) =>
          curl(`${url}${path}`, http, ...args);
        // Nodes may lead to pods that end for a moment more.
        await waitFor("the laptop's answer", async () => {
          const told = await ask(meant);
          return ofLaptop.test(told) || told;
        }, { timeoutMs: 5_000 });
        for (const other of others) {
          assert.match(await ask(other), ofApp, `${http} ${other.join(" ")}`);
        }
      }
      await leave();
    });
  }

  await step(
    "--output json tells the intercept, and nothing else",
    async () => {
      const args = ["--http-header", "x-user=anna", "--output", "json"];
      const { stdout, stderr } = await tp.run([
        ...["intercept", ...bare, ...args, "--wait-message", "all is ready"],
      ]);
      const { id, environment, ...told } = JSON.parse(stdout);
      assert.match(stderr, /^all is ready$/m);
      assert.match(id, /^[0-9a-f-]{36}$/);
      assert.equal(environment, undefined);
      const { name, workload, disposition, target_port: port } = told;
      assert.deepEqual(
        [name, workload, disposition, told.namespace, port, told.http_filter],
        ["web", "web", "ACTIVE", namespace, 8080, ["header 'x-user: anna'"]],
      );
      const { stdout: ips } = await cluster.kubectl([
        ...["get", "pods", "--namespace", namespace, "--selector=app=web"],
        "--output=jsonpath={.items[*].status.podIP}",
      ]);
      const isOfPod = ips.split(" ").includes(told.pod_ip);
      assert.ok(isOfPod, `${ips}; told ${told.pod_ip}; ${stderr}`);
      await leave();
    },
  );
  await step("--detailed-output tells the environment, too", async () => {
    const args = ["--detailed-output", "--output"];
    const asJson = JSON.parse(await intercept(...args, "json"));
    await leave();
    const asYaml = parse(await intercept(...args, "yaml"));
    await leave();
    for (const { id, disposition, environment } of [asJson, asYaml]) {
      assert.equal(disposition, "ACTIVE");
      assert.equal(environment.PLAIN, "of the pod");
      assert.equal(environment.ODD, odd);
      assert.equal(environment.TELEPRESENCE_INTERCEPT_ID, id);
      assert.equal(environment.TELEPRESENCE_CONTAINER, "app");
      assert.equal(environment.TELEPRESENCE_MOUNTS, undefined);
    }
  });
  await step("--container: whose environment it is", async () => {
    const flags = ["--container", "tools", "--detailed-output"];
    const { container, container_port: port, environment } = JSON.parse(
      await intercept(...flags, "--output", "json"),
    );
    assert.deepEqual([container, port], ["tools", 8080]);
    assert.equal(environment.TELEPRESENCE_CONTAINER, "tools");
    assert.equal(environment.PLAIN, "of the pod");
    assert.equal(environment.ODD, undefined);
    assert.match(await curl(url), ofLaptop);
    await leave();
  });
  await step("--wait-message is the last line", async () => {
    const told = await intercept("--wait-message", "all is ready");
    assert.match(told, /State +: ACTIVE\n[^]*\nall is ready\n$/);
    await leave();
  });
  for (const [syntax, script, told] of syntaxes) {
    await step(
      `--env-file in the syntax ${syntax}, and --env-json`,
      async () => {
        const [file, json] = ["/root/web.env", "/root/web.json"];
        const files = ["--env-file", file, "--env-json", json];
        await intercept(...files, "--env-syntax", syntax);
        await leave();
        const environment = JSON.parse(await run("cat", json));
        assert.equal(environment.PLAIN, "of the pod");
        assert.equal(environment.ODD, odd);
        assert.equal(
          await run("sh", "-euc", script.replaceAll("$FILE", file)),
          told + "\n",
        );
        await run("rm", file, json);
      },
    );
  }
  await step("--address", async () => {
    const elsewhere = laptop.spawn(
      [...app, ...none, "-http", "127.0.0.9:8081"],
      { env: { WHO: "elsewhere" }, stderr: "null" },
    );
    await waitFor("the program", async () => {
      const told = await curl("http://127.0.0.9:8081/");
      return /elsewhere/.test(told) || told;
    });
    const flags = ["--service", "web", "--port", "8081:http", "--mount=false"];
    const told = await tp.ok([
      ...["intercept", "web", ...flags, "--address", "127.0.0.9"],
    ]);
    assert.match(told, /Destination +: 127\.0\.0\.9:8081$/m);
    assert.match(await curl(url), /"who": *"elsewhere"/);
    await leave();
    elsewhere.kill();
    await elsewhere.status;
  });
  await step("--service", async () => {
    const ports = ["--port", "8080:http", "--mount=false"];
    const refused = await tp.fails(["intercept", "web", ...ports]);
    say(refused);
    assert.match(refused, /"http" may be the ports .* "web", .* "web-too"/);
    const flags = [...ports, "--output", "json"];
    for (const [service, port] of [["web", 8080], ["web-too", 9090]]) {
      const told = JSON.parse(
        await tp.ok(["intercept", "web", ...flags, "--service", `${service}`]),
      );
      assert.equal(told.service_name, service);
      assert.equal(told.container_port, port);
      await leave();
    }
  });

  await step("tp list --agents, as YAML", async () => {
    const names = async (...flags: string[]) =>
      parse(await tp.ok(["list", "--output", "yaml", ...flags]))
        .map(({ name }: { name: string }) => name);
    assert.deepEqual(await names(), ["other", "web"]);
    assert.deepEqual(await names("--agents"), ["web"]);
  });
  await step(
    "tp list --output json-stream has a line for each change",
    async () => {
      const list = laptop.spawn(
        [executable, "list", "--output", "json-stream"],
        { stdout: "piped", stderr: "null" },
      );
      const lines = list.stdout.pipeThrough(new TextDecoderStream());
      let text = "";
      const reading = (async () => {
        for await (const piece of lines) text += piece;
      })();
      /** The names of the intercepts of `web` in each line so far. */
      const seen = () =>
        text.split("\n").slice(0, -1).map((line) =>
          JSON.parse(line)
            .find(({ name }: { name: string }) => name === "web")
            .intercept_infos.map(({ name }: { name: string }) => name).join()
        );
      const until = (wanted: string) =>
        waitFor(`a line with "${wanted}"`, () => {
          return Promise.resolve(seen().at(-1) === wanted || text);
        });
      await until("");
      await intercept("--http-header", "x-user=anna");
      await until("web");
      await leave();
      await until("");
      list.kill("SIGINT");
      await reading;
      assert.equal((await list.status).code, 0);
    },
  );

  await step(
    "variables that say where the volumes are, and whose",
    async () => {
      const script = `
      kubectl get intercepts --namespace ${namespace} \\
        --output 'jsonpath={.items[*].metadata.uid}'
      echo " $TELEPRESENCE_INTERCEPT_ID $TELEPRESENCE_MOUNTS"
      IFS=:
      for each in $TELEPRESENCE_MOUNTS; do ls "$TELEPRESENCE_ROOT$each"; done`;
      const { stdout, stderr } = await tp.run([
        ...["intercept", ...own, "--", "sh", "-euc", script],
      ]);
      const [ids = "", ...files] = stdout.trimEnd().split("\n");
      const [uid, id, mounts] = ids.split(" ");
      assert.match(uid!, /^[0-9a-f-]{36}$/, stderr);
      assert.equal(id, uid);
      assert.equal(mounts, "/var/run/secrets/kubernetes.io/serviceaccount");
      assert.deepEqual(files, ["ca.crt", "namespace", "token"]);
    },
  );
  await step("variables of other Services lead to them", async () => {
    const script =
      "curl -sS -m 10 http://$OTHER_SERVICE_HOST:$OTHER_SERVICE_PORT/";
    const { stdout, stderr } = await tp.run([
      ...["intercept", ...bare, "--", "sh", "-euc", script],
    ]);
    assert.match(stdout, /"who": *"other-/, stderr);
  });

  await step(
    "the image's environment is for who may run commands in the pod",
    async () => {
      const ingest = async (tp: Tp) => {
        const { stdout, stderr } = await tp.run([
          ...["ingest", "web", "--container", "tools", "--mount=false", "--"],
          ...["sh", "-c", 'echo "$PLAIN, $TOOLS_IMAGE"'],
        ]);
        return stdout || stderr;
      };
      assert.equal(await ingest(tp), "of the pod, of the image\n");
      await using theirs = await Laptop.open(cluster);
      const name = `person-${crypto.randomUUID().slice(0, 8)}`;
      await using _granted = await manager.grant(`--user=${name}`);
      await cluster.kubectl([
        ...["create", "rolebinding", name, "--namespace", namespace],
        ...["--clusterrole=tp-intercept", `--user=${name}`],
      ]);
      const kubeconfig = await makeUser(cluster, { name });
      const path = await writeLaptopFile(theirs, "/root/person", kubeconfig);
      const person = new Tp(theirs);
      await using _connected = await person.connected([
        ...[...manager.flag, "--namespace", namespace, "--kubeconfig", path],
      ]);
      assert.equal(await ingest(person), "of the pod, \n");
    },
  );
  server.kill();
  await server.status;
});
