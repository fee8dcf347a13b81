import { statePath } from "./paths.ts";
import { processStartTime } from "./process.ts";

const maxLaptops = 200;

/**
 * Takes the lowest number that no living process holds; a laptop's names and addresses come from it.
 *
 * @param reclaim clears away the laptop of a process that has ended without doing so
 * @throws {Error} if all numbers are taken
 */
export async function claimLaptopNumber(
  reclaim: (number: number) => Promise<void>,
): Promise<number> {
  await Deno.mkdir(statePath("laptops"), { recursive: true });
  for (let number = 1; number <= maxLaptops; number++) {
    const path = claimPath(number);
    if (await tryClaim(path)) return number;
    if (await ownerLives(path)) continue;
    await reclaim(number);
    await Deno.remove(path).catch(() => {});
    if (await tryClaim(path)) return number;
  }
  throw new Error(
    `Cannot open a laptop: ${maxLaptops} are open; run "./dev cluster down"`,
  );
}

export async function releaseLaptopNumber(number: number): Promise<void> {
  await Deno.remove(claimPath(number)).catch(() => {});
}

/** The numbers of all laptops there are. */
export async function laptopNumbers(): Promise<number[]> {
  const numbers: number[] = [];
  try {
    for await (const { name } of Deno.readDir(statePath("laptops"))) {
      numbers.push(Number(name));
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  return numbers;
}

function claimPath(number: number): string {
  return statePath("laptops", `${number}`);
}

async function tryClaim(path: string): Promise<boolean> {
  try {
    await Deno.writeTextFile(
      path,
      `${Deno.pid} ${processStartTime(Deno.pid)}\n`,
      { createNew: true },
    );
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.AlreadyExists) return false;
    throw error;
  }
}

async function ownerLives(path: string): Promise<boolean> {
  const text = await Deno.readTextFile(path).catch(() => "");
  const [pid, startTime] = text.trim().split(" ");
  // An empty claim is being written by its owner.
  return text === "" || processStartTime(Number(pid)) === startTime;
}
