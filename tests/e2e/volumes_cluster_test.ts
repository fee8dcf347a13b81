/** Volumes of a real pod, by the image's own SFTP server in a container beside the app's, mounted and copied. */
import assert from "node:assert/strict";
import {
  type Cluster,
  Laptop,
  openCluster,
  say,
  waitFor,
} from "../cluster/mod.ts";
import { ownImage } from "../support/own_image.ts";
import { VolumesHolder } from "../support/volumes_holder.ts";

const links = `cd /tp/volumes/data
echo inside >inside
ln -s /etc/passwd link-to-passwd
ln -s ../../../../etc/passwd link-up
exec sleep infinity`;

/** As the app's container has them, below /tp/volumes. */
const mounts = [
  { name: "config", mountPath: "/etc/config", readOnly: true },
  { name: "secret", mountPath: "/secret", readOnly: true },
  {
    name: "token",
    mountPath: "/var/run/secrets/audience.example.test",
    readOnly: true,
  },
  { name: "data", mountPath: "/data" },
];

function podOf(image: string): unknown[] {
  return [
    {
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name: "files" },
      data: { colour: "green" },
    },
    {
      apiVersion: "v1",
      kind: "Secret",
      metadata: { name: "files" },
      stringData: { password: "open sesame" },
    },
    {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: "files" },
      spec: {
        terminationGracePeriodSeconds: 0,
        automountServiceAccountToken: false,
        securityContext: {
          runAsUser: 4242,
          runAsGroup: 4343,
          fsGroup: 4444,
          runAsNonRoot: true,
          seccompProfile: { type: "RuntimeDefault" },
        },
        containers: [{
          name: "files",
          image,
          command: ["/bin/sh", "-euc", links],
          securityContext: {
            readOnlyRootFilesystem: true,
            allowPrivilegeEscalation: false,
            capabilities: { drop: ["ALL"] },
          },
          volumeMounts: mounts.map((mount) => ({
            ...mount,
            mountPath: `/tp/volumes${mount.mountPath}`,
          })),
        }],
        volumes: [
          { name: "config", configMap: { name: "files" } },
          {
            name: "secret",
            secret: { secretName: "files", defaultMode: 0o600 },
          },
          {
            name: "token",
            projected: {
              sources: [{
                serviceAccountToken: {
                  path: "token",
                  audience: "audience.example.test",
                },
              }],
            },
          },
          { name: "data", emptyDir: {} },
        ],
      },
    },
  ];
}

/** Changes the ConfigMap and has kubelet look at the pod. */
async function recolour(
  { kubectl }: Cluster,
  namespace: string,
  colour: string,
): Promise<void> {
  const data = JSON.stringify({ data: { colour } });
  const scope = ["-n", namespace];
  await kubectl([...scope, "patch", "configmap", "files", "-p", data]);
  const note = [`example.test/colour=${colour}`, "--overwrite"];
  await kubectl([...scope, "annotate", "pod", "files", ...note]);
}

Deno.test("volumes of a real pod are mounted, and copied", async (t) => {
  const cluster = await openCluster();
  const image = await ownImage(cluster, "volumes");
  await using stack = new AsyncDisposableStack();
  const { name: namespace } = stack.use(await cluster.namespace("volumes"));
  const laptop = stack.use(await Laptop.open(cluster));
  const items = podOf(image).map((object) => {
    const { metadata, ...others } = object as { metadata: object };
    return { ...others, metadata: { ...metadata, namespace } };
  });
  await cluster.apply(
    JSON.stringify({ apiVersion: "v1", kind: "List", items }),
  );
  const scope = ["-n", namespace];
  await cluster.kubectl(
    [...scope, "wait", "pod/files", "--for=condition=Ready", "--timeout=30s"],
  );
  const inPod = ["exec", "-i", "files", "--"];
  const exec = ["kubectl", ...scope, ...inPod, "tp-sftp-server"];
  const volumes = mounts.map(({ mountPath }) => mountPath);

  for (const mode of ["mount", "copy"] as const) {
    await t.step(mode, async () => {
      await using holder = await VolumesHolder.start(laptop, { exec }, {
        mode,
        volumes,
        lookMs: 300,
      });
      assert.equal(holder.held.error, undefined);
      assert.equal(holder.held.mode, mode);
      const before = await holder.sh("cat etc/config/colour");
      assert.match(before, /^(green|mount)$/);
      assert.equal(await holder.sh("cat secret/password"), "open sesame");
      const token = await holder.sh("cat var/run/secrets/*/token");
      const [, payload = ""] = token.split(".");
      assert.match(
        atob(payload.replaceAll("-", "+").replaceAll("_", "/")),
        /audience\.example\.test/,
      );
      assert.equal(await holder.sh("cat data/inside"), "inside");
      const laptopsOwn = await Deno.readTextFile("/etc/passwd");
      for (const link of ["link-to-passwd", "link-up"]) {
        const led = await holder.sh(`cat data/${link} 2>/dev/null`);
        assert.notEqual(led, laptopsOwn.trim());
        assert.match(led, mode === "mount" ? /^root:.*nonroot:/s : /^$/);
      }
      if (mode === "mount") {
        assert.match(await holder.sh("touch secret/other 2>&1"), /^touch: /);
        await holder.sh("echo of the laptop >data/written");
        const { stdout } = await cluster.kubectl(
          [...scope, ...inPod, "cat", "/tp/volumes/data/written"],
        );
        assert.equal(stdout, "of the laptop\n");
      }
      await recolour(cluster, namespace, mode);
      const beganMs = performance.now();
      await waitFor("changed ConfigMap", async () => {
        const colour = await holder.sh("cat etc/config/colour");
        return colour === mode || `it is ${colour}`;
      }, { timeoutMs: 120_000 });
      const tookMs = Math.round(performance.now() - beganMs);
      say(`volumes: ${mode}: a changed ConfigMap is there after ${tookMs} ms`);
      await holder.close();
    });
  }
});
