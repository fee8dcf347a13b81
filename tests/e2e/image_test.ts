/** The image of manager and agent holds what both run in pods, for any user and with nothing to write to. */
import assert from "node:assert/strict";
import { openCluster, waitFor } from "../cluster/mod.ts";
import { ownImage } from "../support/own_image.ts";

/** What kubelet gives a container of the restricted Pod Security level. */
const restricted = {
  runAsNonRoot: true,
  readOnlyRootFilesystem: true,
  allowPrivilegeEscalation: false,
  capabilities: { drop: ["ALL"] },
  seccompProfile: { type: "RuntimeDefault" },
};

const redirect = `table ip tp {
  chain prerouting {
    type nat hook prerouting priority dstnat;
    tcp dport 8080 redirect to :7400
  }
}`;

/** A user whom no file of the image knows reads a volume through a socket, by an SFTP server that it starts. */
const askFiles = `
cat /proc/1/environ | tr '\\0' '\\n'
socat UNIX-LISTEN:/run/tp/files.sock,fork EXEC:tp-sftp-server &
while ! [ -S /run/tp/files.sock ]; do sleep 0.1; done
{ printf '\\0\\0\\0\\5\\1\\0\\0\\0\\3'; sleep 1; } | socat - UNIX-CONNECT:/run/tp/files.sock | head -c 9 | od -An -tx1
id
tp version
echo left: $(ls /dev/shm)
`;

Deno.test({
  name: "the image runs nft, socat and sftp-server, and tp, in pods",
  fn: async () => {
    const cluster = await openCluster();
    const image = await ownImage(cluster, "image");
    await using namespace = await cluster.namespace("image");
    const run = { name: "run", mountPath: "/run/tp" };
    const pod = {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: "image", namespace: namespace.name },
      spec: {
        restartPolicy: "Never",
        volumes: [{ name: "run", emptyDir: {} }],
        initContainers: [{
          name: "redirect",
          image,
          command: [
            "/bin/sh",
            "-euc",
            `
nft --version
echo '${redirect}' | nft -f -
nft list ruleset`,
          ],
          securityContext: {
            runAsUser: 0,
            readOnlyRootFilesystem: true,
            capabilities: { drop: ["ALL"], add: ["NET_ADMIN"] },
          },
        }],
        containers: [{
          name: "files",
          image,
          command: ["/bin/sh", "-euc", askFiles],
          env: [{ name: "COLOR", value: "green" }],
          volumeMounts: [run],
          securityContext: {
            ...restricted,
            runAsUser: 1_000_650_000,
            runAsGroup: 4242,
          },
        }],
      },
    };
    await cluster.apply(JSON.stringify(pod));
    const kubectl = async (...args: string[]) =>
      (await cluster.kubectl(["-n", namespace.name, ...args])).stdout;
    await waitFor("end of the pod", async () => {
      const phase = await kubectl(
        "get",
        "pod/image",
        "-o=jsonpath={.status.phase}",
      );
      return phase === "Succeeded" || phase === "Failed" || phase;
    });
    const redirected = await kubectl("logs", "image", "-c", "redirect");
    assert.match(redirected, /^nftables v/);
    assert.match(redirected, /tcp dport 8080 redirect to :7400/);
    const said = await kubectl("logs", "image", "-c", "files");
    assert.match(said, /^COLOR=green$/m);
    // SSH_FXP_VERSION, 3.
    assert.match(said, /^ 00 00 \S\S \S\S 02 00 00 00 03$/m, said);
    assert.match(said, /^uid=1000650000 gid=4242/m);
    assert.match(said, /^tp /m);
    assert.match(said, /^left:$/m);
  },
});
