/** Where the answers of all flows of datagrams are made into frames, one after the other: it holds a packet of any size. */
import { packetStart } from "./frame.ts";

export const answerBuffer = new Uint8Array(packetStart + 40 + 0xffff + 1);
