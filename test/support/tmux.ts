import { join } from 'node:path';
import { execa } from 'execa';
import { onTestFinished } from 'vitest';
import { testFolder } from './folder.ts';

/** A real terminal that can be looked at and resized. */
export interface Terminal {
  /** What stands on it, and what has scrolled off. */
  text(): Promise<string>;
  resize(columns: number, rows: number): Promise<void>;
  /** Presses a key in the words of tmux: `C-c`. */
  press(key: string): Promise<void>;
  /** Types a line and ends it. */
  answer(line: string): Promise<void>;
  /** As somebody who closes its window. */
  close(): Promise<void>;
}

/** Throws when there is no tmux. */
export async function requireTmux(): Promise<void> {
  await execa('tmux', ['-V']);
}

/**
 * Runs a line of sh in a terminal of its own, which closes when the test ends.
 *
 * @param env added to that of the line
 */
export async function openTerminal(
  line: string,
  columns: number,
  env: NodeJS.ProcessEnv,
): Promise<Terminal> {
  const server = ['-S', join(testFolder(), 'tmux'), '-f', '/dev/null', '-u'];
  const tmux = (...words: readonly string[]) => execa('tmux', [...server, ...words], { env });
  const size = ['-x', String(columns), '-y', '12'];
  await tmux('new-session', '-d', ...size, line, ';', 'set', '-g', 'remain-on-exit', 'on');
  const close = async (): Promise<void> => {
    await tmux('kill-server').catch(() => undefined);
  };
  onTestFinished(close);
  return {
    text: async () => (await tmux('capture-pane', '-p', '-S', '-')).stdout,
    resize: async (x, y) => void (await tmux('resize-window', '-x', `${x}`, '-y', `${y}`)),
    answer: async (typed) => void (await tmux('send-keys', '-l', `${typed}\r`)),
    press: async (key) => void (await tmux('send-keys', key)),
    close,
  };
}
