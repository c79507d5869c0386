// Lets the visitor's page open without a network. It keeps the page's empty shell and the files that the shell names, of
// one build, and nothing else: no answer of the server, nobody's data. It answers for /pass, and for the link in the
// invitation when that cannot be followed, and for no other page.
// The two constants are filled in when the pages are built (app/commands/offline_pass.py).
const VERSION = "";
const FILES = [];

const PREFIX = "gatehouse-pass-";
const CACHE = PREFIX + VERSION;
const SHELL = "/pass/";
const PAGES = new Set(["/pass", SHELL]);
const KEPT = new Set(FILES);
const LINK = /^\/v\/([\w-]{24})$/;
const PATIENCE_MS = 4000;

async function fill() {
  if (!VERSION) return false;
  const cache = await caches.open(CACHE);
  const have = new Set((await cache.keys()).map((request) => new URL(request.url).pathname));
  const wanted = [SHELL, ...FILES].filter((path) => !have.has(path));
  // Without cookies: the shell is the same for everybody. Past the browser's cache: it is of this build.
  await cache.addAll(wanted.map((path) => new Request(path, { cache: "reload", credentials: "omit" })));
  return true;
}

async function tidy() {
  const names = await caches.keys();
  await Promise.all(names.filter((name) => name.startsWith(PREFIX) && name !== CACHE).map((name) => caches.delete(name)));
}

function impatient(answer) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error("slow")), PATIENCE_MS);
    answer.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

// The network first, so that a new build shows at once; the kept shell when there is no network worth the name.
async function page(request) {
  const kept = await caches.match(SHELL, { cacheName: CACHE });
  const answer = fetch(request);
  if (!kept) return answer;
  try {
    const given = await impatient(answer);
    return given.status >= 500 ? kept : given;
  } catch {
    return kept;
  }
}

// The server leads from a link to the page; without a network that is done here.
async function link(request, secret) {
  const answer = fetch(request);
  if (!(await caches.match(SHELL))) return answer;
  return impatient(answer).catch(() => Response.redirect(`/pass?link=${secret}`, 303));
}

// The names of these files carry a hash of what is in them: the kept one is the right one.
async function file(request) {
  return (await caches.match(request.url, { cacheName: CACHE })) ?? fetch(request);
}

self.addEventListener("install", (event) => {
  event.waitUntil(fill().then(() => self.skipWaiting()));
});
self.addEventListener("activate", (event) => {
  event.waitUntil(tidy());
});
self.addEventListener("message", (event) => {
  const [port] = event.ports;
  if (event.data === "fill" && port) event.waitUntil(fill().then((full) => port.postMessage(full), () => port.postMessage(false)));
});
self.addEventListener("fetch", (event) => {
  const { request } = event;
  const { origin, pathname } = new URL(request.url);
  if (!VERSION || request.method !== "GET" || origin !== self.location.origin) return;
  if (request.mode === "navigate") {
    const secret = LINK.exec(pathname)?.[1];
    if (PAGES.has(pathname)) event.respondWith(page(request));
    else if (secret) event.respondWith(link(request, secret));
  } else if (KEPT.has(pathname)) {
    event.respondWith(file(request));
  }
});
