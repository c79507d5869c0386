// Live picture from an MJPEG address, with what is marked in it. Reads the stream itself, so that a camera that hangs is
// noticed, frames are counted, and marks come with their picture in one connection.
import { useEffect, useRef, useState } from "react";

const STALL_MS = 5000;
const HIDE_MS = 30000;
const MAX_BACKOFF_MS = 8000;
const PULSE_TICKS = 5;
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

// Marks in a part's header: kind, left, top, width, height and label, in shares of the picture. No header, no change.
const marksOf = (header) => {
  const line = /^x-marks:(.*)$/im.exec(header);
  if (!line) return null;
  try {
    return JSON.parse(line[1]).map(([kind, x, y, w, h, label]) => ({ kind, x, y, w, h, label }));
  } catch {
    return null;
  }
};

// Every part: header lines, blank line, JPEG. Content-Length is used when given, else the JPEG's own end mark.
// Of several pictures that came at once, only the last is worth showing.
async function readFrames(stream, onFrame, onMarks, signal) {
  const reader = stream.getReader();
  const decoder = new TextDecoder("latin1");
  let buffer = new Uint8Array(0);
  while (!signal.aborted) {
    const { done, value } = await reader.read();
    if (done) return;
    buffer = join(buffer, value);
    let newest = null;
    let frames = 0;
    for (;;) {
      const start = find(buffer, 0xff, 0xd8, 0);
      if (start < 0) {
        if (buffer.length > MAX_BUFFER) buffer = new Uint8Array(0);
        break;
      }
      const header = decoder.decode(buffer.subarray(0, start));
      const length = /content-length:\s*(\d+)[^]*$/i.exec(header.slice(header.toLowerCase().lastIndexOf("content-length")));
      let end = -1;
      if (length) {
        if (buffer.length >= start + Number(length[1])) end = start + Number(length[1]);
      } else {
        const mark = find(buffer, 0xff, 0xd9, start + 2);
        if (mark >= 0) end = mark + 2;
      }
      if (end < 0) break;
      newest = buffer.slice(start, end);
      frames += 1;
      buffer = buffer.slice(end);
      const marks = marksOf(header);
      if (marks) onMarks(marks);
    }
    if (newest) onFrame(newest, frames);
    if (buffer.length > MAX_BUFFER) throw new Error("frame too large");
  }
}

export function LiveCamera({ src, labels = {}, markLabels = {}, trouble = "", alt = "", onPulse }) {
  const [state, setState] = useState("connecting");
  const [fps, setFps] = useState(0);
  const [ratio, setRatio] = useState(null);
  const [paused, setPaused] = useState(false);
  const [marks, setMarks] = useState([]);
  const image = useRef(null);
  const pulse = useRef(onPulse);
  pulse.current = onPulse;

  // Another camera begins with nothing: the last picture of the one before must never stand under its name.
  useEffect(() => {
    setRatio(null);
    setMarks([]);
    image.current?.removeAttribute("src");
  }, [src]);

  useEffect(() => {
    if (!src || paused) return undefined;
    const abort = new AbortController();
    let retry = null;
    let wait = 1000;
    let attempt = null;
    let lastFrame = 0;
    let count = 0;
    let ticks = 0;
    let url = null;
    let alive = true;

    const show = (bytes, frames) => {
      lastFrame = performance.now();
      count += frames;
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
        await readFrames(answer.body, show, setMarks, attempt.signal);
      } catch { /* told below */ } finally {
        abort.signal.removeEventListener("abort", stop);
      }
      if (!alive) return;
      setMarks([]);
      setState("lost");
      retry = setTimeout(connect, wait);
      wait = Math.min(wait * 2, MAX_BACKOFF_MS);
    };
    setState("connecting");
    connect();
    const watch = setInterval(() => {
      setFps(count);
      count = 0;
      ticks += 1;
      if (ticks % PULSE_TICKS === 0) pulse.current?.();
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
  const shown = paused ? "paused" : !src ? "off" : state === "live" && trouble ? "trouble" : state;
  const tag = shown === "live" ? String(labels.live ?? "").replace("{fps}", String(fps || 1)) : labels[shown];
  const visible = shown === "live" || shown === "trouble" || (shown === "lost" && ratio);
  // A code's name for what was found, else the short text that came with it, else the name of its kind.
  const named = ({ kind, label }) => (label && (markLabels[`${kind}_${label}`] ?? (kind === "plate" ? label : ""))) || markLabels[kind];
  return (
    <div className={`camera ${shown}`} data-state={shown} style={ratio ? { aspectRatio: String(ratio) } : undefined}>
      <img ref={image} alt={alt} onLoad={measure} style={{ visibility: visible ? "visible" : "hidden" }} />
      {shown === "live" && ratio ? (
        <div className="marks" aria-hidden="true" style={{ "--ratio": ratio }}>
          {marks.map((mark, index) => (
            <div key={index} className={`mark ${mark.kind}${mark.y + mark.h > 0.85 ? " low" : ""}`} style={{ left: `${mark.x * 100}%`, top: `${mark.y * 100}%`, width: `${mark.w * 100}%`, height: `${mark.h * 100}%` }}>
              <span>{named(mark)}</span>
            </div>
          ))}
        </div>
      ) : null}
      {tag ? <span className="tag">{tag}</span> : null}
      <div className="note" role="status">{shown === "trouble" ? <span className="said">{trouble}</span> : shown === "lost" || shown === "off" ? labels[`${shown}_hint`] : ""}</div>
    </div>
  );
}
