/**
 * One thread of a team: the same kernels on the same memory, with a stack and thread-local storage of its own.
 *
 * The message to it: { module, memory, storage, stack }, the last two as addresses; a stack grows down. It answers once,
 * when it begins to help, and hears nothing after that.
 */

self.onmessage = async ({ data: { module, memory, storage, stack } }) => {
  const { exports } = await WebAssembly.instantiate(module, { env: { memory } });
  exports.__stack_pointer.value = stack;
  exports.__wasm_init_tls(storage);
  self.postMessage("ready");
  try {
    exports.onlybn_help();
  } catch (error) {
    exports.onlybn_fail();
    throw error;
  }
};
