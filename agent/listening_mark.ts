/**
 * The file that is there while the agent listens: its container's hook waits for it, with the containers that follow. Where
 * its directory is not there nobody waits.
 */
export class ListeningMark implements AsyncDisposable {
  readonly #path: string;

  private constructor(path: string) {
    this.#path = path;
  }

  /** What a former process left there, which could not, is removed. */
  static async open(path: string): Promise<ListeningMark> {
    const mark = new ListeningMark(path);
    await mark[Symbol.asyncDispose]();
    return mark;
  }

  async set(): Promise<void> {
    await Deno.writeTextFile(this.#path, "").catch(unlessAbsent);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.#path).catch(unlessAbsent);
  }
}

function unlessAbsent(error: unknown): void {
  if (!(error instanceof Deno.errors.NotFound)) throw error;
}
