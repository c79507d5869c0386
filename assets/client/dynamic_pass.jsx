// The visitor's rotating code. Loads once, then works without network; see pass_token.js for the code itself.
import { useEffect, useState } from "react";
import { encode } from "uqr";
import { useOwnPass } from "./own_pass.js";
import { stepAt, STEP_SECONDS } from "./pass_token.js";

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

// When the server last confirmed the pass, on this phone's clock and in the page's language.
function moment(ms) {
  const today = new Date(ms).toDateString() === new Date().toDateString();
  const day = today ? {} : { month: "short", day: "numeric" };
  return new Intl.DateTimeFormat(document.documentElement.lang || undefined, { ...day, hour: "2-digit", minute: "2-digit", hourCycle: "h23" }).format(ms);
}

export function DynamicPass({ endpoint, labels = {} }) {
  const { pass, status, now, offline, confirmed, kept, retry } = useOwnPass(endpoint, labels);
  const [code, setCode] = useState(null);
  const active = status === "active";
  const step = stepAt(now / 1000);

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

  useEffect(() => {
    if (!active || !pass.tokenAt) {
      setCode(null);
      return undefined;
    }
    let alive = true;
    pass.tokenAt(step).then((token) => { if (alive) setCode({ token, ...qrPath(token) }); });
    return () => { alive = false; };
  }, [active, pass, step]);

  if (!active || !code) {
    const shown = active ? "loading" : status;
    const text = labels[shown] ?? labels.revoked;
    const hint = labels[`${shown}_hint`];
    if (shown === "loading") {
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

  const note = kept === null ? "" : kept ? labels.kept : labels.stay_open;
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
      {pass.shortCode ? (
        <p className="pass-short muted">{labels.short_code} <b>{String(pass.shortCode).replace(/^(\d{3})(\d{3})$/, "$1 $2")}</b></p>
      ) : null}
      <p className="pass-offline small" role="status">
        {offline ? <>{labels.offline}<br />{String(labels.confirmed ?? "").replace("{time}", moment(confirmed))}</> : null}
      </p>
      <p className="small muted" data-kept={kept === null ? null : String(kept)}>{note}</p>
    </div>
  );
}
