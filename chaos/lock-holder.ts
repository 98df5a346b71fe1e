import { DatabaseSync } from "node:sqlite";

// A second process that holds an SQLite file's write lock for a while: `lock-holder.ts <path> <milliseconds>`.

const [path = "", forMs = "0"] = process.argv.slice(2);
const database = new DatabaseSync(path, { timeout: 5_000 });
database.exec("begin immediate");
process.stdout.write(`held ${Date.now()}\n`);
setTimeout(() => {
  database.exec("rollback");
  database.close();
}, Number(forMs));
