import { closeSync, existsSync, openSync, renameSync, rmSync } from "node:fs";
import { backup, DatabaseSync } from "node:sqlite";
import type { Backup } from "../database.ts";

/** Pages of one step: 4 MiB. */
const PAGES = 1024;

/**
 * A copy of the file as it is at this moment, checked. One read transaction around all of it: without, each write of another
 * process would make SQLite begin the copy anew. Meanwhile the log (`-wal`) grows by what is written.
 * https://www.sqlite.org/backup.html
 */
export async function backupTo(
  source: string,
  path: string,
  onProgress: Parameters<Backup>[1],
): Promise<void> {
  const partial = `${path}.partial`;
  if (existsSync(path)) throw new Error(`${path} exists, and is not overwritten`);
  // Buyers' data is its owner's alone.
  closeSync(openSync(partial, "wx", 0o600));
  try {
    await copy(source, partial, onProgress);
    check(partial);
    renameSync(partial, path);
  } finally {
    rmSync(partial, { force: true });
  }
}

async function copy(source: string, path: string, onProgress: Parameters<Backup>[1]): Promise<void> {
  const connection = new DatabaseSync(source, { readOnly: true, timeout: 2000 });
  try {
    connection.exec("begin");
    connection.prepare("select count(*) from sqlite_schema").get();
    const progress = ({ totalPages, remainingPages }: { totalPages: number; remainingPages: number }) =>
      onProgress(totalPages - remainingPages, totalPages);
    await backup(connection, path, { rate: PAGES, progress });
  } finally {
    connection.close();
  }
}

function check(path: string): void {
  const connection = new DatabaseSync(path);
  try {
    // Not a log beside the file: one file is the backup.
    connection.exec("pragma journal_mode = delete");
    const [found] = Object.values(connection.prepare("pragma integrity_check(1)").get() ?? {});
    if (found !== "ok") throw new Error(`the copy is not whole: ${String(found)}`);
  } finally {
    connection.close();
  }
}
