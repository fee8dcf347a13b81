import assert from "node:assert/strict";
import { agentRevision } from "./agent_revision.ts";
import { hasNativeSidecars, injectAgent } from "./inject_agent.ts";
import {
  agentSpec,
  containerOf,
  image,
  injected,
  options,
  pod,
} from "./pods_fake.ts";

const http = { port: 8080, protocol: "TCP", names: ["http"], redirect: false };
const named = agentSpec({ ports: [http as never] });

const app = {
  name: "app",
  image: "example.com/web",
  ports: [{ name: "http", containerPort: 8080 }],
  readinessProbe: { httpGet: { path: "/", port: "http" } },
  volumeMounts: [{ name: "data", mountPath: "/data" }],
};
const web = pod({
  containers: [app],
  volumes: [{ name: "data", emptyDir: {} }],
});

const restricted = {
  allowPrivilegeEscalation: false,
  readOnlyRootFilesystem: true,
  capabilities: { drop: ["ALL"] },
  seccompProfile: { type: "RuntimeDefault" },
};
const nothing = {
  name: "tp-nothing",
  mountPath: "/var/run/secrets/kubernetes.io/serviceaccount",
  readOnly: true,
};

Deno.test("injectAgent() gives a pod with a named port all that it needs", () => {
  const { metadata, spec } = injected(web, options(named));
  assert.deepEqual(metadata, {
    labels: { "app": "web", "tp.dev/agent": "true" },
    annotations: {
      "tp.dev/agent-revision": agentRevision(named, { image }),
      "tp.dev/manager-ca": "PEM",
      "tp.dev/manager": "ambassador",
    },
  });
  const files = containerOf(spec, "tp-files-app");
  const agent = containerOf(spec, "traffic-agent");
  assert.deepEqual(spec, {
    containers: [
      {
        ...app,
        ports: [{ containerPort: 8080 }],
        readinessProbe: { httpGet: { path: "/", port: 8080 } },
      },
      {
        name: "tp-files-app",
        image,
        imagePullPolicy: "IfNotPresent",
        command: files.command,
        volumeMounts: [
          { name: "tp-files-app", mountPath: "/tp/sockets" },
          { name: "data", mountPath: "/tp/volumes/data" },
          nothing,
        ],
        securityContext: { ...restricted, runAsNonRoot: true },
        resources: {
          requests: { cpu: "1m", memory: "8Mi" },
          limits: { memory: "64Mi" },
        },
      },
    ],
    initContainers: [{
      name: "traffic-agent",
      image,
      imagePullPolicy: "IfNotPresent",
      restartPolicy: "Always",
      args: ["agent"],
      env: [
        {
          name: "TP_AGENT",
          value: JSON.stringify({
            namespace: "shop",
            workload: {
              apiVersion: "apps/v1",
              kind: "Deployment",
              name: "web",
            },
            manager: "traffic-manager-agents.ambassador.svc",
            anyManager: "traffic-manager-any.ambassador.svc",
            ports: [{
              ...{ port: 8080, protocol: "TCP", redirect: false },
              agentPort: 9900,
            }],
            containers: [{
              name: "app",
              mounts: [{ path: "/data", readOnly: false }],
            }],
          }),
        },
        {
          name: "POD_NAME",
          valueFrom: { fieldRef: { fieldPath: "metadata.name" } },
        },
        {
          name: "POD_IPS",
          valueFrom: { fieldRef: { fieldPath: "status.podIPs" } },
        },
      ],
      ports: [{ name: "http", containerPort: 9900, protocol: "TCP" }],
      volumeMounts: [
        { name: "tp-trust", mountPath: "/run/tp/trust", readOnly: true },
        { name: "tp-files-app", mountPath: "/run/tp/containers/app" },
        nothing,
      ],
      lifecycle: agent.lifecycle,
      securityContext: {
        ...restricted,
        ...{ runAsNonRoot: true, runAsUser: 65_532, runAsGroup: 65_532 },
      },
      resources: {
        requests: { cpu: "10m", memory: "64Mi" },
        limits: { memory: "256Mi" },
      },
    }],
    volumes: [
      { name: "data", emptyDir: {} },
      {
        name: "tp-trust",
        projected: {
          sources: [
            {
              serviceAccountToken: {
                audience: "manager.tp.dev",
                ...{ expirationSeconds: 3600, path: "token" },
              },
            },
            {
              downwardAPI: {
                items: [{
                  path: "ca.pem",
                  fieldRef: {
                    fieldPath: "metadata.annotations['tp.dev/manager-ca']",
                  },
                }],
              },
            },
          ],
        },
      },
      {
        name: "tp-nothing",
        emptyDir: { medium: "Memory", sizeLimit: "1Mi" },
      },
      {
        name: "tp-files-app",
        emptyDir: { medium: "Memory", sizeLimit: "1Mi" },
      },
    ],
  });
});

