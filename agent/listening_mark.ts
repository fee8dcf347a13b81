/** The file that is there while the agent listens: its container's hook waits for it, with the containers that follow. */
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
    await Deno.writeTextFile(this.#path, "");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.#path).catch((error) => {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    });
  }
}
