/** A machine beside the cluster's node that the cluster reaches and laptops do not: a company's database, say. */
import { type Cluster, must, run, waitFor } from "../cluster/mod.ts";

const netns = "tp-beside";
/** The node's end of the link, and its address there. */
const link = "beside0";
const nodeAddress = "203.0.113.1";

/** What its web server answers on port 80, at each of its addresses. */
export const besidePage = "beside the node\n";

/** Addresses that it has. */
export const besideAddresses = ["203.0.113.7", "203.0.113.8"] as const;

/** Dispose of it to take it away again. */
export async function openBeside(cluster: Cluster): Promise<AsyncDisposable> {
  const [node] = cluster.nodes;
  if (node === undefined) {
    throw new Error("Cannot stand beside the node: it is not the bed's");
  }
  await remove(node.netns);
  await using building = new AsyncDisposableStack();
  building.defer(() => remove(node.netns));
  await must(["ip", "netns", "add", netns]);
  const addresses = besideAddresses.map((ip) =>
    `ip -n ${netns} addr add ${ip}/24 dev eth0`
  );
  await must(["sh", "-eu"], {
    stdin: `
      ip -n ${netns} link set lo up
      ip -n ${node.netns} link add ${link} type veth peer name eth0 netns ${netns}
      ip -n ${node.netns} addr add ${nodeAddress}/24 dev ${link}
      ip -n ${node.netns} link set ${link} up
      ip -n ${netns} link set eth0 up
      ${addresses.join("\n")}
    `,
  });
  const root = await Deno.makeTempDir({ prefix: "tp-beside-" });
  building.defer(() => Deno.remove(root, { recursive: true }));
  await Deno.writeTextFile(`${root}/index.html`, besidePage);
  const [program, ...args] = [
    ...["ip", "netns", "exec", netns, "busybox", "httpd", "-f"],
    ...["-h", root, "-p", "80"],
  ];
  const server = new Deno.Command(program!, { args }).spawn();
  building.defer(async () => {
    server.kill("SIGKILL");
    await server.status;
  });
  await waitFor("web server beside the node", async () => {
    const [ip] = besideAddresses;
    const curl = ["curl", "-sS", "-m", "2", `http://${ip}/`];
    const { stdout, stderr } = await run(
      ["ip", "netns", "exec", node.netns, ...curl],
    );
    return stdout === besidePage || stderr;
  });
  return building.move();
}

/** Also of a test that did not come to its end. */
async function remove(nodeNetns: string): Promise<void> {
  await run(["ip", "-n", nodeNetns, "link", "del", link]);
  await run(["ip", "netns", "del", netns]);
}
