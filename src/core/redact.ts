/** Takes secrets out of texts, whatever form they are written in. */
export interface Redactor {
  /** From now on `clean` hides this value. Short ones are ignored: they would hide plain words. */
  readonly add: (secret: string) => void;
  readonly clean: (text: string) => string;
}

const SHORTEST = 8;
const HIDDEN = '[hidden]';

/** Environment variables whose values are never printed. */
const SECRET_NAMES = /TOKEN|PASSW|SECRET|CREDENTIAL|PRIVATE|API_?KEY/i;

/** A redactor that hides the values of secret-looking variables from the start. */
export function createRedactor(env: Readonly<Record<string, string | undefined>> = {}): Redactor {
  const forms = new Set<string>();
  const add = (secret: string): void => {
    if (secret.length < SHORTEST) return;
    for (const part of [secret, ...linesOf(secret)]) {
      for (const form of formsOf(part)) forms.add(form);
    }
  };
  for (const [name, value] of Object.entries(env)) {
    if (SECRET_NAMES.test(name) && value !== undefined) add(value);
  }
  // Longest first: a form may lie inside another one.
  const clean = (text: string): string =>
    [...forms]
      .toSorted((a, b) => b.length - a.length)
      .reduce((cleaned, form) => cleaned.replaceAll(form, HIDDEN), text);
  return { add, clean };
}

/** The lines of a key or token file: what prints line by line never shows it in one piece. */
function linesOf(secret: string): readonly string[] {
  const lines = secret.split(/\r?\n/).filter((line) => !line.startsWith('-----'));
  return lines.length === 1 ? [] : lines.filter((line) => line.length >= SHORTEST);
}

/** A value as it is, and as JSON, URL, hex and base64 write it. */
function formsOf(secret: string): readonly string[] {
  const bytes = Buffer.from(secret);
  const hex = bytes.toString('hex');
  const plain = [
    secret,
    secret.trim(),
    JSON.stringify(secret).slice(1, -1),
    encodeURIComponent(secret),
    hex,
    hex.toUpperCase(),
  ];
  return [...new Set([...plain, ...base64Forms(bytes)])].filter((form) => form.length >= SHORTEST);
}

/** In base64 a value looks different at each of three offsets; its ends depend on what is around. */
function base64Forms(bytes: Buffer): readonly string[] {
  return [0, 1, 2].flatMap((offset) => {
    const text = Buffer.concat([Buffer.alloc(offset), bytes])
      .toString('base64')
      .replace(/=+$/, '');
    const start = offset === 0 ? 0 : offset + 1;
    const whole = Math.floor(((offset + bytes.length) * 8) / 6);
    const core = text.slice(start, whole);
    return [core, core.replaceAll('+', '-').replaceAll('/', '_')];
  });
}
