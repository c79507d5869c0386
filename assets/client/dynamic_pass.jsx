// The visitor's rotating code. Loads once, then works without network; see pass_token.js for the code itself.
import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import { encode } from "uqr";
import { fromBase64Url, passToken, stepAt, STEP_SECONDS } from "./pass_token.js";
import { ServerClock } from "./server_clock.js";

const POLL_MS = 60000;
const TICK_MS = 250;
const QUIET_ZONE = 4;

function qrPath(text) {
  const { data, size } = encode(text, { ecc: "M", border: QUIET_ZONE });
  let path = "";
  for (let y = 0; y < size; y += 1) {
    for (let x = 0; x < size; x += 1) {
      if (!data[y][x]) continue;
      let run = 1;
      while (x + run < size && data[y][x + run]) run += 1;
      path += `M${x} ${y}h${run}v1h-${run}z`;
      x += run;
    }
  }
  return { path, size };
}

function Mark({ kind }) {
  const shapes = {
    expired: <><circle cx="12" cy="12" r="10" /><path d="M12 6v6l4 2" /></>,
    revoked: <><circle cx="12" cy="12" r="10" /><path d="m4.9 4.9 14.2 14.2" /></>,
    error: <><path d="M12 20h.01M8.5 16.4a5 5 0 0 1 7 0M5 12.9a10 10 0 0 1 5.2-2.7M19 12.9a10 10 0 0 0-2-1.5M2 8.8a15 15 0 0 1 4.2-2.6M22 8.8a15 15 0 0 0-11.3-3.8M2 2l20 20" /></>,
  };
  return (
    <svg viewBox="0 0 24 24" fill="none" stroke="currentColor" strokeWidth="2" strokeLinecap="round" strokeLinejoin="round" aria-hidden="true">
      {shapes[kind] ?? shapes.revoked}
    </svg>
  );
}

export function DynamicPass({ endpoint, labels = {} }) {
  const [pass, setPass] = useState(null);
  const [failed, setFailed] = useState(false);
  const [gone, setGone] = useState(false);
  const [offline, setOffline] = useState(false);
  const [now, setNow] = useState(0);
  const clock = useRef(null);
  const load = useRef(() => {});

  useEffect(() => {
    let alive = true;
    let abort = null;
    const fetchPass = async () => {
      abort?.abort();
      abort = new AbortController();
      const mine = abort;
      const timer = setTimeout(() => mine.abort(), 15000);
      const sent = performance.now();
      try {
        const answer = await fetch(endpoint, { credentials: "include", cache: "no-store", signal: mine.signal, headers: { Accept: "application/json" } });
        const took = performance.now() - sent;
        if (!alive || mine !== abort) return;
        if (answer.status === 404 || answer.status === 410) {
          setGone(true);
          return;
        }
        if (!answer.ok) throw new Error(String(answer.status));
        const body = await answer.json();
        if (!alive || mine !== abort) return;
        if (clock.current) clock.current.set(body.server_time + took / 2);
        else clock.current = new ServerClock(body.server_time + took / 2);
        setGone(false);
        setFailed(false);
        setOffline(false);
        setPass((old) => (old && JSON.stringify({ ...old, server_time: 0 }) === JSON.stringify({ ...body, server_time: 0 }) ? old : body));
        setNow(clock.current.now());
      } catch {
        if (!alive || mine !== abort) return;
        if (clock.current) setOffline(true); // keep showing what we have
        else setFailed(true);
      } finally {
        clearTimeout(timer);
      }
    };
    load.current = fetchPass;
    clock.current = null;
    setPass(null);
    setFailed(false);
    fetchPass();
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

  const status = gone ? "revoked" : !pass ? (failed ? "error" : "loading")
    : pass.status !== "active" ? pass.status
    : now / 1000 >= pass.not_after ? "expired" : "active";
  const active = status === "active";

  useEffect(() => {
    if (!pass) return undefined;
    const timer = setInterval(() => setNow(clock.current ? clock.current.now() : 0), TICK_MS);
    return () => clearInterval(timer);
  }, [pass]);

  useEffect(() => {
    if (!active || !navigator.wakeLock) return undefined;
    let lock = null;
    let alive = true;
    const take = async () => {
      if (document.hidden) return;
      try {
        const got = await navigator.wakeLock.request("screen");
        if (alive) lock = got;
        else got.release().catch(() => {});
      } catch { /* battery saver or not allowed: the code works all the same */ }
    };
    take();
    document.addEventListener("visibilitychange", take);
    return () => {
      alive = false;
      document.removeEventListener("visibilitychange", take);
      lock?.release().catch(() => {});
    };
  }, [active]);

  const secret = useMemo(() => (pass?.secret ? fromBase64Url(pass.secret) : null), [pass]);
  const step = stepAt(now / 1000);
  const code = useMemo(() => {
    if (!active || !secret) return null;
    const token = passToken(pass.code_id, pass.kid, secret, step);
    return { token, ...qrPath(token) };
  }, [active, secret, step, pass]);
  const retry = useCallback(() => { setFailed(false); load.current(); }, []);

  if (!active) {
    const text = labels[status] ?? labels.revoked;
    const hint = labels[`${status}_hint`];
    if (status === "loading") {
      return <div className="pass" aria-busy="true"><div className="pass-code off" role="status"><span>{text}</span></div></div>;
    }
    return (
      <div className="pass">
        <div className="pass-code off no" role="status">
          <div>
            <Mark kind={status} />
            <b>{text}</b>
            {hint ? <p>{hint}</p> : null}
          </div>
        </div>
        {status === "error" ? <button type="button" className="btn" onClick={retry}>{labels.retry}</button> : null}
      </div>
    );
  }

  const inStep = (now / 1000) % STEP_SECONDS;
  const left = Math.max(1, Math.ceil(STEP_SECONDS - inStep));
  const round = 2 * Math.PI * 9;
  const [before, after = ""] = String(labels.seconds ?? "{n}").split("{n}");
  return (
    <div className="pass">
      <div className="pass-code" data-token={code.token}>
        <svg className="qr" viewBox={`0 0 ${code.size} ${code.size}`} shapeRendering="crispEdges" role="img" aria-label={labels.code}>
          <rect width={code.size} height={code.size} />
          <path d={code.path} />
        </svg>
      </div>
      <div className="pass-ring">
        <svg viewBox="0 0 22 22" aria-hidden="true">
          <circle cx="11" cy="11" r="9" />
          <circle className="left" cx="11" cy="11" r="9" strokeDasharray={round} strokeDashoffset={(round * inStep) / STEP_SECONDS} />
        </svg>
        <span>{before}<b>{left}</b>{after}</span>
      </div>
      {pass.short_code ? (
        <p className="pass-short muted">{labels.short_code} <b>{String(pass.short_code).replace(/^(\d{3})(\d{3})$/, "$1 $2")}</b></p>
      ) : null}
      <p className="small muted" role="status">{offline ? labels.offline : ""}</p>
    </div>
  );
}
