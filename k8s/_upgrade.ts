/** A connection to the API server that stops being HTTP (RFC 9110 section 7.8). */
import { type Conn, writeAll } from "../net/mod.ts";
import { ConnSource } from "./_byte_source.ts";
import { dial } from "./_dial.ts";
import { bodyOf } from "./_http_body.ts";
import {
  encodeRequestHead,
  type HeaderList,
  readResponseHead,
  type ResponseHead,
} from "./_http_head.ts";
import type { Query, Requests } from "./_requests.ts";
import { ApiError, decodeApiError, type Question } from "./api_error.ts";
import type { Proof } from "./credential.ts";
import { ObstacleError } from "./unreachable.ts";

/** What has arrived and waits for its reader, at most. */
const bufferBytes = 64 * 1024;
/** A refusal's text is read up to this length. */
const textLimit = 64 * 1024;

export interface UpgradeRequest {
  question: Question;
  method: "GET" | "POST";
  path: string;
  query?: Query;
  /** Besides those that say who asks. */
  headers: HeaderList;
}

/** The connection after the upgrade. */
export interface Upgraded {
  conn: Conn;
  /** All that comes after the head. */
  source: ConnSource;
  headers: ResponseHead["headers"];
}

/**
 * Asks for the upgrade, on a connection of its own. 401 renews the credential and asks once more.
 *
 * @throws {ApiError} when the answer is anything but 101.
 */
export async function upgrade(
  requests: Requests,
  request: UpgradeRequest,
  signal: AbortSignal,
): Promise<Upgraded> {
  const { credential } = requests.access;
  const proof = await credential.present({ signal });
  try {
    return await upgradeWith(proof, { requests, request, signal });
  } catch (error) {
    const isRefused = error instanceof ApiError && error.status === 401;
    if (!isRefused || !credential.renew(proof)) throw error;
    const again = await credential.present({ signal });
    if (again === proof) throw error;
    return await upgradeWith(again, { requests, request, signal });
  }
}

async function upgradeWith(
  proof: Proof,
  { requests, request, signal }: {
    requests: Requests;
    request: UpgradeRequest;
    signal: AbortSignal;
  },
): Promise<Upgraded> {
  const { certificate } = proof;
  const conn = await dial(requests.access, { certificate, signal });
  const close = () => conn.close();
  signal.addEventListener("abort", close, { once: true });
  try {
    const { method, path, query, headers, question } = request;
    const head = encodeRequestHead({
      method,
      target: requests.target(path, query),
      headers: [...requests.headers(proof), ...headers],
    });
    await writeAll(conn, head);
    const source = new ConnSource(conn, bufferBytes);
    const answer = await readResponseHead(source);
    if (answer === undefined) {
      const detail = "the connection ended before an answer";
      throw new ObstacleError({ kind: "reset", detail });
    }
    const { status } = answer;
    if (status === 101) return { conn, source, headers: answer.headers };
    const body = await readRefusal(source, answer);
    throw decodeApiError(question, { status, body });
  } catch (error) {
    close();
    throw signal.aborted ? signal.reason : error;
  } finally {
    signal.removeEventListener("abort", close);
  }
}

async function readRefusal(
  source: ConnSource,
  head: ResponseHead,
): Promise<string> {
  const body = bodyOf(source, head);
  const decoder = new TextDecoder();
  let text = "";
  while (text.length < textLimit) {
    const piece = await body.read();
    if (piece === null) break;
    text += decoder.decode(piece, { stream: true });
  }
  return text;
}
