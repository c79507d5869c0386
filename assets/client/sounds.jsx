// Three sounds that cannot be taken for one another, made from oscillators; volume and mute stay on this device.
import { useEffect, useRef, useState } from "react";

const STORE = "gatehouse.sound";
const SETTLE_MS = 1000; // state that arrives with the page is no news
// [start s, length s, frequency Hz, wave, loudness]
const PATTERNS = {
  admit: [[0, 0.13, 523, "sine", 0.8], [0.13, 0.24, 784, "sine", 0.8]],
  attention: [[0, 0.12, 660, "triangle", 1], [0.22, 0.12, 660, "triangle", 1], [0.44, 0.12, 660, "triangle", 1]],
  alarm: Array.from({ length: 8 }, (_, i) => [i * 0.28, 0.26, i % 2 ? 622 : 932, "square", 0.55]),
};

const stored = () => {
  try {
    return JSON.parse(localStorage.getItem(STORE) ?? "{}") ?? {};
  } catch {
    return {};
  }
};

function SpeakerIcon({ off }) {
  return (
    <svg className="i" viewBox="0 0 24 24" fill="none" stroke="currentColor" strokeWidth="2" strokeLinecap="round" strokeLinejoin="round" aria-hidden="true">
      <path d="M11 4.7a.7.7 0 0 0-1.2-.5L6.4 7.6A1.4 1.4 0 0 1 5.4 8H3a1 1 0 0 0-1 1v6a1 1 0 0 0 1 1h2.4c.4 0 .7.1 1 .4l3.4 3.4a.7.7 0 0 0 1.2-.5Z" />
      {off ? <path d="m22 9-6 6M16 9l6 6" /> : <path d="M16 9a5 5 0 0 1 0 6M19.4 18.4a9 9 0 0 0 0-12.8" />}
    </svg>
  );
}

export function Sounds({ cue = "", nonce = 0, volume = 0.7, labels = {}, controls = true }) {
  const [level, setLevel] = useState(volume);
  const [muted, setMuted] = useState(false);
  const audio = useRef(null);
  const seen = useRef(nonce);
  const born = useRef(0);
  const live = useRef({ level, muted });
  live.current = { level, muted };

  useEffect(() => {
    const kept = stored();
    if (typeof kept.level === "number") setLevel(Math.min(1, Math.max(0, kept.level)));
    if (typeof kept.muted === "boolean") setMuted(kept.muted);
    born.current = performance.now();
    // Browsers let a page sound only after the first touch or key.
    const unlock = () => { context()?.resume().catch(() => {}); };
    window.addEventListener("pointerdown", unlock, { once: true });
    window.addEventListener("keydown", unlock, { once: true });
    return () => {
      window.removeEventListener("pointerdown", unlock);
      window.removeEventListener("keydown", unlock);
      audio.current?.close().catch(() => {});
      audio.current = null;
    };
  }, []);

  function context() {
    const Kind = window.AudioContext ?? window.webkitAudioContext;
    if (!Kind) return null;
    audio.current ??= new Kind();
    return audio.current;
  }

  async function play(name) {
    const notes = PATTERNS[name];
    if (!notes || live.current.muted || live.current.level <= 0) return;
    const ctx = context();
    if (!ctx) return;
    if (ctx.state === "suspended") {
      if (navigator.userActivation && !navigator.userActivation.hasBeenActive) return;
      await ctx.resume().catch(() => {});
    }
    if (ctx.state !== "running") return;
    const begin = ctx.currentTime + 0.02;
    for (const [at, length, hz, wave, loud] of notes) {
      const tone = ctx.createOscillator();
      const gain = ctx.createGain();
      tone.type = wave;
      tone.frequency.value = hz;
      const peak = Math.max(0.0001, loud * live.current.level * 0.5);
      gain.gain.setValueAtTime(0.0001, begin + at);
      gain.gain.exponentialRampToValueAtTime(peak, begin + at + 0.015);
      gain.gain.setValueAtTime(peak, begin + at + length - 0.04);
      gain.gain.exponentialRampToValueAtTime(0.0001, begin + at + length);
      tone.connect(gain).connect(ctx.destination);
      tone.start(begin + at);
      tone.stop(begin + at + length + 0.02);
    }
  }

  useEffect(() => {
    if (nonce === seen.current) return;
    const fresh = performance.now() - born.current > SETTLE_MS;
    seen.current = nonce;
    if (fresh) play(cue);
  }, [nonce, cue]);

  const keep = (next) => {
    try { localStorage.setItem(STORE, JSON.stringify(next)); } catch { /* private mode */ }
  };
  if (!controls) return null;
  return (
    <div className="sound">
      <button type="button" className="btn quiet icon-only small" aria-pressed={muted} aria-label={muted ? labels.unmute : labels.mute} title={muted ? labels.unmute : labels.mute}
        onClick={() => { setMuted(!muted); keep({ level, muted: !muted }); }}>
        <SpeakerIcon off={muted || level === 0} />
      </button>
      <input type="range" min="0" max="1" step="0.1" value={level} aria-label={labels.volume}
        onChange={(event) => { const next = Number(event.target.value); setLevel(next); setMuted(false); keep({ level: next, muted: false }); live.current = { level: next, muted: false }; }}
        onPointerUp={() => play("admit")} />
    </div>
  );
}
