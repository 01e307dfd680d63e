/**
 * The threads that help with the kernels: Web Workers that share their memory (core/kernels/browser/threads.c).
 */

const FIRST_PAGES = 512; // the stack of the first thread takes half of it
const MOST_PAGES = [65_535, 16_384]; // what 32 bits address, and for devices that grant less
const MOST_THREADS = 8;
const STACK_BYTES = 256 * 1024;

/** How many threads this page may use. Only a page that no other site can look into may share memory. */
export function threadsHere() {
  return globalThis.crossOriginIsolated ? Math.min(navigator.hardwareConcurrency || 1, MOST_THREADS) : 1;
}

/** Memory that threads share; null where there is none. */
export function sharedMemory() {
  if (!globalThis.crossOriginIsolated) return null;
  for (const maximum of MOST_PAGES) {
    try {
      return new WebAssembly.Memory({ initial: FIRST_PAGES, maximum, shared: true });
    } catch {
      // this device has no address space for so much
    }
  }
  return null;
}

export class Team {
  /** `ready` becomes true when all threads wait for work, and false if a browser starts none. */
  constructor(kernels, module, memory, threads) {
    this.threads = threads;
    const { exports } = kernels;
    this.workers = Array.from({ length: threads - 1 }, () => new Worker(new URL("./thread.js", import.meta.url), { type: "module" }));
    const begun = this.workers.map((worker) => {
      const [storage, stack] = [exports.__tls_size.value, STACK_BYTES].map((bytes) => kernels.take(bytes));
      worker.postMessage({ module, memory, storage, stack: stack + STACK_BYTES });
      return new Promise((done) => {
        worker.onmessage = () => done(true);
        worker.onerror = () => done(false);
      });
    });
    this.ready = Promise.all(begun).then((all) => {
      if (!all.every(Boolean)) this.close();
      else exports.onlybn_threads(threads);
      return all.every(Boolean);
    });
  }

  close() {
    for (const worker of this.workers) worker.terminate();
  }
}
