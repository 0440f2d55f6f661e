/**
 * What has to be undone at the end of a run, the newest first. The language has Cleanup
 * for this, which Node 22 lacks.
 */
export class Cleanup implements AsyncDisposable {
  #entries: (() => unknown)[] = [];

  /** Disposes of `resource` at the end. */
  use<T extends AsyncDisposable>(resource: T): T {
    this.#entries.push(() => resource[Symbol.asyncDispose]());
    return resource;
  }

  /** The same for what needs no waiting. */
  hold<T extends Disposable>(resource: T): T {
    this.#entries.push(() => resource[Symbol.dispose]());
    return resource;
  }

  /** Calls `undo` at the end. */
  defer(undo: () => unknown): void {
    this.#entries.push(undo);
  }

  /** Hands everything over to a new one; nothing is left to do here. */
  move(): Cleanup {
    const moved = new Cleanup();
    moved.#entries = this.#entries;
    this.#entries = [];
    return moved;
  }

  /** Undoes all of it, whatever fails. Throws the first failure. */
  async [Symbol.asyncDispose](): Promise<void> {
    const failures: unknown[] = [];
    for (const undo of this.#entries.splice(0).toReversed()) {
      try {
        await undo();
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0) throw failures[0];
  }
}
