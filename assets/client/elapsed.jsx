// Time passed since a moment the server named, ticking here. With serverNow the wall clock of this device plays no part.
import { useEffect, useState } from "react";

export function formatElapsed(ms) {
  const total = Math.max(0, Math.floor(ms / 1000));
  const h = Math.floor(total / 3600);
  const m = Math.floor((total % 3600) / 60);
  const s = total % 60;
  const two = (n) => String(n).padStart(2, "0");
  return h > 0 ? `${h}:${two(m)}:${two(s)}` : `${two(m)}:${two(s)}`;
}

export function Elapsed({ start, serverNow = 0, offset = 0, stop = 0, countDown = false, className = "" }) {
  const [text, setText] = useState("");
  useEffect(() => {
    if (!start) {
      setText("");
      return undefined;
    }
    const base = serverNow ? serverNow - performance.now() : null;
    const now = () => (base === null ? Date.now() + offset : base + performance.now());
    const draw = () => {
      const at = stop || now();
      setText(formatElapsed(countDown ? start - at : at - start));
    };
    draw();
    if (stop) return undefined;
    const timer = setInterval(draw, 500);
    return () => clearInterval(timer);
  }, [start, serverNow, offset, stop, countDown]);
  // Hidden from live regions: a ticking clock is never announced.
  return <span className={className} role="timer" aria-live="off" suppressHydrationWarning>{text}</span>;
}
