import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";

export const ROOT = join(import.meta.dirname, "../..");

export interface Block {
  /** What stands behind the fence: `bash`, `json`, or nothing. */
  readonly language: string;
  readonly text: string;
}

export interface Page {
  /** From the root of the project. */
  readonly path: string;
  readonly text: string;
  readonly blocks: readonly Block[];
  /** The text without its blocks. */
  readonly prose: string;
  /** What stands between backticks in the prose. */
  readonly spans: readonly string[];
}

const BLOCK = /^ {0,3}```(\w*)[^\n]*\n([\s\S]*?)^ {0,3}```$/gm;
const SPAN = /(?<!`)(`+)(?!`)([\s\S]*?[^`])\1(?!`)/g;

export function readPage(path: string): Page {
  const text = readFileSync(join(ROOT, path), "utf8");
  const blocks = [...text.matchAll(BLOCK)].map(([, language = "", block = ""]) => ({
    language,
    text: block,
  }));
  const prose = text.replace(BLOCK, "");
  // A span may be broken over two lines, and a table writes its bars with a backslash.
  const spans = [...prose.matchAll(SPAN)].map(([, , span = ""]) =>
    span.replace(/\s+/g, " ").replaceAll("\\|", "|"),
  );
  return { path, text, blocks, prose, spans };
}

/** Every page of the project. */
export function readPages(): Page[] {
  const exclude = (name: string): boolean => /(?:^|\/)(?:node_modules|dist)$/.test(name);
  const paths = globSync(["*.md", "{bench,deploy,docs,examples,.github}/**/*.md"], { cwd: ROOT, exclude });
  return paths.toSorted().map(readPage);
}

/** One command of a shell script, with what is set for it and the comment behind it. */
export interface Command {
  readonly words: readonly string[];
  readonly assignments: readonly string[];
  readonly comment: string;
}

const ASSIGNMENT = /^[A-Za-z_][A-Za-z0-9_]*=/;
const REDIRECTION = /^(?:\d?>>?|<<<|<)$/;
const JOINTS = new Set(["&&", "||", "|", ";", "&"]);

/** Takes a script apart as a shell does: quotes, comments, lines that go on, pipes. No expansion, no control flow. */
export function commandsIn(script: string): Command[] {
  const lines = linesOf(script.replace(/\\\n\s*/g, " "));
  return lines.flatMap(({ words, comment }) => {
    const commands: Command[] = [];
    for (let rest = words; rest.length > 0;) {
      const joint = rest.findIndex((word) => JOINTS.has(word));
      const own = joint === -1 ? rest : rest.slice(0, joint);
      rest = joint === -1 ? [] : rest.slice(joint + 1);
      const plain = withoutRedirections(own);
      const first = plain.findIndex((word) => !ASSIGNMENT.test(word));
      const cut = first === -1 ? plain.length : first;
      if (plain.length > 0)
        commands.push({ assignments: plain.slice(0, cut), words: plain.slice(cut), comment });
    }
    return commands;
  });
}

function withoutRedirections(words: readonly string[]): string[] {
  return words.filter((word, index) => !REDIRECTION.test(word) && !REDIRECTION.test(words[index - 1] ?? ""));
}

/** A word: quoted pieces and plain ones without a blank between. */
const TOKEN = /[^\S\n]*(?:(\n)|(#[^\n]*)|((?:"(?:\\.|[^"\\])*"|'[^']*'|\$\([^)]*\)|\\.|[^\s"'\\])+))/gy;

function linesOf(script: string): { words: string[]; comment: string }[] {
  const lines = [{ words: [] as string[], comment: "" }];
  for (const [, end, comment, word] of script.matchAll(TOKEN)) {
    const line = lines.at(-1)!;
    if (end !== undefined) lines.push({ words: [], comment: "" });
    else if (comment !== undefined) line.comment = comment.slice(1).trim();
    else if (word !== undefined) line.words.push(unquoted(word));
  }
  return lines.filter(({ words }) => words.length > 0);
}

function unquoted(word: string): string {
  return word.replace(
    /"((?:\\.|[^"\\])*)"|'([^']*)'|\\(.)/g,
    (_, double?: string, single?: string, one?: string) =>
      double !== undefined ? double.replace(/\\(["\\$`])/g, "$1") : (single ?? one ?? ""),
  );
}