Deno.test("injectAgent() gives an older server a container like any other", () => {
  const { spec } = injected(web, options(named, { nativeSidecar: false }));
  assert.equal(spec.initContainers, undefined);
  assert.deepEqual(spec.containers.map(({ name }) => name), [
    ...["app", "tp-files-app", "traffic-agent"],
  ]);
  assert.equal(containerOf(spec, "traffic-agent").restartPolicy, undefined);
});

Deno.test("a port that is redirected takes an init container, the only one with a right", () => {
  const agent = agentSpec({
    ports: [{ port: 8080, protocol: "TCP", names: [], redirect: true }],
  });
  const migrate = { name: "migrate", image: "example.com/migrate" };
  const proxy = { name: "proxy", image: "p", restartPolicy: "Always" };
  const before = pod({ containers: [app], initContainers: [migrate, proxy] });
  const { spec } = injected(before, options(agent));
  assert.deepEqual(spec.initContainers!.map(({ name }) => name), [
    ...["tp-init", "migrate", "proxy", "traffic-agent"],
  ]);
  const [init] = spec.initContainers!;
  assert.deepEqual(init!.args, ["agent-init"]);
  assert.deepEqual(init!.securityContext, {
    ...restricted,
    capabilities: { drop: ["ALL"], add: ["NET_ADMIN"] },
    ...{ runAsNonRoot: false, runAsUser: 0, runAsGroup: 0 },
  });
  assert.deepEqual(spec.initContainers!.slice(1, 3), [migrate, proxy]);
  const rest = [...spec.containers, ...spec.initContainers!.slice(1)];
  assert.doesNotMatch(JSON.stringify(rest), /NET_ADMIN/);
  // Its probe is asked where the app always answers.
  const [config] = init!.env!.map(({ value }) => JSON.parse(value!));
  const [{ agentPort, probePort }] = config.ports;
  assert.deepEqual([agentPort, probePort], [9900, 9901]);
  assert.equal(
    containerOf(spec, "app").readinessProbe!.httpGet!.port,
    probePort,
  );
  // Nothing is named by Services, so the app's port keeps its name.
  assert.deepEqual(containerOf(spec, "app").ports, app.ports);
});

Deno.test("the agent listens where nothing else does", () => {
  const port = (port: number, protocol: "TCP" | "UDP") => ({
    ...{ port, protocol, names: [], redirect: false },
  });
  const agent = agentSpec({
    ports: [port(53, "TCP"), port(53, "UDP"), port(9902, "TCP")],
  });
  const ports = [{ containerPort: 9900 }];
  const before = pod({ containers: [{ name: "app", ports }] });
  const { spec } = injected(before, options(agent));
  const { env } = containerOf(spec, "traffic-agent");
  assert.deepEqual(
    JSON.parse(env![0]!.value!).ports.map((
      { port, protocol, agentPort }: Record<string, unknown>,
    ) => [port, protocol, agentPort]),
    [[53, "TCP", 9901], [53, "UDP", 9903], [9902, "TCP", 9904]],
  );
});

Deno.test("a container that is replaced runs nothing, and what it had can be had", () => {
  const worker = {
    ...app,
    command: ["work"],
    args: ["--all"],
    env: [{ name: "QUEUE", value: "q" }],
    livenessProbe: { exec: { command: ["true"] } },
    lifecycle: { preStop: { exec: { command: ["bye"] } } },
    resources: { limits: { memory: "1Gi" } },
  };
  const agent = agentSpec({ ...named, replaced: ["app"] });
  const { spec } = injected(pod({ containers: [worker] }), options(agent));
  assert.deepEqual(containerOf(spec, "app"), {
    name: "app",
    image,
    imagePullPolicy: "IfNotPresent",
    args: ["agent-pause"],
    ports: [{ containerPort: 8080 }],
    volumeMounts: app.volumeMounts,
    resources: worker.resources,
  });
  assert.deepEqual(containerOf(spec, "tp-files-app").env, worker.env);
});

