/**
 * What a command ends with, the same for all of them. `differs`: the command did what it was asked, and what it compared is not
 * the same.
 */
export const EXIT_CODES = { ok: 0, failed: 1, usage: 2, not_found: 3, differs: 4 } as const;

export type FailureKind = Exclude<keyof typeof EXIT_CODES, "ok" | "differs">;

/** A command could not do what it was asked: said in one line, with what to do next. */
export class Failure extends Error {
  override readonly name = "Failure";
  readonly kind: FailureKind;
  readonly advice: string | null;
  readonly problems: readonly string[];

  constructor(
    kind: FailureKind,
    message: string,
    more: { advice?: string; problems?: readonly string[]; cause?: unknown } = {},
  ) {
    super(message, { cause: more.cause });
    this.kind = kind;
    this.advice = more.advice ?? null;
    this.problems = more.problems ?? [];
  }
}

/** The reason behind an error of a driver or a socket, which often says it only in its cause. */
export function reasonOf(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(reasonOf).join("; ");
  if (!(error instanceof Error)) return String(error);
  return error.cause === undefined ? error.message : `${error.message}: ${reasonOf(error.cause)}`;
}
