import { parse } from "yaml";
import { shared } from "./shared.ts";

export { SharedError } from "./shared.ts";
export const read = (text: string): unknown => parse(text);
export const sharedCount = (): number => shared.count;
