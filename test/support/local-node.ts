import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Argv, Finished } from '../../src/core/remote.ts';
import { CONTENT, INBOX, LAYOUT, NODE_FOLDER } from '../../src/facts/node-paths.ts';
import { testFolder } from './folder.ts';

/** A folder that stands for a node: commands of the program really run in it, by /bin/sh. */
export interface LocalNode {
  /** Where `path` of a node lies here. */
  at(path: string): string;
  /** Puts a program on the PATH of the commands. */
  program(name: string, script: string): void;
  run(argv: Argv): Finished;
  /** The same, and waits for nothing. */
  start(argv: Argv): ChildProcess;
}

export function localNode(): LocalNode {
  const folder = testFolder();
  const at = (path: string): string =>
    path.replace(NODE_FOLDER, folder).replace(CONTENT, join(folder, 'content'));
  const programs = join(folder, 'bin');
  const env = { ...process.env, PATH: `${programs}:${process.env['PATH']}`, NODE: folder };
  for (const path of [programs, at(INBOX), at(LAYOUT), at(CONTENT)]) mkdirSync(path);
  return {
    at,
    program: (name, script) => {
      writeFileSync(join(programs, name), `#!/bin/sh\n${script}\n`);
      chmodSync(join(programs, name), 0o755);
    },
    start: ([file, ...args]) => spawn(file, args.map(at), { env, stdio: 'ignore' }),
    run: ([file, ...args]) => {
      const { status, stdout, stderr } = spawnSync(file, args.map(at), { env, encoding: 'utf8' });
      return { code: status ?? -1, stdout, stderr };
    },
  };
}
