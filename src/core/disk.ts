import { ShipError } from './errors.ts';

/** What the system calls a disk that takes no more, or not from us. */
const CODES = new Set(['ENOSPC', 'EDQUOT', 'EACCES', 'EPERM', 'EROFS']);

const OTHER_CACHE = 'make room there, or set XDG_CACHE_HOME to a folder on another disk';

/** True for what `diskError` made of a disk without room for more. */
export function isFull(error: unknown): boolean {
  if (!(error instanceof ShipError)) return false;
  return ['ENOSPC', 'EDQUOT'].includes(
    (error.cause as NodeJS.ErrnoException | undefined)?.code ?? '',
  );
}

/**
 * The error to throw for a failure to write below `folder`, by its code; anything else is returned
 * as it is.
 */
export function diskError(folder: string, error: unknown, hint = OTHER_CACHE): unknown {
  const code = (error as NodeJS.ErrnoException | undefined)?.code ?? '';
  if (!CODES.has(code)) return error;
  return new ShipError('build', `cannot write to ${folder}: ${code}`, {
    cause: error,
    hint,
    retryable: true,
  });
}
