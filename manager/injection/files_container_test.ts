import assert from "node:assert/strict";
import { agentContainerOf, filesContainer } from "./files_container.ts";
import type { PodContainer, PodSpec } from "./pod_spec.ts";
import { image } from "./pods_fake.ts";

function filesOf(
  app: Partial<PodContainer>,
  { users = {}, ...more }: Partial<PodSpec> & {
    users?: Record<string, { uid: number; gid: number }>;
  } = {},
): PodContainer {
  const container = { name: "app", ...app };
  const spec = { containers: [container], ...more };
  return filesContainer(container, { spec, users, image });
}

/** What the shell is given once kubelet has looked for variables. */
function scriptOf({ command }: PodContainer): string {
  return (command as string[])[2]!.replaceAll("$$", "$");
}

Deno.test("the files of a container have its environment, and what it asks of itself is still of it", () => {
  const env = [
    { name: "A", value: "$(B)" },
    { name: "L", valueFrom: { resourceFieldRef: { resource: "limits.cpu" } } },
    {
      name: "O",
      valueFrom: {
        resourceFieldRef: { resource: "limits.cpu", containerName: "other" },
      },
    },
  ];
  const envFrom = [{ secretRef: { name: "s" } }];
  const files = filesOf({ env, envFrom });
  assert.deepEqual(files.envFrom, envFrom);
  const own = { resource: "limits.cpu", containerName: "app" };
  assert.deepEqual(files.env, [
    env[0],
    { name: "L", valueFrom: { resourceFieldRef: own } },
    env[2],
  ]);
});

Deno.test("the files of a container have its volumes below one directory", () => {
  const volumeMounts = [
    { name: "a", mountPath: "/a", subPath: "x", readOnly: true },
    { name: "b", mountPath: "/b/c/", mountPropagation: "HostToContainer" },
    { name: "c", mountPath: "/e", subPathExpr: "$(A)" },
  ];
  assert.deepEqual(filesOf({ volumeMounts }).volumeMounts!.slice(1, -1), [
    { name: "a", mountPath: "/tp/volumes/a", subPath: "x", readOnly: true },
    { name: "b", mountPath: "/tp/volumes/b/c/" },
    { name: "c", mountPath: "/tp/volumes/e", subPathExpr: "$(A)" },
  ]);
  // Without any there is still the environment.
  assert.equal(filesOf({}).volumeMounts!.length, 2);
});

Deno.test("nobody writes where no mount can be written", () => {
  const volumes = [
    { name: "config", configMap: { name: "c" } },
    { name: "data", emptyDir: {} },
  ];
  const config = { name: "config", mountPath: "/c" };
  const data = { name: "data", mountPath: "/d" };
  const readOnly = { ...data, readOnly: true };
  const script = (...volumeMounts: typeof config[]) =>
    scriptOf(filesOf({ volumeMounts }, { volumes }));
  assert.match(script(config, readOnly), /-d \/tp\/volumes -R"/);
  assert.match(script(config, data), /-d \/tp\/volumes"/);
  const container = { name: "app", volumeMounts: [config, data] };
  assert.deepEqual(agentContainerOf(container, { containers: [], volumes }), {
    name: "app",
    mounts: [
      { path: "/c", readOnly: true },
      { path: "/d", readOnly: false },
    ],
  });
});

interface UserRow {
  what: string;
  app?: PodContainer["securityContext"];
  pod?: PodSpec["securityContext"];
  shown?: { uid: number; gid: number };
  after: Record<string, unknown>;
}

const users: UserRow[] = [
  { what: "nobody knows", after: { runAsNonRoot: true } },
  {
    what: "the container says",
    app: { runAsUser: 7, seLinuxOptions: { level: "s0" } },
    pod: { runAsUser: 8, runAsGroup: 9 },
    after: {
      ...{ runAsNonRoot: true, runAsUser: 7, runAsGroup: 9 },
      seLinuxOptions: { level: "s0" },
    },
  },
  {
    what: "the pod says",
    pod: { runAsUser: 8 },
    shown: { uid: 1, gid: 2 },
    after: { runAsNonRoot: true, runAsUser: 8, runAsGroup: 2 },
  },
  {
    what: "a running one showed",
    shown: { uid: 0, gid: 0 },
    after: { runAsNonRoot: false, runAsUser: 0, runAsGroup: 0 },
  },
];

for (const { what, app, pod, shown, after } of users) {
  Deno.test(`the files of a container are read by its user: ${what}`, () => {
    const files = filesOf(
      { ...app ? { securityContext: app } : {} },
      {
        ...pod ? { securityContext: pod } : {},
        users: shown ? { app: shown } : {},
      },
    );
    const { runAsNonRoot, runAsUser, runAsGroup, seLinuxOptions, ...rest } =
      files.securityContext!;
    const found = { runAsNonRoot, runAsUser, runAsGroup, seLinuxOptions };
    assert.deepEqual(JSON.parse(JSON.stringify(found)), after);
    assert.deepEqual(rest.capabilities, { drop: ["ALL"] });
    assert.equal(rest.readOnlyRootFilesystem, true);
  });
}

Deno.test("kubelet leaves the script as it is meant", () => {
  const { command } = filesOf({});
  const script = (command as string[])[2]!;
  // Each `$` is doubled, so none begins a variable.
  assert.doesNotMatch(script.replaceAll("$$", ""), /\$/);
  assert.match(scriptOf(filesOf({})), /OPEN:\/proc\/\$\$\/environ/);
});
