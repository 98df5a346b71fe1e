/** Something that `doctor` has looked at. */
export interface Check {
  readonly name: string;
  readonly status: "ok" | "warn" | "fail";
  readonly detail: string;
  readonly advice: string | null;
}

export const ok = (name: string, detail: string): Check => ({ name, status: "ok", detail, advice: null });
export const warn = (name: string, detail: string, advice: string): Check => ({
  name,
  status: "warn",
  detail,
  advice,
});
export const fail = (name: string, detail: string, advice: string): Check => ({
  name,
  status: "fail",
  detail,
  advice,
});
