import type { Refusal } from "../net/mod.ts";
import type { FrameSink } from "./decoder.ts";

/** What a sink is told, as values. */
export type Told = [method: keyof FrameSink, ...args: unknown[]];

/** Writes down what it is told. Pieces of one DATA are joined. */
export class Recorder implements FrameSink {
  readonly told: Told[] = [];

  onOpen(stream: number, flags: number, to: number, target: Uint8Array) {
    this.told.push(["onOpen", stream, flags, to, target.toHex()]);
  }
  onAccept(stream: number, maySendTo: number) {
    this.told.push(["onAccept", stream, maySendTo]);
  }
  onRefuse(stream: number, refusal: Refusal, detail: string) {
    this.told.push(["onRefuse", stream, refusal, detail]);
  }
  onData(
    stream: number,
    offset: number,
    bytes: Uint8Array,
    from: number,
    to: number,
  ) {
    const hex = bytes.subarray(from, to).toHex();
    const last = this.told.at(-1);
    if (
      last?.[0] === "onData" && last[1] === stream &&
      Number(last[2]) + String(last[3]).length / 2 === offset
    ) {
      last[3] += hex;
    } else {
      this.told.push(["onData", stream, offset, hex]);
    }
  }
  onDatagram(stream: number, bytes: Uint8Array, from: number, to: number) {
    this.told.push(["onDatagram", stream, bytes.subarray(from, to).toHex()]);
  }
  onCredit(stream: number, receivedTo: number, maySendTo: number) {
    this.told.push(["onCredit", stream, receivedTo, maySendTo]);
  }
  onResume(stream: number, receivedTo: number, maySendTo: number) {
    this.told.push(["onResume", stream, receivedTo, maySendTo]);
  }
  onMoved(carrier: number, phase: number) {
    this.told.push(["onMoved", carrier, phase]);
  }
  onEnd(stream: number, offset: number, receivedTo: number) {
    this.told.push(["onEnd", stream, offset, receivedTo]);
  }
  onReset(stream: number, reason: number, detail: string) {
    this.told.push(["onReset", stream, reason, detail]);
  }
  onPing(high: number, low: number) {
    this.told.push(["onPing", high, low]);
  }
  onPong(high: number, low: number) {
    this.told.push(["onPong", high, low]);
  }
  onGoaway(reason: number, detail: string) {
    this.told.push(["onGoaway", reason, detail]);
  }
}
