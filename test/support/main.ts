import { join } from "node:path";

/** The command line that is tested: the checkout's, or where `TEST_MAIN` names another, an installed package's. */
export const MAIN = process.env["TEST_MAIN"] ?? join(import.meta.dirname, "../../src/main.ts");
