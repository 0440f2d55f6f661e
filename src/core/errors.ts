/**
 * What went wrong, as one of the classes that scripts can act on. The class decides the exit code;
 * the text is for people.
 */
export type ErrorKind =
  | 'bug'
  | 'usage'
  | 'config'
  | 'drift'
  | 'build'
  | 'network'
  | 'identity'
  | 'integrity'
  | 'storage'
  | 'rolled-back'
  | 'deploy'
  | 'locked'
  | 'interrupted'
  | 'terminated';

const EXIT_CODES: Readonly<Record<ErrorKind, number>> = {
  bug: 1,
  usage: 2,
  config: 2,
  drift: 3,
  build: 4,
  network: 5,
  identity: 6,
  integrity: 7,
  storage: 8,
  'rolled-back': 9,
  deploy: 10,
  locked: 11,
  interrupted: 130,
  terminated: 143,
};

export interface ShipErrorDetails {
  /** What to do next; ends with the command to type where there is one. */
  readonly hint?: string;
  /** True when running the same thing again may succeed and cannot harm. */
  readonly retryable?: boolean;
  readonly cause?: unknown;
  /** One entry for each node or step that failed, when several did. */
  readonly failures?: ReadonlyMap<string, ShipError>;
  /** Evidence worth printing below the message, such as the last lines of a build step. */
  readonly details?: readonly string[];
}

/** The only error that ciliumship throws on purpose; anything else that escapes is a bug. */
export class ShipError extends Error {
  readonly kind: ErrorKind;
  readonly hint: string | undefined;
  readonly retryable: boolean;
  readonly failures: ReadonlyMap<string, ShipError>;
  readonly details: readonly string[];

  /**
   * @param kind class of the failure
   * @param message lowercase, node first, names the wrong value, no full stop
   */
  constructor(kind: ErrorKind, message: string, more: ShipErrorDetails = {}) {
    super(message, more.cause === undefined ? undefined : { cause: more.cause });
    this.name = 'ShipError';
    this.kind = kind;
    this.hint = more.hint;
    this.retryable = more.retryable ?? false;
    this.failures = more.failures ?? new Map();
    this.details = more.details ?? [];
  }
}

/** The process exit code of an error class (0 is success, see docs/exit-codes.md). */
export function exitCode(kind: ErrorKind): number {
  return EXIT_CODES[kind];
}

/**
 * Returns `error` itself when it is a ShipError, and otherwise a `bug` that keeps it as its cause:
 * what no adapter translated was not foreseen.
 */
export function toShipError(error: unknown): ShipError {
  if (error instanceof ShipError) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new ShipError('bug', message, { cause: error });
}

/**
 * Folds the failures of several nodes or steps into one error of the highest class.
 *
 * @param what what was being done, for the message ("transfer")
 * @param failures id of node or step → its error; must not be empty
 */
export function combineFailures(what: string, failures: ReadonlyMap<string, ShipError>): ShipError {
  const [first, ...others] = [...failures.values()];
  if (first === undefined) throw new Error(`no failure of ${what} to combine`);
  if (others.length === 0) return first;
  const worst = others.reduce((a, b) => (exitCode(b.kind) > exitCode(a.kind) ? b : a), first);
  return new ShipError(worst.kind, `${what} failed on ${[...failures.keys()].join(', ')}`, {
    failures,
    retryable: [...failures.values()].every((error) => error.retryable),
    ...(worst.hint === undefined ? {} : { hint: worst.hint }),
  });
}

/** For `catch`: what one has no right to read is not there; anything else is thrown again. */
export function unlessForbidden(error: unknown): undefined {
  if (error instanceof ShipError && error.kind === 'identity') return undefined;
  throw error;
}
