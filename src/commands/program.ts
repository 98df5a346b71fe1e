import { readFileSync } from "node:fs";
import { Command } from "commander";
import { EXIT_CODES } from "./cli/failure.ts";
import { withExamples } from "./cli/help.ts";
import { reportError } from "./cli/report.ts";

interface Entry {
  readonly name: string;
  readonly summary: string;
  /** Only the asked command's modules are loaded. */
  load(): Promise<{ define(command: Command): void }>;
}

const COMMANDS: readonly Entry[] = [
  {
    name: "serve",
    summary: "run the gateway; with --dev everything to try it, on this machine alone",
    load: () => import("./serve.ts"),
  },
  {
    name: "backup",
    summary: "copy a SQLite database into a file, while the gateway runs",
    load: () => import("./backup.ts"),
  },
  {
    name: "bulk",
    summary: "follow what is done to many orders at once",
    load: () => import("./bulk.ts"),
  },
  {
    name: "demo",
    summary: "watch orders go their way, live, with a sandbox ticketing system and partner",
    load: () => import("./demo.ts"),
  },
  {
    name: "attempt",
    summary: "look through attempts across orders",
    load: () => import("./attempt.ts"),
  },
  {
    name: "doctor",
    summary: "show the effective configuration and check what it names",
    load: () => import("./doctor.ts"),
  },
  {
    name: "errors",
    summary: "show what fails, in groups of one cause",
    load: () => import("./errors.ts"),
  },
  {
    name: "hold",
    summary: "keep all gateways from working: in an emergency, or after a restore",
    load: () => import("./hold.ts"),
  },
  {
    name: "mapping",
    summary: "try the module that maps orders for the ticketing system",
    load: () => import("./mapping.ts"),
  },
  {
    name: "migrate",
    summary: "bring the database's schema to this release",
    load: () => import("./migrate.ts"),
  },
  {
    name: "operator",
    summary: "add operators, rotate their tokens, disable them",
    load: () => import("./operator.ts"),
  },
  {
    name: "order",
    summary: "find an order, read its story, retry or cancel it",
    load: () => import("./order.ts"),
  },
  {
    name: "overview",
    summary: "show how the gateway fares, hour by hour",
    load: () => import("./overview.ts"),
  },
  {
    name: "partner",
    summary: "add partners, rotate their tokens and signing secrets, disable them",
    load: () => import("./partner.ts"),
  },
  {
    name: "purge",
    summary: "take old buyers' data or old orders out of the database",
    load: () => import("./purge.ts"),
  },
  {
    name: "reconcile",
    summary: "compare a daily file of the partner or of ticketing with our orders",
    load: () => import("./reconcile.ts"),
  },
  {
    name: "rejection",
    summary: "look through orders that were refused",
    load: () => import("./rejection.ts"),
  },
  {
    name: "release",
    summary: "let gateways work that are held",
    load: () => import("./release.ts"),
  },
  {
    name: "tail",
    summary: "follow orders live",
    load: () => import("./tail.ts"),
  },
  {
    name: "ticketing",
    summary: "try whether the ticketing system honours the Idempotency-Key",
    load: () => import("./ticketing.ts"),
  },
];

/** Runs a command line and sets the process's exit code. Never rejects. */
export async function main(argv: readonly string[]): Promise<void> {
  // A reader that has seen enough (`| head`) is no failure.
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") process.exit(process.exitCode ?? EXIT_CODES.ok);
  });
  const program = createProgram();
  program.hook("preSubcommand", async (_, command) => {
    const entry = COMMANDS.find(({ name }) => name === command.name());
    (await entry?.load())?.define(command);
  });
  try {
    await program.parseAsync(helpLast(argv), { from: "user" });
  } catch (error) {
    const options = { json: argv.includes("--json"), command: namesIn(program, argv) };
    process.exitCode = reportError(error, options);
  }
}

/** The names of the command that a command line asks for: `order show`. */
function namesIn(program: Command, argv: readonly string[]): string {
  const names: string[] = [];
  let command: Command | undefined = program;
  for (const arg of argv) {
    command = command.commands.find((each) => each.name() === arg);
    if (!command) break;
    names.push(arg);
  }
  return names.join(" ");
}

function createProgram(): Command {
  const program = new Command("wavegate")
    .description("The order gateway between OTA partners and a ticketing system.")
    .version(packageVersion(), "-V, --version", "show the version")
    .helpOption("-h, --help", "show help")
    .exitOverride()
    // Errors are told by `main`, all in one form.
    .configureOutput({ outputError: () => {} });
  withExamples(
    program,
    [
      ["demo", "See it work"],
      ["serve --dev", "Try it with your own requests"],
      ["doctor", "Check a deployment before it starts"],
      ["order show EXT-42", "Read an order's story"],
    ],
    "The configuration comes from environment variables and .env in the current directory:\n`serve --help` lists them.",
  );
  for (const { name, summary } of COMMANDS) program.command(name).summary(summary).description(summary);
  return program;
}

/** The command line with all commands in it, for whoever looks at it without running it. */
export async function loadProgram(): Promise<Command> {
  const program = createProgram();
  for (const { name, load } of COMMANDS) {
    (await load()).define(program.commands.find((command) => command.name() === name)!);
  }
  return program;
}

/** `help x` as `x --help`, as only a command that runs is loaded. */
function helpLast(argv: readonly string[]): string[] {
  return argv[0] === "help" ? [...argv.slice(1), "--help"] : [...argv];
}

function packageVersion(): string {
  const text = readFileSync(new URL("../../package.json", import.meta.url), "utf8");
  return (JSON.parse(text) as { version: string }).version;
}
