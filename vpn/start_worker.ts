/** Starts the worker that reads the device. The build looks for this very form of the address. */
export function startWorker(): Worker {
  return new Worker(new URL("./worker.ts", import.meta.url), {
    type: "module",
  });
}
