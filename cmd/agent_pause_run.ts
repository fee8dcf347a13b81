import { told } from "./_told.ts";

/** Stands where a replaced container did, until the pod ends. */
export default async function run(): Promise<void> {
  const signal = told();
  const { promise, resolve } = Promise.withResolvers<void>();
  signal.addEventListener("abort", () => resolve(), { once: true });
  // A pending promise alone does not keep the process.
  const alive = setInterval(() => {}, 3_600_000);
  await promise;
  clearInterval(alive);
}
