import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { TREE } from '../../lab/files.ts';

const BANNER = join(TREE, 'pkg/version/banner.go');

/** Changes the one line of the sample's agent that a user would: what it says about itself. */
export function changeBanner(text: string): void {
  const source = readFileSync(BANNER, 'utf8');
  writeFileSync(BANNER, source.replace(/const Banner = ".*"/, `const Banner = "${text}"`));
}

/** Makes the agent, and nothing else, end as soon as it starts, saying why. */
export function breakAgent(why: string): void {
  appendFileSync(join(TREE, 'daemon/main.go'), `\nfunc init() { panic("${why}") }\n`);
}

/** Takes every change back. */
export async function resetTree(): Promise<void> {
  await execa('git', ['-C', TREE, 'checkout', '--quiet', '--', '.']);
}
