import { answer } from "./answer.ts";

/** What a worker answers, and whether it is what this thread would. */
export function askWorker(question: string): Promise<string> {
  const url = new URL("./worker.ts", import.meta.url);
  const worker = new Worker(url, { type: "module" });
  return new Promise((resolve, reject) => {
    worker.onmessage = ({ data }) => {
      worker.terminate();
      resolve(data === answer(question) ? data : `wrong: ${data}`);
    };
    worker.onerror = (event) => reject(new Error(event.message));
    worker.postMessage(question);
  });
}
