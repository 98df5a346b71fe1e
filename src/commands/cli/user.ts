import { userInfo } from "node:os";

/** Who acts, for the record: behind sudo whoever called it. */
export function userOfShell(): string {
  if (process.env["SUDO_USER"]) return process.env["SUDO_USER"];
  try {
    return userInfo().username;
  } catch {
    // A container's user need not have a name.
    return `uid ${process.getuid?.() ?? "unknown"}`;
  }
}
