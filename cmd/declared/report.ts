/** What was done about a declaration, as it is told: a line each as it happens, or all of it for programs. */
import type { Context } from "../_context.ts";
import { formatValue, type OutputFormat } from "../_output.ts";
import type { DeclaredAttachment } from "./attachment.ts";
import type { Drift } from "./drift.ts";

export interface AttachmentReport {
  readonly name: string;
  readonly type: string;
  /** `created`, `unchanged`, `re-created`, `removed`, `absent`, `failed`, or what would be. */
  readonly status: string;
  /** In what it was other than declared. */
  readonly drift?: readonly Drift[];
  /** What became of its command: `started`, `restarted`, `stopped`, `unchanged`, or what would. */
  readonly handler?: string;
  /** Why it failed. */
  readonly error?: string;
}

export class Report {
  readonly #stdout: Context["process"]["stdout"];
  readonly #format: OutputFormat;
  readonly #attachments: AttachmentReport[] = [];
  #connection: string | undefined;

  constructor({ process }: Context, format: OutputFormat) {
    this.#stdout = process.stdout;
    this.#format = format;
  }

  connection(state: string): void {
    this.#connection = state;
    this.#line(`connection: ${state}`);
  }

  attachment(
    { request: { name, mode } }: DeclaredAttachment,
    outcome: Omit<AttachmentReport, "name" | "type">,
  ): void {
    const report = { name, type: mode, ...outcome };
    this.#attachments.push(report);
    for (const line of attachmentLines(report)) this.#line(line);
  }

  /** To be called when nothing more comes, whether all went well or not. */
  async end(): Promise<void> {
    if (this.#format === "text") return;
    const connection = this.#connection;
    const all = {
      ...connection === undefined ? {} : { connection },
      attachments: this.#attachments,
    };
    this.#stdout.write(await formatValue(all, this.#format));
  }

  #line(line: string): void {
    if (this.#format === "text") this.#stdout.write(line + "\n");
  }
}

export function attachmentLines(
  { name, type, status, drift = [], handler }: AttachmentReport,
): string[] {
  return [
    `${type} ${name}: ${status}`,
    ...drift.map(({ field, from, to }) => `  ${field}: ${from} -> ${to}`),
    ...handler === undefined ? [] : [`  handler: ${handler}`],
  ];
}
