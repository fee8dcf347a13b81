/** The built executable on a laptop of the tests, as its user types it. */
import assert from "node:assert/strict";
import type {
  CommandResult,
  Laptop,
  LaptopCommandOptions,
  LaptopUser,
  SnapshotSection,
} from "../cluster/mod.ts";
import { assertSameState } from "./same_state.ts";

/** The build under test; `TP_TEST_EXECUTABLE` names another than this repository's. */
export const executable = Deno.env.get("TP_TEST_EXECUTABLE") ??
  new URL("../../dist/tp", import.meta.url).pathname;

/** What the cluster of `TP_TEST_KUBECONFIG` pulls in the place of this release's image. */
const image = Deno.env.get("TP_IMAGE");
const imageEnv: Record<string, string> = image ? { TP_IMAGE: image } : {};

export interface ConnectedOptions extends LaptopCommandOptions {
  /** What a test changes of the laptop by itself meanwhile, and does not change back. */
  readonly apartFrom?: readonly SnapshotSection[];
}

/** Where it is typed: a laptop, or a container on one. */
export type TpPlace = Pick<Laptop, "run" | "spawn" | "snapshot">;

export class Tp {
  readonly #laptop: TpPlace;
  readonly #user: LaptopUser;

  /** @param options.user Who runs it; root unless told. */
  constructor(laptop: TpPlace, options: { user?: LaptopUser } = {}) {
    this.#laptop = laptop;
    this.#user = options.user ?? "root";
  }

  /** Runs `tp ARGS…` and waits for it. */
  run(
    args: string[],
    options: LaptopCommandOptions = {},
  ): Promise<CommandResult> {
    return this.#laptop.run([executable, ...args], {
      timeoutMs: 150_000,
      user: this.#user,
      ...options,
      env: { ...imageEnv, ...options.env },
    });
  }

  /** Starts `tp ARGS…`, whose end is the caller's concern. */
  start(
    args: string[],
    options: Parameters<Laptop["spawn"]>[1] = {},
  ): Deno.ChildProcess {
    return this.#laptop.spawn([executable, ...args], {
      user: this.#user,
      ...options,
      env: { ...imageEnv, ...options.env },
    });
  }

  /** Runs `tp ARGS…`, which must succeed; resolves to what it printed. */
  async ok(args: string[], options?: LaptopCommandOptions): Promise<string> {
    const { code, stdout, stderr } = await this.run(args, options);
    assert.equal(code, 0, `tp ${args.join(" ")}\n${stdout}${stderr}`);
    return stdout;
  }

  /** Runs `tp ARGS…`, which must fail with exit code 1; resolves to what it printed on standard error. */
  async fails(args: string[], options?: LaptopCommandOptions): Promise<string> {
    const { code, stdout, stderr } = await this.run(args, options);
    assert.equal(code, 1, `tp ${args.join(" ")}\n${stdout}${stderr}`);
    return stderr;
  }

  /** Connected until disposed of, when the laptop must be as it was before. */
  async connected(
    args: string[] = [],
    { apartFrom = [], ...options }: ConnectedOptions = {},
  ): Promise<AsyncDisposable> {
    const before = await this.#laptop.snapshot();
    await this.ok(["connect", ...args], options);
    return {
      [Symbol.asyncDispose]: async () => {
        await this.ok(["quit"], options);
        assertSameState(await this.#laptop.snapshot(), before, { apartFrom });
      },
    };
  }
}
