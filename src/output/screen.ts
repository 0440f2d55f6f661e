/** A picture that takes the whole terminal. */
export interface Screen extends Disposable {
  draw(): void;
}

/** What is drawn now; the last line is always seen. */
export type Picture = () => { readonly text: string; readonly last: string };

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
    const { text, last } = picture();
    terminal.write(`${CLEAR}${fitted(text, terminal)}\n${last.slice(0, terminal.columns)}`);
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
 * As many lines as fit above the last one.
 *
 * @param size in columns and rows; a line that is too long takes several
 */
export function fitted(
  text: string,
  { columns, rows }: { readonly columns: number; readonly rows: number },
): string {
  const lines = text.split('\n');
  const heights = lines.map((line) => Math.max(1, Math.ceil(line.length / columns)));
  const height = (count: number): number => heights.slice(0, count).reduce((a, b) => a + b, 0);
  if (height(lines.length) <= rows - 1) return text;
  let count = lines.length;
  while (count > 0 && height(count) > rows - 2) count -= 1;
  return [...lines.slice(0, count), `… ${lines.length - count} more lines`].join('\n');
}
