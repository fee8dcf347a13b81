/** Pods with an agent, as the webhook makes them, in a real cluster: what it takes, and what is left to the app. */
import assert from "node:assert/strict";
import type { PodSpec } from "../../manager/injection/pod_spec.ts";
import { must, openCluster } from "../cluster/mod.ts";
import { ownImage } from "../support/own_image.ts";
import {
  appImage,
  apply,
  askedOnce,
  endpointPort,
  kubectlIn,
  seenFrom,
  service,
  taken,
  untilReady,
  withAgent,
} from "./injected_pod.ts";

Deno.test("a pod whose ports Services name has an agent where Pod Security is restricted, and its volumes are served", async () => {
  const cluster = await openCluster();
  const image = await ownImage(cluster, "injection");
  await using scope = await cluster.namespace("injection");
  const namespace = scope.name;
  const kubectl = kubectlIn(cluster, namespace);
  const level = "pod-security.kubernetes.io/enforce=restricted";
  await kubectl("label", "namespace", namespace, level);
  const secret = {
    ...{ apiVersion: "v1", kind: "Secret", metadata: { name: "s", namespace } },
    stringData: { password: "p$(A)w" },
  };
  const spec: PodSpec = {
    securityContext: {
      ...{ runAsNonRoot: true, runAsUser: 1234, runAsGroup: 1234 },
      ...{ fsGroup: 4321, seccompProfile: { type: "RuntimeDefault" } },
    },
    volumes: [
      { name: "s", secret: { secretName: "s", defaultMode: 0o400 } },
      { name: "data", emptyDir: {} },
    ],
    containers: [{
      name: "app",
      image: appImage,
      args: ["who"],
      ports: [{ name: "http", containerPort: 8080 }],
      env: [
        { name: "WHO", value: "app" },
        { name: "COST", value: "$$(WHO) $5" },
        { name: "PATH", value: "/opt/app" },
        {
          name: "LIMIT",
          valueFrom: { resourceFieldRef: { resource: "limits.memory" } },
        },
      ],
      envFrom: [{ secretRef: { name: "s" } }],
      resources: { limits: { memory: "123Mi" } },
      readinessProbe: { httpGet: { path: "/healthz", port: "http" } },
      volumeMounts: [
        { name: "s", mountPath: "/etc/app/secret", readOnly: true },
        { name: "data", mountPath: "/data" },
      ],
      securityContext: {
        allowPrivilegeEscalation: false,
        capabilities: { drop: ["ALL"] },
      },
    }],
  };
  const ports = [taken(8080, { names: ["http"] })];
  await apply(
    cluster,
    secret,
    service(namespace, { ports: [{ port: 80, targetPort: "http" }] }),
    await withAgent(cluster, { spec, image, namespace, ports }),
  );
  await untilReady(kubectl);

  assert.equal(await endpointPort(kubectl), "9900");
  const podIp = await kubectl(
    ...["get", "pod", "web", "-o", "jsonpath={.status.podIP}"],
  );
  const from = await seenFrom(kubectl, namespace);
  // By the agent, which is in the same pod.
  assert.ok(from.startsWith(`${podIp}:`), from);

  const files = ["exec", "web", "-c", "tp-files-app", "-i", "--"];
  const environment = await kubectl(
    ...files,
    ...[
      "/usr/bin/socat",
      "-u",
      "UNIX-CONNECT:/tp/sockets/environment.sock",
      "-",
    ],
  );
  const variables = environment.split("\0");
  for (
    const variable of [
      ...["WHO=app", "COST=$(WHO) $5", "PATH=/opt/app", "password=p$(A)w"],
      `LIMIT=${123 * 1024 * 1024}`,
    ]
  ) assert.ok(variables.includes(variable), `${variable} in ${variables}`);
  assert.ok(
    !variables.some((one) => /^(PWD|_|OLDPWD)=/.test(one)),
    environment,
  );

  const sftp = (...commands: string[]) =>
    must([
      ...["sftp", "-q", "-b", "-", "-D"],
      [cluster.kubectlPath, "--kubeconfig", cluster.kubeconfigPath]
        .concat("--namespace", namespace, files)
        .concat("/usr/bin/socat", "-", "UNIX-CONNECT:/tp/sockets/files.sock")
        .join(" "),
    ], { stdin: commands.join("\n") + "\n" });
  const listed = await sftp(
    ...["ls -1 /tp/volumes/etc/app/secret", "ls -ln /tp/volumes"],
    "ls -1 /tp/volumes/var/run/secrets/kubernetes.io/serviceaccount",
    `mkdir /tp/volumes/data/made`,
  );
  assert.match(listed, /password/);
  assert.match(listed, /serviceaccount\/token/);
  await using scratch = {
    path: await Deno.makeTempDir(),
    [Symbol.asyncDispose]: () => Deno.remove(scratch.path, { recursive: true }),
  };
  await sftp(
    `get /tp/volumes/etc/app/secret/password ${scratch.path}/password`,
  );
  const password = await Deno.readTextFile(`${scratch.path}/password`);
  assert.equal(password, "p$(A)w");
  // The app's service account is the app's: the agent's containers have none.
  const containers = ["traffic-agent", "tp-files-app"];
  for (const container of containers) {
    const account = "/var/run/secrets/kubernetes.io/serviceaccount";
    const listed = await kubectl(
      ...["exec", "web", "-c", container, "--", "/usr/bin/ls", "-A", account],
    );
    assert.equal(listed, "", container);
  }
  const id = await kubectl(...files, "/usr/bin/id");
  assert.match(id, /uid=1234 gid=1234 groups=1234,4321/);
});

