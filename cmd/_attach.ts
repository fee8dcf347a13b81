/** One intercept, from the request on, as the command that makes it sees it. */
import type { InterceptInfo, InterceptRequest } from "../connector/api.ts";
import {
  ConnectError,
  ConnectorAbsentError,
  type ConnectorClient,
  connectorLogPath,
} from "../connector/client.ts";
import { CommandError } from "./_error.ts";
import { failureError } from "./_failure.ts";
import { Interrupt } from "./_interrupt.ts";
import { printable } from "./_printable.ts";

/** An intercept that stands. */
export interface Attached {
  readonly info: InterceptInfo;
  /** Tells what becomes of it by itself, each time a sentence. To be called once, and only for one that is held. */
  follow(tell: (text: string) => void): void;
  /** Resolves when it is no more. */
  leave(): Promise<void>;
}

/**
 * Resolves when the intercept stands, or to `undefined` when it was interrupted and all is undone.
 *
 * @throws {CommandError} why it does not come about.
 */
export async function attach(
  client: ConnectorClient,
  request: InterceptRequest,
  say: (line: string) => void,
): Promise<Attached | undefined> {
  using interrupt = new Interrupt();
  const over = new AbortController();
  const signal = AbortSignal.any([interrupt.signal, over.signal]);
  const { name } = request;
  let isLeft = false;
  const events = client.intercept(request, { signal });
  try {
    for (;;) {
      const next = await events.next();
      if (next.done) {
        throw new ConnectorAbsentError("Cannot go on: the connector ended");
      }
      const event = next.value;
      if (event.event === "progress") say(printable(event.text));
      if (event.event === "failed") throw failureError(event.failure);
      if (event.event !== "intercepted") continue;
      return {
        info: event.info,
        follow: (tell) =>
          void follow(
            events,
            (what) => isLeft || tell(`"${name}" ${what}`),
          ),
        leave: async () => {
          isLeft = true;
          await leave(client, { name });
          over.abort();
        },
      };
    }
  } catch (error) {
    over.abort();
    if (!interrupt.signal.aborted) throw told(error);
    await leave(client, { name, onlyUnfinished: true });
    return undefined;
  }
}

/** Who does not know it any more has ended it. */
async function leave(
  client: ConnectorClient,
  request: Parameters<ConnectorClient["leave"]>[0],
): Promise<void> {
  try {
    await client.leave(request);
  } catch (error) {
    const isGone = error instanceof ConnectorAbsentError ||
      error instanceof ConnectError;
    if (!isGone) throw error;
  }
}

async function follow(
  events: ReturnType<ConnectorClient["intercept"]>,
  tell: (what: string) => void,
): Promise<void> {
  try {
    for await (const event of events) {
      if (event.event === "turned") tell(printable(event.text));
      if (event.event === "ended") tell(`has ended: ${event.reason}`);
    }
  } catch (error) {
    // Who has left does not read on.
    if (error instanceof ConnectorAbsentError) {
      tell("has ended: the connector ended");
    }
  }
}

function told(error: unknown): unknown {
  if (error instanceof ConnectError) return failureError(error.failure);
  if (!(error instanceof ConnectorAbsentError)) return error;
  return new CommandError(
    error.message,
    `Its log tells more: ${connectorLogPath()}`,
    { cause: error },
  );
}
