import { TIME_MODES } from "../format/time.ts";
import { choice } from "./stored.ts";

export const timeMode = choice("time", TIME_MODES, "venue");
