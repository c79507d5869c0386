// Live picture from an MJPEG address. Reads the stream itself so that a frozen camera is noticed and frames are counted.
import { useEffect, useRef, useState } from "react";

const STALL_MS = 5000;
const HIDE_MS = 30000;
const MAX_BACKOFF_MS = 8000;
const MAX_BUFFER = 8 * 1024 * 1024;

const find = (bytes, a, b, from) => {
  for (let i = from; i < bytes.length - 1; i += 1) if (bytes[i] === a && bytes[i + 1] === b) return i;
  return -1;
};
const join = (a, b) => {
  const out = new Uint8Array(a.length + b.length);
  out.set(a);
  out.set(b, a.length);
  return out;
};

// Every part: header lines, blank line, JPEG. Content-Length is used when given, else the JPEG's own end mark.
async function readFrames(stream, onFrame, signal) {
  const reader = stream.getReader();
  const decoder = new TextDecoder("latin1");
  let buffer = new Uint8Array(0);
  while (!signal.aborted) {
    const { done, value } = await reader.read();
    if (done) return;
    buffer = join(buffer, value);
    for (;;) {
      const start = find(buffer, 0xff, 0xd8, 0);
      if (start < 0) {
        if (buffer.length > MAX_BUFFER) buffer = new Uint8Array(0);
        break;
      }
      const header = decoder.decode(buffer.subarray(Math.max(0, start - 400), start));
      const length = /content-length:\s*(\d+)[^]*$/i.exec(header.slice(header.toLowerCase().lastIndexOf("content-length")));
      let end = -1;
      if (length) {
        if (buffer.length >= start + Number(length[1])) end = start + Number(length[1]);
      } else {
        const mark = find(buffer, 0xff, 0xd9, start + 2);
        if (mark >= 0) end = mark + 2;
      }
      if (end < 0) break;
      onFrame(buffer.slice(start, end));
      buffer = buffer.slice(end);
    }
    if (buffer.length > MAX_BUFFER) throw new Error("frame too large");
  }
}

export function LiveCamera({ src, labels = {}, boxes = [], alt = "" }) {
  const [state, setState] = useState("connecting");
  const [fps, setFps] = useState(0);
  const [ratio, setRatio] = useState(null);
  const [paused, setPaused] = useState(false);
  const image = useRef(null);

  useEffect(() => {
    if (!src || paused) return undefined;
    const abort = new AbortController();
    let retry = null;
    let wait = 1000;
    let attempt = null;
    let lastFrame = 0;
    let count = 0;
    let url = null;
    let alive = true;

    const show = (bytes) => {
      lastFrame = performance.now();
      count += 1;
      wait = 1000;
      setState("live");
      const next = URL.createObjectURL(new Blob([bytes], { type: "image/jpeg" }));
      const old = url;
      url = next;
      if (image.current) image.current.src = next;
      if (old) setTimeout(() => URL.revokeObjectURL(old), 250);
    };
    const connect = async () => {
      attempt = new AbortController();
      const stop = () => attempt.abort();
      abort.signal.addEventListener("abort", stop);
      lastFrame = performance.now();
      try {
        const answer = await fetch(src, { credentials: "include", cache: "no-store", signal: attempt.signal });
        if (!answer.ok || !answer.body) throw new Error(String(answer.status));
        await readFrames(answer.body, show, attempt.signal);
      } catch { /* told below */ } finally {
        abort.signal.removeEventListener("abort", stop);
      }
      if (!alive) return;
      setState("lost");
      retry = setTimeout(connect, wait);
      wait = Math.min(wait * 2, MAX_BACKOFF_MS);
    };
    setState("connecting");
    connect();
    const watch = setInterval(() => {
      setFps(count);
      count = 0;
      if (performance.now() - lastFrame > STALL_MS) attempt?.abort();
    }, 1000);
    return () => {
      alive = false;
      abort.abort();
      clearTimeout(retry);
      clearInterval(watch);
      if (url) setTimeout(() => URL.revokeObjectURL(url), 500);
    };
  }, [src, paused]);

  useEffect(() => {
    let timer = null;
    const onVisible = () => {
      clearTimeout(timer);
      if (document.hidden) timer = setTimeout(() => setPaused(true), HIDE_MS);
      else setPaused(false);
    };
    document.addEventListener("visibilitychange", onVisible);
    return () => {
      clearTimeout(timer);
      document.removeEventListener("visibilitychange", onVisible);
    };
  }, []);

  const measure = (event) => {
    const { naturalWidth: w, naturalHeight: h } = event.currentTarget;
    if (w > 1 && h > 1) setRatio((old) => (old === w / h ? old : w / h));
  };
  const shown = paused ? "paused" : !src ? "off" : state;
  const tag = shown === "live" ? String(labels.live ?? "").replace("{fps}", String(fps || 1)) : labels[shown];
  return (
    <div className={`camera ${shown}`} data-state={shown} style={ratio ? { aspectRatio: String(ratio) } : undefined}>
      <img ref={image} alt={alt} onLoad={measure} style={{ visibility: shown === "live" || (shown === "lost" && ratio) ? "visible" : "hidden" }} />
      {shown === "live" ? (boxes ?? []).map((box, index) => (
        <div key={box.id ?? index} className="box" style={{ left: `${box.x * 100}%`, top: `${box.y * 100}%`, width: `${box.w * 100}%`, height: `${box.h * 100}%` }}>
          {box.label ? <span>{box.label}</span> : null}
        </div>
      )) : null}
      {tag ? <span className="tag">{tag}</span> : null}
      <div className="note" role="status">{shown === "lost" || shown === "off" ? labels[`${shown}_hint`] : ""}</div>
    </div>
  );
}
