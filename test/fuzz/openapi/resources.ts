import { type ApiDocument, TEMPLATE_NAME } from "./document.ts";
import type { Known } from "./draft.ts";
import type { Answer } from "./wire.ts";

/** Those that answers have named so far: by each path template, what fills it. */
export interface Resources {
  readonly known: Known;
  /** Looks for a `Location` that a template fits: operators call by the same name what partners have made. */
  learn(answer: Answer): void;
  /** A path that leads to one. */
  know(path: string): void;
}

/** So many of each, the first ones. */
const MAX_KNOWN = 200;

export function createResources({ operations }: ApiDocument): Resources {
  const templates = [...new Set(operations.map(({ path }) => path))].filter((path) => path.includes("{"));
  const known = new Map(templates.map((path) => [path, [] as string[][]]));
  const patterns = templates.map((path) => {
    // What a path goes on with after its last name is there with what that names.
    const named = path.slice(0, path.lastIndexOf("}") + 1);
    const written = named
      .replace(/^\/admin(?=\/orders\/)/, "")
      .replace(/[.*+?^$()|[\]\\]/g, "\\$&")
      .replace(TEMPLATE_NAME, "([^/?#]+)");
    return [path, new RegExp(`^${written}$`)] as const;
  });

  function know(location: string): void {
    for (const [path, pattern] of patterns) {
      const filling = pattern.exec(location)?.slice(1);
      const resources = known.get(path)!;
      if (filling !== undefined && resources.length < MAX_KNOWN)
        resources.push(filling.map(decodeURIComponent));
    }
  }

  return {
    known,
    know,
    learn({ status, headers }) {
      const location = headers.find(([name]) => name === "location")?.[1];
      if (status === 201 && location !== undefined) know(location);
    },
  };
}
