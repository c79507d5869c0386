// What a phone keeps of its own pass, so that the page can be opened again without a network: a key that makes codes but
// cannot be read out, the opaque id, how long it lives, a hash of the link, the words of the page. No name, no address, no answer of the
// server. It belongs to one visitor session, whose public mark is in a cookie: another visitor's pass in the same browser
// has another mark and sees nothing of it. All of it goes with the visit.
import { sealedKey } from "./pass_token.js";

const DATABASE = "gatehouse-pass";
const TABLE = "pass";
const OWN = "own";
const CACHES = "gatehouse-pass-";
const WORKER = "/pass_worker.js";
const SCOPES = ["/pass", "/v/"]; // the page, and the link that leads to it
const CLOCK_SLACK_MS = 60000;
const READY_MS = 20000;
const HOLDER = "gatehouse_pass";
const CLOSED = "closed";

/** Whether this browser can open the page without a network; not on plain HTTP, where it has no service workers. */
export function canKeep() {
  return window.isSecureContext && "serviceWorker" in navigator && "indexedDB" in window && Boolean(crypto.subtle);
}

/** The public mark of the visitor session in this browser, empty for none. */
export function holder() {
  const found = new RegExp(`(?:^|;\\s*)${HOLDER}=([\\w-]+)`).exec(document.cookie)?.[1] ?? "";
  return found === CLOSED ? "" : found;
}

/** Whether this phone was told to forget while it had no network, so that the server has still to be told. */
export function closingIsDue() {
  return new RegExp(`(?:^|;\\s*)${HOLDER}=${CLOSED}(?:;|$)`).test(document.cookie);
}

/** Note that the server has still to be told to forget. */
export function closeLater() {
  document.cookie = `${HOLDER}=${CLOSED};path=/;max-age=2592000;samesite=strict`;
}

function done(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

function committed(transaction) {
  return new Promise((resolve, reject) => {
    transaction.oncomplete = resolve;
    transaction.onabort = () => reject(transaction.error);
  });
}

async function withTable(mode, work) {
  const opening = indexedDB.open(DATABASE, 1);
  opening.onupgradeneeded = () => opening.result.createObjectStore(TABLE);
  const database = await done(opening);
  // Forgetting, here or in another tab, must not wait for us.
  database.onversionchange = () => database.close();
  try {
    // What is written counts once it is on the disk: a page that is closed before takes it along.
    const transaction = database.transaction(TABLE, mode, { durability: "strict" });
    const end = committed(transaction);
    const [result] = await Promise.all([done(work(transaction.objectStore(TABLE))), end]);
    return result;
  } finally {
    database.close();
  }
}

/** Keep a pass as the server just confirmed it; true once the page can be opened again without a network. */
export async function keep(body, secretBytes, labels) {
  if (!canKeep() || !body.holder || body.holder !== holder()) return false;
  const entry = {
    holder: body.holder,
    link: body.link,
    code_id: body.code_id,
    kid: body.kid,
    key: await sealedKey(secretBytes),
    not_after: body.not_after,
    confirmed: body.server_time,
    ahead: body.server_time - Date.now(), // how far the server's clock is ahead of this phone's
    labels,
  };
  await withTable("readwrite", (table) => table.put(entry, OWN));
  return workerReady();
}

/** The pass kept for the present visitor session, null for none; one that has run out is removed. */
export async function recall() {
  if (!canKeep()) return null;
  const known = await indexedDB.databases?.();
  if (known && !known.some((database) => database.name === DATABASE)) return null;
  const entry = await withTable("readonly", (table) => table.get(OWN));
  if (!entry) return null;
  const now = Date.now() + entry.ahead;
  if (now / 1000 >= entry.not_after) {
    await wipe();
    return null;
  }
  // A clock set back makes codes of the past, which no gate takes.
  return entry.holder === holder() && now >= entry.confirmed - CLOCK_SLACK_MS ? entry : null;
}

/** Whether a link is the one that the kept pass was opened with; the link itself is not kept. */
export async function isOwnLink(entry, link) {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(link)));
  const hex = [...digest.subarray(0, 8)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex === entry.link;
}

/** Leave nothing: the key, the cached files, the worker. */
export async function wipe() {
  if (!canKeep()) return;
  const names = (await caches.keys()).filter((name) => name.startsWith(CACHES));
  const workers = (await navigator.serviceWorker.getRegistrations()).filter((one) => SCOPES.includes(new URL(one.scope).pathname));
  await Promise.all([
    done(indexedDB.deleteDatabase(DATABASE)),
    ...names.map((name) => caches.delete(name)),
    ...workers.map((worker) => worker.unregister()),
  ]);
}

// Registers the worker and waits until it has all files that the page needs.
async function workerReady() {
  const [registered] = await Promise.all(SCOPES.map((scope) => navigator.serviceWorker.register(WORKER, { scope })));
  const worker = registered.active ?? registered.waiting ?? registered.installing;
  if (!worker) return false;
  return new Promise((resolve) => {
    const channel = new MessageChannel();
    const timer = setTimeout(() => resolve(false), READY_MS);
    channel.port1.onmessage = (event) => {
      clearTimeout(timer);
      resolve(event.data === true);
    };
    worker.postMessage("fill", [channel.port2]);
  });
}