for (const nativeSidecar of [true, false]) {
  const what = nativeSidecar ? "a sidecar" : "a container like any other";
  Deno.test(`a pod is not ready before its agent listens, ${what} that is slow to start`, async () => {
    const cluster = await openCluster();
    const image = await ownImage(cluster, "injection");
    await using scope = await cluster.namespace("injection");
    const namespace = scope.name;
    const kubectl = kubectlIn(cluster, namespace);
    // Of the agent, that is: the app has a limit of its own.
    const limit = { type: "Container", default: { cpu: "50m" } };
    const slow = {
      ...{ apiVersion: "v1", kind: "LimitRange" },
      metadata: { name: "slow", namespace },
      spec: { limits: [{ ...limit, defaultRequest: { cpu: "1m" } }] },
    };
    const ports = [{ name: "http", containerPort: 8080 }];
    const spec: PodSpec = {
      containers: [{
        ...{ name: "app", image: appImage, args: ["who"], ports },
        resources: { limits: { cpu: "1" }, requests: { cpu: "1m" } },
      }],
    };
    await apply(cluster, slow);
    await apply(
      cluster,
      await withAgent(cluster, {
        ...{ spec, image, namespace, nativeSidecar },
        ports: [taken(8080, { names: ["http"] })],
      }),
    );
    const startMs = performance.now();
    await untilReady(kubectl);
    const readyMs = Math.round(performance.now() - startMs);
    await askedOnce(kubectl, { namespace, port: 9900 });
    // deno-lint-ignore no-console
    console.log(`${what}: ready after ${readyMs} ms`);
  });
}

for (const clusterIP of [undefined, "None"]) {
  const what = clusterIP ? "by their own addresses" : "by the port's number";
  Deno.test(`a pod that clients reach ${what} has an agent between, and its probes reach the app`, async () => {
    const cluster = await openCluster();
    const image = await ownImage(cluster, "injection");
    await using scope = await cluster.namespace("injection");
    const namespace = scope.name;
    const kubectl = kubectlIn(cluster, namespace);
    const httpGet = { path: "/healthz", port: 8080 };
    const spec: PodSpec = {
      containers: [{
        ...{ name: "app", image: appImage, args: ["who"] },
        readinessProbe: { httpGet, periodSeconds: 1 },
        livenessProbe: { grpc: { port: 9090 }, periodSeconds: 1 },
      }],
    };
    const ports = [
      taken(8080, { redirect: true }),
      taken(9090, { redirect: true }),
    ];
    await apply(
      cluster,
      service(namespace, {
        ...clusterIP ? { clusterIP } : {},
        ports: [{ port: 80, targetPort: 8080 }],
      }),
      await withAgent(cluster, { spec, image, namespace, ports }),
    );
    await untilReady(kubectl);
    assert.equal(await endpointPort(kubectl), "8080");
    const podIp = await kubectl(
      ...["get", "pod", "web", "-o", "jsonpath={.status.podIP}"],
    );
    const from = await seenFrom(kubectl, namespace);
    assert.ok(from.startsWith(`${podIp}:`), from);
    const restarts = await kubectl(
      ...["get", "pod", "web", "-o"],
      "jsonpath={.status.containerStatuses[*].restartCount}",
    );
    assert.match(restarts, /^0 0$/);
  });
}
