/** A gateway on a laptop before the API server: `api_gateway.ts`, told what to let pass. The bed only. */
import type { Cluster, Laptop } from "../cluster/mod.ts";
import type { GatewayConfig } from "./api_gateway.ts";
import {
  adminAccess,
  writeAccess,
  writeLaptopFile,
} from "./kubeconfig_file.ts";
import { startScript } from "./laptop_script.ts";

export interface Gateway extends AsyncDisposable {
  readonly address: { readonly host: string; readonly port: number };
  /** The flag that leads through it. */
  readonly flag: string[];
  /** From here on it lets these ways pass and no others. */
  allow(...allowed: string[]): Promise<void>;
  /** From here on it answers every request with this status. */
  fail(status: number): Promise<void>;
  /** The ways that it was asked for since the last time, in order; `other` for other requests that failed. */
  requests(): Promise<string[]>;
}

/** It lets nothing pass at first. */
export async function openGateway(
  cluster: Cluster,
  laptop: Laptop,
): Promise<Gateway> {
  const { cluster: entry, user } = await adminAccess(cluster);
  const pem = (entry: Record<string, unknown>, name: string) =>
    atob(entry[`${name}-data`] as string);
  const config = {
    server: entry.server as string,
    authority: pem(entry, "certificate-authority"),
    cert: pem(user, "client-certificate"),
    key: pem(user, "client-key"),
  };
  const path = "/root/gateway.json";
  const write = async (
    change: Pick<GatewayConfig, "allowed" | "status">,
  ) => {
    const text = JSON.stringify(
      { ...config, ...change } satisfies GatewayConfig,
    );
    await writeLaptopFile(laptop, path, text);
  };
  await write({ allowed: [] });
  const script = startScript(laptop, "api_gateway.ts", [path]);
  const port = Number(await script.nextLine());
  const server = `http://127.0.0.1:${port}`;
  const kubeconfig = await writeAccess(laptop, {
    cluster: { server },
    user: {},
  });
  return {
    address: { host: "127.0.0.1", port },
    flag: ["--kubeconfig", kubeconfig],
    allow: (...allowed) => write({ allowed }),
    fail: (status) => write({ allowed: [], status }),
    async requests() {
      // A question of our own marks the end of what was asked.
      await laptop.run(["curl", "-sS", "-A", "mark", server]);
      const lines: string[] = [];
      for (;;) {
        const line = await script.nextLine();
        if (line === "mark") return lines;
        lines.push(line);
      }
    },
    [Symbol.asyncDispose]: () => script[Symbol.asyncDispose](),
  };
}
