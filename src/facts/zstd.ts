/** The first release whose program makes and applies patches between any two files. */
const PATCHES_SINCE = [1, 4, 5] as const;

/** True when the zstd that printed `zstd --version` knows `--patch-from`. */
export function canPatch(text: string): boolean {
  const found = /v(\d+)\.(\d+)\.(\d+)/.exec(text)?.slice(1).map(Number);
  if (found === undefined) return false;
  const at = PATCHES_SINCE.findIndex((part, index) => part !== found[index]);
  return at === -1 || (found[at] ?? 0) > (PATCHES_SINCE[at] ?? 0);
}
