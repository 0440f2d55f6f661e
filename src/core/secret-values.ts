import { isTree } from './fields.ts';
import { namesSecret, scrub } from './scrub.ts';

type Tree = Readonly<Record<string, unknown>>;

/** Names that say no word of it in a text, but do as keys of a tree: `tls.key`, `sslKeyData`, Docker's `auth`. */
const SECRET_KEY = /^auth$|private|key$|key[-_]?data$/i;
/** They end like keys and are open to everybody. */
const OPEN_KEY = /^(topology|public)[-_]?key$/i;
/** An option of a command whose value follows it. */
const OPTION = /^--?[\w-]+$/;
/** What says nothing secret stays, because it helps whoever reads. */
const SAYS_NOTHING = /^(true|false|null|undefined|none|)$/i;
const HIDDEN = '[hidden]';

/** Texts below a value that are secret, by their own name or by one above them. */
export function secretsBelow(value: unknown, named = false): readonly string[] {
  if (typeof value === 'string') return named ? [value] : [];
  return partsOf(value).flatMap(([, item, secret]) => secretsBelow(item, named || secret));
}

/**
 * The same value with `[hidden]` in place of whatever is secret: by its own name or one above it, or
 * because it has the form of a secret. Maps and lists keep their form.
 *
 * @param named whether a name above says that everything here is secret
 */
export function hideSecrets(value: unknown, named = false): unknown {
  if (typeof value === 'string' && !named) return scrub(value);
  const hidden = partsOf(value).map(
    ([key, item, secret]) => [key, hideSecrets(item, named || secret)] as const,
  );
  if (Array.isArray(value)) return hidden.map(([, item]) => item);
  if (isTree(value)) return Object.fromEntries(hidden);
  return named && !SAYS_NOTHING.test(String(value)) ? HIDDEN : value;
}

/** Whether a name on the way to a place says that what stands there is secret. */
export function isSecretAt(value: unknown, path: readonly (string | number)[]): boolean {
  const [step, ...rest] = path;
  if (step === undefined) return false;
  const part = partsOf(value).find(([key]) => key === String(step));
  // What is not there any more has its name all the same.
  if (part === undefined) return path.some((key) => isSecretName(String(key)));
  return part[2] || isSecretAt(part[1], rest);
}

/** What a map or list holds: under which key, and whether that, or what is beside it, names a secret. */
function partsOf(
  value: unknown,
): readonly (readonly [key: string, item: unknown, secret: boolean])[] {
  if (Array.isArray(value)) {
    return value.map((item: unknown, at) => [String(at), item, isAsked(value[at - 1])] as const);
  }
  if (!isTree(value)) return [];
  return Object.entries(value).map(([key, item]) => [key, item, isSecretIn(value, key)] as const);
}

/** `--password` in front of a value. */
function isAsked(before: unknown): boolean {
  return typeof before === 'string' && OPTION.test(before) && isSecretName(before);
}

function isSecretIn(tree: Tree, key: string): boolean {
  const { name } = tree;
  // `- name: DB_PASSWORD` has the secret beside it, under `value`.
  if (key === 'value' && typeof name === 'string') return isSecretName(name);
  // Tolerations and selectors call a label so.
  if (key === 'key' && ('operator' in tree || 'effect' in tree)) return false;
  return isSecretName(key);
}

function isSecretName(name: string): boolean {
  return namesSecret(name) || (SECRET_KEY.test(name) && !OPEN_KEY.test(name));
}
