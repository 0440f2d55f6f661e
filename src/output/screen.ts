/** A picture that takes the whole terminal. */
export interface Screen extends Disposable {
  draw(): void;
}

/** What is drawn now; what it comes to and the last line are seen however small the terminal is. */
export type Picture = () => {
  readonly text: string;
  /** A paragraph of the text. */
  readonly summary: string;
  readonly last: string;
};

interface Size {
  readonly columns: number;
  readonly rows: number;
}

const CLEAR = '\u001b[H\u001b[2J';
/** The other screen, where nothing scrolls away, without a cursor. */
const ENTER = '\u001b[?1049h\u001b[?25l';
const LEAVE = '\u001b[?25h\u001b[?1049l';

/**
 * Takes the screen of a terminal until it is disposed, or the process exits; what stood there before
 * comes back then. A terminal of another size is drawn anew.
 */
export function openScreen(terminal: NodeJS.WriteStream, picture: Picture): Screen {
  const draw = (): void => {
    const { text, summary, last } = picture();
    const above = fitted(text, summary, terminal);
    terminal.write(`${CLEAR}${above}\n${last.slice(0, terminal.columns)}`);
  };
  const leave = (): void => {
    process.off('exit', leave);
    terminal.off('resize', draw);
    terminal.write(LEAVE);
  };
  process.once('exit', leave);
  terminal.on('resize', draw);
  terminal.write(ENTER);
  draw();
  return { draw, [Symbol.dispose]: leave };
}

/**
 * As many lines as fit above the last one. Of a text that is too long the first lines are shown, how
 * many are left out, and its summary.
 *
 * @param size in columns and rows; a line that is too long takes several
 */
export function fitted(text: string, summary: string, { columns, rows }: Size): string {
  const height = (lines: readonly string[]): number => folded(lines, columns).length;
  if (height(text.split('\n')) < rows) return text;
  const lines = text.replace(`\n\n${summary}`, '').split('\n');
  const cut = (count: number): readonly string[] => [
    ...lines.slice(0, count),
    moreLines(lines.length - count),
    summary,
  ];
  let count = lines.length;
  while (count > 0 && height(cut(count)) >= rows) count -= 1;
  return folded(cut(count), columns)
    .slice(1 - rows)
    .join('\n');
}

/** Lines as a terminal shows them, each as long as it is wide at most. */
function folded(lines: readonly string[], columns: number): readonly string[] {
  return lines.flatMap((line) =>
    Array.from({ length: Math.max(1, Math.ceil(line.length / columns)) }, (_, at) =>
      line.slice(at * columns, (at + 1) * columns),
    ),
  );
}

function moreLines(count: number): string {
  return `… ${count} more ${count === 1 ? 'line' : 'lines'}`;
}
