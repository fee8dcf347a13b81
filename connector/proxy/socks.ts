/** SOCKS 5 (RFC 1928) with user and password (RFC 1929): CONNECT, and UDP ASSOCIATE. */
import type { ByteSource } from "../../http/mod.ts";
import {
  type Conn,
  pipe,
  type Refusal,
  RefusedError,
  writeAll,
} from "../../net/mod.ts";
import type { ProxyOptions } from "./proxy.ts";
import { decodeSocksAddress, encodeSocksAddress } from "./socks_address.ts";
import { SocksDatagrams } from "./socks_datagrams.ts";

export const socksVersion = 5;
const passwordVersion = 1;
const withPassword = 2;
const noMethod = 0xff;
const commands = { connect: 1, udpAssociate: 3 } as const;
/** Codes of replies: RFC 1928 section 6. */
const succeeded = 0;
const notSupported = 7;
const addressNotSupported = 8;
const replyOf: Record<Refusal, number> = {
  refused: 5,
  unreachable: 4,
  timeout: 6,
  forbidden: 2,
  "unknown-target": 4,
  overloaded: 1,
  gone: 3,
  failed: 1,
};

/** @returns what joins the client with where it goes; `undefined` when it was refused. */
export async function serveSocks(
  client: ByteSource,
  options: ProxyOptions,
): Promise<(() => Promise<unknown>) | undefined> {
  const { outbound, signal } = options;
  if (!await authenticate(client, options)) return undefined;
  const [, command] = await take(client, 3);
  const to = decodeSocksAddress(await takeAddress(client), 0);
  if (to === undefined) return await refuse(client, addressNotSupported);
  if (command === commands.udpAssociate) {
    const datagrams = await SocksDatagrams.open(outbound);
    await reply(client, succeeded, datagrams.port);
    return () => datagrams.serveUntilEnd(client);
  }
  if (command !== commands.connect) return await refuse(client, notSupported);
  let there: Conn;
  try {
    there = await outbound.dialName(to.host, to.port, { signal });
  } catch (error) {
    if (!(error instanceof RefusedError)) throw error;
    return await refuse(client, replyOf[error.refusal]);
  }
  try {
    await reply(client, succeeded);
  } catch (error) {
    there.reset();
    throw error;
  }
  return () => pipe(client, there);
}

async function authenticate(
  client: ByteSource,
  { credential }: ProxyOptions,
): Promise<boolean> {
  const [, count] = await take(client, 2);
  const methods = await take(client, count!);
  if (!methods.includes(withPassword)) {
    await writeAll(client, new Uint8Array([socksVersion, noMethod]));
    await client.closeWrite();
    return false;
  }
  await writeAll(client, new Uint8Array([socksVersion, withPassword]));
  const [, userLength] = await take(client, 2);
  const user = textOf(await take(client, userLength!));
  const [passwordLength] = await take(client, 1);
  const password = textOf(await take(client, passwordLength!));
  const isRight = credential.matches(user, password);
  await writeAll(client, new Uint8Array([passwordVersion, isRight ? 0 : 1]));
  if (!isRight) await client.closeWrite();
  return isRight;
}

/** The address of a request, whose length its first octets tell. */
async function takeAddress(client: ByteSource): Promise<Uint8Array> {
  const first = await take(client, 2);
  const [kind, length] = first;
  const rest = kind === 1 ? 3 + 2 : kind === 4 ? 15 + 2 : length! + 2;
  return new Uint8Array([...first, ...await take(client, rest)]);
}

/** Takes that many octets, as a copy. */
async function take(client: ByteSource, count: number): Promise<Uint8Array> {
  while (client.unreadBytes < count) {
    if (!await client.fill()) throw new Error("The client left");
  }
  const taken = client.unread.slice(0, count);
  client.consume(count);
  return taken;
}

async function refuse(client: ByteSource, code: number): Promise<undefined> {
  await reply(client, code);
  await client.closeWrite();
}

/** @param port Where datagrams go; nobody asks from where a connection comes. */
async function reply(
  client: ByteSource,
  code: number,
  port = 0,
): Promise<void> {
  const address = encodeSocksAddress({
    host: port === 0 ? "0.0.0.0" : "127.0.0.1",
    port,
  });
  await writeAll(client, new Uint8Array([socksVersion, code, 0, ...address]));
}

function textOf(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}