Deno.test("every container of the app has its own beside it, whatever the length of its name", () => {
  const long = "a".repeat(63);
  const names = ["one", long, `${"a".repeat(62)}b`];
  const containers = names.map((name) => ({ name }));
  const { spec } = injected(pod({ containers }), options(agentSpec()));
  const beside = spec.containers.slice(3).map(({ name }) => name);
  assert.equal(beside[0], "tp-files-one");
  assert.equal(new Set(beside).size, 3);
  for (const name of beside) assert.match(name, /^[a-z0-9-]{1,62}[a-z0-9]$/);
  assert.deepEqual(
    containerOf(spec, "traffic-agent").volumeMounts!
      .filter(({ mountPath }) => mountPath.startsWith("/run/tp/containers/"))
      .map(({ name, mountPath }) => [name, mountPath]),
    beside.map((name, i) => [name, `/run/tp/containers/${names[i]}`]),
  );
});

Deno.test("injectAgent() tells why a pod is given nothing", () => {
  const of = options(named);
  const before = structuredClone(web);
  const reason = (spec: Record<string, unknown>) =>
    injectAgent(pod({ containers: [app], ...spec }), of);
  assert.match(
    JSON.stringify(reason({ hostNetwork: true })),
    /in its node's network/,
  );
  assert.match(JSON.stringify(reason({ os: { name: "windows" } })), /Windows/);
  const many = Array.from({ length: 65 }, (_, i) => ({ name: `c${i}` }));
  assert.deepEqual(reason({ containers: many }), {
    reason: "it has more than 64 containers",
  });
  const taken: [name: string, spec: Record<string, unknown>][] = [
    ["tp-files-app", { containers: [app, { name: "tp-files-app" }] }],
    ["tp-init", { initContainers: [{ name: "tp-init" }] }],
    ["tp-trust", { volumes: [{ name: "tp-trust", emptyDir: {} }] }],
  ];
  for (const [name, spec] of taken) {
    assert.deepEqual(reason(spec), {
      reason: `the name "${name}" is taken, which its agent needs`,
    });
  }
  for (const nativeSidecar of [true, false]) {
    // Asked once more, after another webhook.
    const again = injectAgent(
      injected(web, { ...of, nativeSidecar }),
      { ...of, nativeSidecar },
    );
    assert.deepEqual(again, { reason: "it has an agent already" });
  }
  assert.deepEqual(web, before);
});

Deno.test("injectAgent() does not take long for a pod as large as a question may be", () => {
  const volumes = Array.from({ length: 60_000 }, (_, i) => ({
    ...{ name: `v${i}`, secret: {} },
  }));
  const volumeMounts = volumes.map(({ name }) => ({ name, mountPath: "/" }));
  const ports = Array.from({ length: 60_000 }, (_, i) => ({
    ...{ name: `p${i}`, containerPort: 1 + i },
  }));
  const httpGet = { port: "none" };
  const probed = {
    ...{ livenessProbe: { httpGet }, readinessProbe: { httpGet } },
    startupProbe: { httpGet },
  };
  const large = pod({
    containers: [{ ...app, ...probed, ports, volumeMounts }],
    volumes,
  });
  const taken = Array.from({ length: 64 }, (_, i) => ({
    ...{ port: 61_000 + i, protocol: "TCP", names: [], redirect: true },
  }));
  const startMs = performance.now();
  injected(large, options(agentSpec({ ports: taken as never })));
  const tookMs = performance.now() - startMs;
  // To compare each with each would take minutes; a busy machine takes seconds for this.
  assert.ok(tookMs < 10_000, `${tookMs} ms`);
});

Deno.test("agentRevision() is the same for the same agent, in whatever order its fields come", () => {
  const revision = agentRevision(named, { image });
  const reversed = Object.fromEntries(Object.entries(named).reverse());
  assert.equal(agentRevision(reversed as never, { image }), revision);
  assert.match(revision, /^[0-9a-f]{16}$/);
  const others = [
    agentRevision(named, { image: "example.com/tp:2" }),
    agentRevision({ ...named, replaced: ["app"] }, { image }),
    agentRevision({ ...named, ports: [] }, { image }),
  ];
  assert.equal(new Set([revision, ...others]).size, 4);
});

Deno.test("hasNativeSidecars() where Services find the ports of sidecars by name", () => {
  const has = (minor: string) => hasNativeSidecars({ major: "1", minor });
  assert.deepEqual(["28", "32", "33", "36+"].map(has), [
    ...[false, false, true, true],
  ]);
});
