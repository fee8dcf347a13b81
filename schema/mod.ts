/** Whether a value is of the shape that a published schema describes, in words for who wrote it. Pure. */
export { type Fault, placeBelow } from "./fault.ts";
export { nearest } from "./nearest.ts";
export {
  article,
  type ShapeFault,
  shapeFaults,
  type ShapeWords,
} from "./shape.ts";
