// The visitor's own pass as the server last told it, or as this phone keeps it while there is no network.
import { useCallback, useEffect, useRef, useState } from "react";
import { fromBase64Url, passToken, sealedToken } from "./pass_token.js";
import { canKeep, keep, recall, wipe } from "./pass_store.js";
import { ServerClock } from "./server_clock.js";

const POLL_MS = 60000;
const TICK_MS = 250;
const GIVE_UP_MS = 15000;
// The server knows the asker and has no pass for them, or does not know them any more.
const OVER = new Set([401, 403, 404, 410]);

function ofServer(body) {
  const secret = body.secret ? fromBase64Url(body.secret) : null;
  return {
    status: body.status,
    notAfter: body.not_after,
    shortCode: body.short_code ?? null,
    tokenAt: secret ? async (step) => passToken(body.code_id, body.kid, secret, step) : null,
  };
}

function ofPhone(entry) {
  return {
    status: "active",
    notAfter: entry.not_after,
    shortCode: null,
    tokenAt: (step) => sealedToken(entry.code_id, entry.kid, entry.key, step),
  };
}

/**
 * pass: what to show, null while unknown; status: loading, error, active, expired, revoked …; now: server time in ms;
 * offline; confirmed: server time in ms of the last answer; kept: whether the page opens again without a network, null
 * while that is not known; retry.
 */
export function useOwnPass(endpoint, labels) {
  const [pass, setPass] = useState(null);
  const [failed, setFailed] = useState(false);
  const [gone, setGone] = useState(false);
  const [offline, setOffline] = useState(false);
  const [confirmed, setConfirmed] = useState(0);
  const [kept, setKept] = useState(null);
  const [now, setNow] = useState(0);
  const clock = useRef(null);
  const load = useRef(() => {});
  const words = useRef(labels);
  words.current = labels;

  useEffect(() => {
    let alive = true;
    let abort = null;
    let answered = false;
    let shown = ""; // the last answer without its time, so that the same pass is not drawn anew

    const setClock = (ms) => {
      if (clock.current) clock.current.set(ms);
      else clock.current = new ServerClock(ms);
      setNow(clock.current.now());
    };
    const over = () => {
      setGone(true);
      wipe().catch(() => {});
    };
    const accept = (body, serverNow) => {
      answered = true;
      setClock(serverNow);
      setGone(false);
      setFailed(false);
      setOffline(false);
      setConfirmed(body.server_time);
      const same = JSON.stringify({ ...body, server_time: 0 });
      if (same !== shown) setPass(ofServer(body));
      shown = same;
      if (body.status !== "active") {
        wipe().catch(() => {});
        return;
      }
      keep(body, fromBase64Url(body.secret), words.current)
        .catch(() => false)
        .then((ready) => { if (alive) setKept(ready); });
    };
    const fetchPass = async () => {
      abort?.abort();
      abort = new AbortController();
      const mine = abort;
      const timer = setTimeout(() => mine.abort(), GIVE_UP_MS);
      const sent = performance.now();
      try {
        const answer = await fetch(endpoint, { credentials: "include", cache: "no-store", signal: mine.signal, headers: { Accept: "application/json" } });
        const took = performance.now() - sent;
        if (!alive || mine !== abort) return;
        if (OVER.has(answer.status)) {
          answered = true;
          over();
          return;
        }
        if (!answer.ok) throw new Error(String(answer.status));
        const body = await answer.json();
        if (alive && mine === abort) accept(body, body.server_time + took / 2);
      } catch {
        if (!alive || mine !== abort) return;
        if (clock.current) setOffline(true); // keep showing what we have
        else setFailed(true);
      } finally {
        clearTimeout(timer);
      }
    };
    // What the phone keeps shows at once; the server's answer takes its place as soon as there is one.
    const begin = async () => {
      const entry = await recall().catch(() => null);
      if (!alive) return;
      if (entry && !answered) {
        setClock(Date.now() + entry.ahead);
        setConfirmed(entry.confirmed);
        setPass(ofPhone(entry));
        setOffline(navigator.onLine === false);
      }
      fetchPass();
    };

    load.current = fetchPass;
    clock.current = null;
    setPass(null);
    setFailed(false);
    if (!canKeep()) setKept(false);
    begin();
    const poll = setInterval(() => { if (!document.hidden && navigator.onLine !== false) fetchPass(); }, POLL_MS);
    const onVisible = () => {
      clock.current?.mark(document.hidden);
      if (!document.hidden) {
        if (clock.current) setNow(clock.current.now());
        fetchPass();
      }
    };
    const onOffline = () => setOffline(true);
    document.addEventListener("visibilitychange", onVisible);
    window.addEventListener("online", fetchPass);
    window.addEventListener("offline", onOffline);
    return () => {
      alive = false;
      abort?.abort();
      clearInterval(poll);
      document.removeEventListener("visibilitychange", onVisible);
      window.removeEventListener("online", fetchPass);
      window.removeEventListener("offline", onOffline);
    };
  }, [endpoint]);

  useEffect(() => {
    if (!pass) return undefined;
    const timer = setInterval(() => setNow(clock.current ? clock.current.now() : 0), TICK_MS);
    return () => clearInterval(timer);
  }, [pass]);

  const runOut = pass !== null && now / 1000 >= pass.notAfter;
  useEffect(() => {
    if (runOut) wipe().catch(() => {});
  }, [runOut]);

  const status = gone ? "revoked" : !pass ? (failed ? "error" : "loading")
    : pass.status !== "active" ? pass.status
    : runOut ? "expired" : "active";
  const retry = useCallback(() => { setFailed(false); load.current(); }, []);
  return { pass, status, now, offline, confirmed, kept, retry };
}
