import type { Ip } from "../../net/mod.ts";
import { ConnectError } from "../failure.ts";
import type { LaptopPort } from "./intercept_table.ts";

/** The laptop's ports that intercepts lead to: each to one intercept. */
export class LaptopPorts {
  /** Names of intercepts. */
  readonly #takers = new Map<string, string>();

  /**
   * Dispose of the result to give them back.
   *
   * @throws {ConnectError} `port-in-use`; none is taken then.
   */
  take(
    name: string,
    { ip, ports }: { ip: Ip; ports: readonly LaptopPort[] },
  ): Disposable {
    const keys = ports.map(({ laptop, pod }) =>
      `${ip.family === 6 ? `[${ip}]` : ip}:${laptop} ${pod.protocol}`
    );
    for (const key of keys) {
      const taker = this.#takers.get(key);
      if (taker === undefined) continue;
      throw new ConnectError({
        kind: "port-in-use",
        cause: `Port ${
          key.split(" ")[0]
        } is already in use by intercept ${taker}`,
      });
    }
    for (const key of keys) this.#takers.set(key, name);
    return {
      [Symbol.dispose]: () => {
        for (const key of keys) this.#takers.delete(key);
      },
    };
  }
}
