/**
 * Trainings that this browser keeps (IndexedDB): { id, spec, state, events, result, capsule, at }.
 */

const DATABASE = "onlybn-tab";
const STORE = "trainings";

function opened() {
  return new Promise((done, failed) => {
    const request = indexedDB.open(DATABASE, 1);
    request.onupgradeneeded = () => request.result.createObjectStore(STORE, { keyPath: "id" });
    request.onsuccess = () => done(request.result);
    request.onerror = () => failed(request.error);
  });
}

async function within(mode, act) {
  const database = await opened();
  try {
    return await new Promise((done, failed) => {
      const transaction = database.transaction(STORE, mode);
      const request = act(transaction.objectStore(STORE));
      transaction.oncomplete = () => done(request.result);
      transaction.onerror = transaction.onabort = () => failed(transaction.error);
    });
  } finally {
    database.close();
  }
}

export const keptTraining = (id) => within("readonly", (store) => store.get(id));
export const keepTraining = (training) => within("readwrite", (store) => store.put(training));
export const forgetTraining = (id) => within("readwrite", (store) => store.delete(id));
export const keptTrainings = () => within("readonly", (store) => store.getAll());
