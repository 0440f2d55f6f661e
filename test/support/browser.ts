import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from './parts.ts';

/** A page to look at on a screen of some width, in CSS pixels. */
export interface Shown {
  readonly name: string;
  readonly width: number;
  readonly html: string;
}

/** What a browser says about the layout of a page; `width` and `dark` as it really was shown. */
export interface Measured {
  readonly name: string;
  readonly width: number;
  readonly dark: boolean;
  readonly faults: readonly string[];
}

const SCRIPT = join(import.meta.dirname, 'measure-pages.js');

/** Throws when there is no Chromium. */
export async function requireBrowser(): Promise<void> {
  await run(['chromium', '--version']);
}

/** Shows pages in a real browser without a window and measures every text and bar. */
export async function measurePages(
  pages: readonly Shown[],
  scheme: 'light' | 'dark',
): Promise<readonly Measured[]> {
  const folder = mkdtempSync(join(tmpdir(), 'ciliumship-browser-'));
  try {
    const file = join(folder, 'all.html');
    writeFileSync(file, measuring(pages));
    const dom = await run(['chromium', ...flags(folder, scheme), '--dump-dom', `file://${file}`]);
    const found = /<body>(\[.*\])<\/body>/s.exec(dom)?.[1];
    if (found === undefined) throw new Error(`nothing was measured:\n${dom.slice(0, 2000)}`);
    return JSON.parse(unescape(found)) as readonly Measured[];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function measuring(pages: readonly Shown[]): string {
  const data = JSON.stringify(pages).replaceAll('<', String.raw`\u003c`);
  const script = readFileSync(SCRIPT, 'utf8');
  return `<!doctype html><meta charset="utf-8"><body><script>const PAGES = ${data};\n${script}</script></body>`;
}

function flags(folder: string, scheme: 'light' | 'dark'): readonly string[] {
  return [
    '--headless',
    '--disable-gpu',
    '--hide-scrollbars',
    '--no-first-run',
    `--user-data-dir=${join(folder, 'profile')}`,
    `--blink-settings=preferredColorScheme=${scheme === 'dark' ? 0 : 1}`,
    // Root and many containers have no sandbox for it, or little shared memory; the pages are ours.
    '--no-sandbox',
    '--disable-dev-shm-usage',
  ];
}

/** The text of a serialized DOM. */
function unescape(markup: string): string {
  return markup.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&');
}
