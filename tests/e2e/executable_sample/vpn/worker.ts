import { answer } from "./answer.ts";

const self = globalThis as unknown as {
  onmessage: (event: MessageEvent<string>) => void;
  postMessage(answer: string): void;
};
self.onmessage = ({ data }) => self.postMessage(answer(data));
